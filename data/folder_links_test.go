package data

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// link makes a symbolic link, and the folders that it lies in.
func link(t *testing.T, target, at string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, at); err != nil {
		t.Skip("this disk takes no links: ", err)
	}
}

// Links in a folder are followed within it, to files and to folders, and the folder that
// the user names may be one.
func TestFolderFollowsLinks(t *testing.T) {
	root := writeFolder(t, append(numbered(t, "train/cat/", 3, 10), numbered(t, ".store/", 2, 20)...))
	link(t, "../.store", filepath.Join(root, "test/cat"))
	link(t, "../../.store/00.png", filepath.Join(root, "train/cat/zz.png"))
	link(t, "../../test/cat/01.png", filepath.Join(root, "train/cat/zzz.png"))
	named := filepath.Join(t.TempDir(), "named")
	link(t, root, named)
	for _, name := range []string{root, named, named + "/"} {
		if train, test := open(t, "folder:"+name, Options{Cache: t.TempDir()}); train.Len() != 5 || test.Len() != 2 {
			t.Errorf("%s: got %v and %v", name, train, test)
		}
	}
	faces := filepath.Join(t.TempDir(), celebaFolder)
	if err := os.Rename(writeFolder(t, numbered(t, "x/", 1, 0)), faces); err != nil {
		t.Fatal(err)
	}
	link(t, "../elsewhere.jpg", filepath.Join(faces, "000001.jpg"))
	_, _, err := Open(t.Context(), "celeba:"+faces, Options{Cache: t.TempDir()})
	says(t, err, `1 link in it cannot be followed, as links may only lead within the folder: 000001.jpg leads to "../elsewhere.jpg"`)
}

// No file out of the folder is read for the sake of what is in it.
func TestFolderLinksThatLeave(t *testing.T) {
	outside := writeFolder(t, petFiles(t))
	secret := filepath.Join(outside, "train/cat/a.png")
	for name, c := range map[string]struct {
		links map[string]string // by where they are
		want  string
	}{
		"a file":               {map[string]string{"train/cat/s.png": secret}, `1 link in it cannot be followed, as links may only lead within the folder: train/cat/s.png leads to "`},
		"a folder":             {map[string]string{"train/fox": outside + "/train/cat"}, "train/fox leads to "},
		"a folder of classes":  {map[string]string{"val": outside}, "val leads to "},
		"a system's folder":    {map[string]string{"train/etc": "/etc"}, `train/etc leads to "/etc" (path escapes from parent): copy their targets into the folder, or, if all images are there, open that folder itself`},
		"next to the folder":   {map[string]string{"train/fox": "../../../fox"}, "train/fox leads to \"../../../fox\" (path escapes from parent)"},
		"out by way of a link": {map[string]string{"train/cat/in.png": "out/x.png", "train/cat/out": outside}, `2 links in it cannot be followed, as links may only lead within the folder: train/cat/in.png leads to "out/x.png"`},
		"nothing":              {map[string]string{"train/cat/s.png": "t.png"}, `train/cat/s.png leads to "t.png" (no such file or directory)`},
		"itself":               {map[string]string{"train/cat/s.png": "s.png"}, `train/cat/s.png leads to "s.png" (too many levels of symbolic links)`},
		"many": {map[string]string{"train/cat/1": secret, "train/cat/2": secret, "train/cat/3": secret, "train/cat/4": secret, "train/cat/5": secret, "train/cat/6": secret, "train/cat/7": secret},
			"7 links in it cannot be followed"},
		"control characters": {map[string]string{"train/cat/\x1b[2J.png": "/\x1b[31m"}, `"train/cat/\x1b[2J.png" leads to "/\x1b[31m"`},
	} {
		t.Run(name, func(t *testing.T) {
			root := writeFolder(t, petFiles(t))
			for at, target := range c.links {
				link(t, target, filepath.Join(root, at))
			}
			for _, size := range []string{"", "@8"} {
				_, _, err := Open(t.Context(), "folder:"+root+size, Options{Cache: t.TempDir()})
				says(t, err, "pets", c.want)
				if n := strings.Count(err.Error(), " leads to "); n > maxListed {
					t.Errorf("it lists %d links", n)
				}
			}
		})
	}
}

// A file that is exchanged for a link after it was listed is not followed out of the folder.
func TestFolderExchangedForLink(t *testing.T) {
	root := writeFolder(t, petFiles(t))
	in, err := newFolder(root)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := in.key(t.Context()); err != nil {
		t.Fatal(err)
	}
	outside := writeFile(t, "secret.png", []byte("secret"))
	at := filepath.Join(root, "train/cat/a.png")
	if err := os.Remove(at); err != nil {
		t.Fatal(err)
	}
	link(t, outside, at)
	_, _, err = readImages(t.Context(), in)
	says(t, err, "train/cat/a.png")
	if strings.Contains(err.Error(), "does not decode") {
		t.Errorf("it was read: %v", err)
	}
}
