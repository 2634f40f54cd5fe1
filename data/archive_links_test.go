package data

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// linkedTar is an archive of files and of links: "l NAME TARGET" for a symbolic one,
// "h NAME TARGET" for a hard one, "d NAME" for a folder, "p NAME" for a pipe.
func linkedTar(t testing.TB, files []archived, links ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	header := func(h *tar.Header) {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		header(&tar.Header{Name: f.name, Typeflag: tar.TypeReg, Size: int64(len(f.content)), Mode: 0o644})
		if _, err := w.Write(f.content); err != nil {
			t.Fatal(err)
		}
	}
	flags := map[string]byte{"l": tar.TypeSymlink, "h": tar.TypeLink, "d": tar.TypeDir, "p": tar.TypeFifo}
	for _, link := range links {
		parts := append(strings.Fields(link), "")
		header(&tar.Header{Name: parts[1], Typeflag: flags[parts[0]], Linkname: parts[2]})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// linkedZip is the same as a zip file, without hard links.
func linkedZip(t testing.TB, files []archived, links ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		part, err := w.Create(f.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(f.content); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range links {
		parts := append(strings.Fields(link), "")
		h := &zip.FileHeader{Name: parts[1]}
		h.SetMode(fs.ModeSymlink | 0o777)
		part, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(parts[2])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Links count as the files and folders that they lead to, as in the folder that the
// archive unpacks to.
func TestLinksInArchives(t *testing.T) {
	files := numbered(t, "cat/", 3, 10)
	dogs := numbered(t, "store/", 2, 100)
	hidden := numbered(t, ".store/", 2, 100)
	for name, c := range map[string]struct {
		files []archived
		links []string
		cats  int      // images of the class cat
		want  []string // classes
		dogs  []uint8  // grays of the class dog
	}{
		"hard":                  {files, []string{"h dog/a.png cat/00.png", "h dog/b.png ./cat/02.png"}, 3, []string{"cat", "dog"}, []uint8{10, 12}},
		"hard to hard":          {files, []string{"h dog/a.png cat/00.png", "h dog/b.png dog/a.png"}, 3, []string{"cat", "dog"}, []uint8{10, 10}},
		"symbolic":              {files, []string{"l dog/a.png ../cat/00.png", "l dog/b.png .././cat//01.png"}, 3, []string{"cat", "dog"}, []uint8{10, 11}},
		"chain":                 {files, []string{"l dog/a.png b.png", "l dog/b.png ../cat/01.png"}, 3, []string{"cat", "dog"}, []uint8{11, 11}},
		"hard to symbolic":      {files, []string{"l dog/a.png ../cat/01.png", "h dog/b.png dog/a.png"}, 3, []string{"cat", "dog"}, []uint8{11, 11}},
		"a class folder":        {append(slices.Clone(files), hidden...), []string{"l dog .store"}, 3, []string{"cat", "dog"}, []uint8{100, 101}},
		"through a folder link": {append(slices.Clone(files), hidden...), []string{"l .d .store", "l dog/a.png ../.d/00.png", "l dog/b.png ../.d/../.store/01.png"}, 3, []string{"cat", "dog"}, []uint8{100, 101}},
		"a folder link in one":  {append(slices.Clone(files), hidden...), []string{"l .two/x.png ../.store/01.png", "l .two/y.png ../cat/00.png", "l dog .two"}, 3, []string{"cat", "dog"}, []uint8{101, 10}},
		"link before its file":  {dogs, []string{"l cat store"}, 2, []string{"cat", "store"}, nil},
	} {
		archives := map[string]string{"tar:": writeFile(t, "pets.tar", linkedTar(t, c.files, c.links...))}
		if !strings.Contains(name, "hard") {
			archives["zip:"] = writeFile(t, "pets.zip", linkedZip(t, c.files, c.links...))
		}
		for kind, archive := range archives {
			t.Run(kind+name, func(t *testing.T) {
				train, test := open(t, kind+archive, Options{Cache: t.TempDir()})
				if !slices.Equal(train.Classes, c.want) {
					t.Fatalf("classes %v, want %v", train.Classes, c.want)
				}
				var dogs []uint8
				cats := 0
				for _, d := range []*Dataset{train, test} {
					for i, label := range d.Labels {
						if d.Classes[label] == "dog" {
							dogs = append(dogs, d.pixels(i)[0])
						} else if d.Classes[label] == "cat" {
							cats++
						}
					}
				}
				slices.Sort(dogs)
				want := slices.Sorted(slices.Values(c.dogs))
				if cats != c.cats || !slices.Equal(dogs, want) {
					t.Errorf("%d cats, dogs %v; want %d and %v", cats, dogs, c.cats, want)
				}
			})
		}
	}
}

// Links that cannot be followed are an error that counts and names them.
func TestLinksRefused(t *testing.T) {
	files := numbered(t, "cat/", 3, 10)
	for name, c := range map[string]struct {
		links []string
		want  string
	}{
		"absolute":       {[]string{"l dog/a.png /etc/passwd"}, `1 link in it cannot be followed: dog/a.png leads out of the archive ("/etc/passwd"): pack what they lead to`},
		"above":          {[]string{"l dog/a.png ../../cat/00.png"}, `dog/a.png leads out of the archive ("../../cat/00.png")`},
		"above, by hard": {[]string{"h dog/a.png ../cat/00.png"}, `dog/a.png leads out of the archive ("../cat/00.png")`},
		"lost":           {[]string{"l dog/a.png ../cat/99.png", "l dog/b.png c.png", "l dog/c.png ../nowhere/x.png"}, `3 links in it cannot be followed: dog/a.png leads to nothing in the archive ("../cat/99.png"); dog/b.png leads to nothing in the archive ("c.png"); dog/c.png leads to nothing`},
		"many":           {[]string{"l a x", "l b x", "l c x", "l d x", "l e x", "l f x", "l g x"}, `7 links in it cannot be followed: a leads to nothing in the archive ("x"); b leads to nothing in the archive ("x"); c leads to nothing in the archive ("x"); d leads to nothing in the archive ("x"); e leads to nothing in the archive ("x"); and 2 more`},
		"itself":         {[]string{"l dog/a.png a.png"}, `dog/a.png leads to itself ("a.png")`},
		"in a circle":    {[]string{"l dog/a.png b.png", "l dog/b.png a.png"}, `2 links in it cannot be followed: dog/a.png leads to itself ("b.png")`},
		"folder in it":   {[]string{"l cat/all ."}, "the link cat/all leads to a folder that contains it: remove it"},
		"root":           {[]string{"l all ."}, "the link all leads to a folder that contains it"},
		"folders loop":   {[]string{"l x/y ../z", "l z/y ../x"}, "leads to a folder that contains it"},
		"below a file":   {[]string{"l dog/a.png ../cat/00.png/x.png"}, "dog/a.png leads to nothing in the archive"},
		"and a file":     {[]string{"l cat/00.png 01.png"}, "cat/00.png is listed twice: keep one"},
		"and a folder":   {[]string{"l cat ."}, "cat is listed twice"},
		"below a link":   {[]string{"l dog cat", "d dog/x"}, "dog/x is in dog, which is not a folder in the archive"},
		"control":        {[]string{"l dog/\x1b[2J.png \x1b[31m"}, `"dog/\x1b[2J.png" leads to nothing in the archive ("\x1b[31m")`},
		"pipe":           {[]string{"p cat/zz.png"}, "1 other thing with the name of an image but no file: cat/zz.png is a named pipe: remove what is not a file"},
		"long":           {[]string{"l cat/x.png " + strings.Repeat("a/", 3000)}, "… has 6000 bytes, more than 4096: shorten it"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Open(t.Context(), "tar:"+writeFile(t, "pets.tar", linkedTar(t, files, c.links...)), Options{Cache: t.TempDir()})
			says(t, err, c.want)
		})
	}
	archive := writeFile(t, "pets.zip", linkedZip(t, files, "l a/link.png /etc/passwd"))
	_, _, err := Open(t.Context(), "zip:"+archive, Options{Cache: t.TempDir()})
	says(t, err, `1 link in it cannot be followed: a/link.png leads out of the archive ("/etc/passwd")`)
}

// A hundred links to folders of a hundred links each, three deep, end in an error before
// they take memory.
func TestLinksMultiply(t *testing.T) {
	var links []string
	for i := range 105 {
		for level, target := range []string{"../b", "../c", "../d"} {
			links = append(links, "l "+string(rune('a'+level))+"/"+strings.Repeat("x", i+1)+" "+target)
		}
	}
	staysSmall(t, func() {
		_, _, err := Open(t.Context(), "tar:"+writeFile(t, "pets.tar", linkedTar(t, numbered(t, "d/", 1, 0), links...)), Options{Cache: t.TempDir()})
		says(t, err, "links in it to folders add more than 262144 names: unpack it and write folder:PATH")
	})
}

// processorTime is what this process took so far: unlike the clock, it does not depend on
// what else the machine does.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Names that are made to take time or memory end in an error at once: long and deep ones,
// many of them, and links along long ways.
func TestNamesThatTakeTime(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: archives of as many members as may be")
	}
	quickly := func(what string, do func() error, want string) {
		t.Helper()
		began := processorTime(t)
		says(t, do(), want)
		if took := processorTime(t) - began; took > 5*time.Second {
			t.Errorf("%s took %v of processor time", what, took)
		}
	}
	pets := petFiles(t)
	for name, want := range map[string]string{
		"a/" + strings.Repeat("x/", 50000) + ".png": `the name "a/x/x/`,
		"a/" + strings.Repeat("x/", 100) + "y.png":  "… leads through more than 100 folders: shorten it",
		"a/" + strings.Repeat("x", 5000) + ".png":   "… has 5006 bytes, more than 4096: shorten it",
	} {
		files := append(pets, archived{name, []byte("x")})
		archives := map[string]string{"tar:": writeFile(t, "pets.tar", tarOf(t, files))}
		if len(name) < 1<<16 { // as a zip file's names are
			archives["zip:"] = writeFile(t, "pets.zip", zipOf(t, files))
		}
		for kind, archive := range archives {
			quickly(kind, func() error {
				_, _, err := Open(t.Context(), kind+archive, Options{Cache: t.TempDir()})
				return err
			}, want)
		}
	}
	quickly("many folders", func() error {
		tree := newArchiveTree()
		for i := range maxMembers { // 99 new folders each
			if err := tree.add(fmt.Sprint("f", i, strings.Repeat("/0123456789012345678901234567890123456789", 99)), ""); err != nil {
				return err
			}
		}
		return nil
	}, "the names in it take more than 256 MiB: use a part of them")
	quickly("links along long ways", func() error {
		tree := newArchiveTree()
		deep := strings.Repeat("0123456789012345678901234567890123456789/", 99) + "x"
		if err := tree.add(deep, ""); err != nil {
			return err
		}
		for i := range 10000 {
			if err := tree.addLink(fmt.Sprint("l", i), deep); err != nil {
				return err
			}
		}
		_, _, err := tree.visible()
		return err
	}, "its links lead through too many folders: unpack it and write folder:PATH")
}

// An archive of more members than a set may have ends in an error, not in swapping. Folders
// that lie in no member's name of their own count.
func TestTooManyMembers(t *testing.T) {
	tree := newArchiveTree()
	tree.maxMembers = 4
	if err := cmp.Or(tree.add("a/b/1", ""), tree.add("a/b/2", "")); err != nil {
		t.Fatal(err)
	}
	says(t, tree.add("c", ""), "it has more than 4 files and folders: use a part of them")
	says(t, boundMembers(maxMembers+1, maxMembers), "it has more than 2097152 files and folders")
}

func FuzzArchiveLinks(f *testing.F) {
	f.Add("a/b", "c", "d", "a", "x", "../d/b")
	f.Add("a/b", "a", "d", "../..", "a/c", ".")
	f.Fuzz(func(t *testing.T, file, link, hard, linkTarget, hardTarget, third string) {
		tree := newArchiveTree()
		for i, name := range []string{file, link, hard, third} {
			clean, err := cleanName(name)
			if err != nil {
				return
			}
			switch i {
			case 0, 3:
				err = tree.add(clean, "")
			case 1:
				err = tree.addLink(clean, linkTarget)
			case 2:
				err = tree.addHardLink(clean, hardTarget)
			}
			if err != nil {
				return
			}
		}
		members, others, err := tree.visible()
		if err != nil {
			return
		}
		for real := range others {
			if kind, ok := tree.kinds[real]; !ok || kind == kindLink || kind == kindFolder {
				t.Errorf("links lead to %q, which is no file (%v)", real, members)
			}
		}
	})
}
