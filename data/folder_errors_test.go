package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image/color"
	"slices"
	"strings"
	"testing"

	"ngebm/data/progress"
)

// withSize rewrites the size in a PNG's header, which comes right after the
// signature: length, "IHDR", width, height, 5 bytes, CRC.
func withSize(file []byte, width, height uint32) []byte {
	file = slices.Clone(file)
	binary.BigEndian.PutUint32(file[16:], width)
	binary.BigEndian.PutUint32(file[20:], height)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	return file
}

func TestImagesRefuses(t *testing.T) {
	pixel := pngOf(t, grey(1, 1, 0))
	photo := jpegOf(t, plain(8, 8, color.White))
	for _, c := range []struct {
		name string
		more []archived // beside petFiles; replaces those of the same name
		want []string
	}{
		{"odd size", []archived{{"train/cat/odd.png", pngOf(t, grey(7, 3, 0))}},
			[]string{"train/cat/odd.png is 3x7 but 5 of the 6 images are 3x4 (height x width): add @SIZE to the name, as in @3x4, to scale all to one size"}},
		{"not an image", []archived{{"test/dog/1.png", []byte("sorry")}},
			[]string{"test/dog/1.png does not decode", "replace or remove it"}},
		{"empty file", []archived{{"test/dog/1.png", nil}}, []string{"test/dog/1.png does not decode: the file is empty"}},
		{"cut JPEG", []archived{{"train/dog/b.jpg", photo[:len(photo)-30]}}, []string{"train/dog/b.jpg does not decode"}},
		{"cut PNG", []archived{{"train/dog/b.png", pixel[:len(pixel)-30]}}, []string{"train/dog/b.png does not decode"}},
		{"class without test images", []archived{{"train/bird/1.png", pixel}},
			[]string{"the class folders of train and test differ: test lacks bird: both need images of every class"}},
		{"classes differ both ways", []archived{{"train/bird/1.png", pixel}, {"test/fish/1.png", pixel}},
			[]string{"test lacks bird; train lacks fish"}},
		{"other format", []archived{{"train/cat/c.webp", []byte("RIFF")}},
			[]string{"train/cat/c.webp does not decode: it is not one of JPEG, PNG, GIF, BMP, TIFF, WebP and PBM, PGM, PPM, PAM: replace or remove it"}},
		{"too shallow", []archived{{"train/c.png", pixel}}, []string{"train/c.png is misplaced: want train/<class>/"}},
		{"absurd size", []archived{{"train/cat/c.png", withSize(pixel, 1<<20, 1<<20)}},
			[]string{"train/cat/c.png is 1048576x1048576, but images must have 1 to 4194304 pixels: add @SIZE (height x width) to the name, or scale it down"}},
		{"large size", []archived{{"train/cat/c.png", withSize(pixel, 4096, 2048)}}, []string{"train/cat/c.png is 2048x4096"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var files []archived
			for _, f := range append(petFiles(t), c.more...) {
				files = slices.DeleteFunc(files, func(g archived) bool { return g.name == f.name })
				files = append(files, f)
			}
			for _, name := range []string{"folder:" + writeFolder(t, files), "tar:" + writeFile(t, "pets.tar.gz", gzipOf(t, tarOf(t, files)))} {
				_, path, _ := strings.Cut(name, ":")
				_, _, err := Open(context.Background(), name, Options{Cache: t.TempDir()})
				says(t, err, append(c.want, "data: "+path+": ")...)
			}
		})
	}
}

func TestFolderRefuses(t *testing.T) {
	pets := petFiles(t)
	for name, c := range map[string]struct {
		files []archived
		want  string
	}{
		"no test folder":  {pets[:3], "it has no test folder: want train/<class>/<image> and test/<class>/<image>"},
		"no train folder": {pets[3:], "it has no train folder"},
		"too deep":        {append(pets, archived{"train/cat/old/x.png", nil}), "train/cat/old/x.png is misplaced: want train/<class>/"},
		"no test images":  {append(pets[:3:3], archived{"test/cat/x.txt", nil}), "it has no images in test: want train/<class>/"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Open(t.Context(), "folder:"+writeFolder(t, c.files), Options{Cache: t.TempDir()})
			says(t, err, c.want)
		})
	}
}

func TestTarRefuses(t *testing.T) {
	pets := petFiles(t)
	whole := tarOf(t, pets)
	zipped := gzipOf(t, whole)
	for name, c := range map[string]struct {
		archive []byte
		want    string
	}{
		"empty":           {nil, "the archive is truncated: its end mark is missing"},
		"no images":       {tarOf(t, nil), "it has no images: want train/<class>/<image> and test/<class>/<image>, or <class>/<image>, or images alone"},
		"no test images":  {tarOf(t, pets[:3]), "it has no images in test"},
		"not an archive":  {bytes.Repeat([]byte("sorry"), 500), "not a whole .tar or .tar.gz"},
		"zip":             {bytes.Repeat([]byte("PK\x03\x04"), 500), "not a whole .tar or .tar.gz but a zip file: write zip:PATH"},
		"cut in an image": {whole[:530], "not a whole .tar or .tar.gz: unexpected EOF"},
		"cut gzip":        {zipped[:len(zipped)/2], "unexpected EOF"},
		"damaged gzip":    {append([]byte("\x1f\x8b"), whole...), "not a whole gzip file"},
		"leads out":       {tarOf(t, append(pets, archived{"../train/cat/x.png", nil})), `the name "../train/cat/x.png" leads out of the folder`},
		"absolute":        {tarOf(t, append(pets, archived{"/train/cat/x.png", nil})), `the name "/train/cat/x.png" leads out`},
		"twice":           {tarOf(t, append(pets, pets[0])), "train/dog/a.png is listed twice: keep one"},
		"two image sets":  {tarOf(t, append(pets, archived{"other/train/cat/a.png", pets[0].content})), `it has two image folders, "other/" and "": keep one`},
		"too deep in it":  {tarOf(t, append(pets, archived{"train/cat/old/x.png", nil})), "train/cat/old/x.png is misplaced"},
		"image too large": {tarOf(t, append(pets, archived{"train/cat/x.png", make([]byte, maxImageFile+1)})), "train/cat/x.png cannot be read: it has more than 64 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Open(t.Context(), "tar:"+writeFile(t, "pets.tar", c.archive), Options{Cache: t.TempDir()})
			says(t, err, c.want)
		})
	}
}

// A cut goes unnoticed nowhere, not between two images either.
func TestTarCut(t *testing.T) {
	whole := tarOf(t, petFiles(t))
	zipped := gzipOf(t, whole)
	end := len(whole) - 1024 // where the end mark begins
	add := func(archive []byte) error {
		_, _, err := readImages(t.Context(), &tarBytes{content: archive})
		return err
	}
	for n := 0; n <= end; n += 64 {
		if add(whole[:n]) == nil {
			t.Errorf("an archive cut at byte %d of %d was accepted", n, len(whole))
		}
	}
	for n := range zipped {
		if add(zipped[:n]) == nil {
			t.Errorf("a compressed archive cut at byte %d of %d was accepted", n, len(zipped))
		}
	}
	says(t, add(whole[:end]), "the archive is truncated: its end mark is missing")
}

// An interrupted decode is an error, never a smaller set.
func TestImagesCancelled(t *testing.T) {
	for _, name := range []string{"folder:" + writeFolder(t, petFiles(t)), "tar:" + writeFile(t, "pets.tar", tarOf(t, petFiles(t)))} {
		ctx, cancel := context.WithCancel(t.Context())
		cache := t.TempDir()
		_, _, err := Open(ctx, name, Options{Cache: cache, Progress: stopper(cancel)})
		says(t, err, "data: stopped while "+name+" was read: context canceled")
		if left := folderNames(t, cache); len(left) != 0 {
			t.Errorf("%s left %v in the cache", name, left)
		}
	}
}

type stopper func()

func (s stopper) Report(progress.Report) { s() }
