package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What a set leaves out is told in one line, by what it is, from a folder and from archives,
// and again when the set comes from the cache.
func TestLeftOutIsReported(t *testing.T) {
	files := append(petFiles(t),
		archived{"train/cat/IMG_1", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00")},
		archived{"train/cat/IMG_2.HEIC", []byte("\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00")},
		archived{"train/cat/a.avif", []byte("\x00\x00\x00\x18ftypavif\x00\x00\x00\x00")},
		archived{"train/cat/a.jp2", []byte("\x00\x00\x00\x0cjP  \r\n\x87\n")},
		archived{"train/dog/a.dcm", append(make([]byte, 128), "DICM"...)},
		archived{"train/dog/notes.txt", []byte("BMW is a car")},
		archived{"train/dog/labels.txt", []byte("P1 to P6")},
		archived{"train/dog/label", []byte("P1 to P6")},
		archived{"train/dog/none", nil},
		archived{"train/dog/a.png.bak", pngOf(t, grey(4, 3, 0))},
		archived{"train/dog/a.nef", otherKinds(t, grey(4, 3, 0))[2]},
		archived{"train/cat/Thumbs.db", []byte("x")}, archived{"train/cat/.hidden", []byte("x")},
		archived{"val/cat/1.png", nil}, archived{"val/dog/1.png", nil}, archived{"README", []byte("pets")},
		archived{"train/bird/1.heic", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00")},
	)
	want := "left out: 3 HEIC images, 2 .txt files, 2 files without an ending, 1 AVIF image, 1 DICOM image, 1 JPEG 2000 image, 1 empty file, 1 image with the ending .bak, 1 image with the ending .nef, 1 folder (val), 1 class folder without images (train/bird)"
	for kind, name := range map[string]string{
		"pets":     "folder:" + writeFolder(t, files),
		"pets.tar": "tar:" + writeFile(t, "pets.tar", tarOf(t, files)),
		"pets.zip": "zip:" + writeFile(t, "pets.zip", zipOf(t, files)),
	} {
		opts := Options{Cache: t.TempDir()}
		for _, how := range []string{"decoded", "from the cache"} {
			told := &reports{}
			opts.Progress = told
			train, test := open(t, name, opts)
			if train.Len() != 3 || test.Len() != 2 {
				t.Errorf("%s: got %v and %v", kind, train, test)
			}
			if !told.said(kind + ": " + want) {
				t.Errorf("%s, %s: it said %v", kind, how, told.all)
			}
		}
	}
}

// The cache does not hide what is new: folders that are left out are said, and no longer once they are gone.
func TestLeftOutIsOfNow(t *testing.T) {
	root := writeFolder(t, petFiles(t))
	opts := Options{Cache: t.TempDir()}
	for _, c := range []struct{ folder, want string }{
		{"", ""}, {"val/cat", "1 folder (val)"}, {"train/bird", "1 folder (val), 1 class folder without images (train/bird)"},
	} {
		if err := os.MkdirAll(filepath.Join(root, c.folder), 0o755); err != nil {
			t.Fatal(err)
		}
		told := &reports{}
		opts.Progress = told
		open(t, "folder:"+root, opts)
		if c.want != "" && !told.said("pets: left out: "+c.want) {
			t.Errorf("with %s it said %v", c.folder, told.all)
		}
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(root, "val")), os.Remove(filepath.Join(root, "train/bird"))); err != nil {
		t.Fatal(err)
	}
	told := &reports{}
	opts.Progress = told
	open(t, "folder:"+root, opts)
	if told.said("pets: left out: 1 folder (val), 1 class folder without images (train/bird)") {
		t.Error("it says what is gone")
	}
}

// Without an ending the content decides whether a file is an image of the set; a wrong
// ending of an image does not matter.
func TestContentDecides(t *testing.T) {
	files := []archived{
		{"a/1", pngOf(t, grey(2, 2, 10))}, {"a/2", []byte("P2 2 2 255 20 20 20 20")}, {"b/3.jpg", pngOf(t, grey(2, 2, 30))},
		{"b/4.png", otherKinds(t, grey(2, 2, 40))[1]}, {"b/5.tiff", []byte("P5 2 2 255\n2222")},
	}
	train, test := open(t, "folder:"+writeFolder(t, files), Options{Cache: t.TempDir()})
	var grays []uint8
	for _, d := range []*Dataset{train, test} {
		for i := range d.Len() {
			grays = append(grays, d.pixels(i)[0])
		}
	}
	if slices.Sort(grays); !slices.Equal(grays, []uint8{10, 20, 30, 40, '2'}) {
		t.Errorf("grays are %v", grays)
	}
	files = append(files, archived{"b/6.jpg", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00")})
	_, _, err := Open(t.Context(), "folder:"+writeFolder(t, files), Options{Cache: t.TempDir()})
	says(t, err, "b/6.jpg does not decode: it is not one of JPEG, PNG", " and PBM, PGM, PPM, PAM (HEIC image): replace or remove it")
}

// All damaged images are told, with their count, in the order of the set, whichever of
// them a processor comes to first.
func TestAllDamagedAreReported(t *testing.T) {
	files := petFiles(t)
	for i := range 40 {
		files = append(files, archived{fmt.Sprintf("train/cat/x%02d.png", i), []byte("sorry")})
	}
	files = append(files, archived{"train/ant/1.png", nil}, archived{"test/ant/1.png", withSize(pngOf(t, grey(1, 1, 0)), 5000, 5000)})
	want := "42 of the 47 images cannot be used: test/ant/1.png is 5000x5000, but images must have 1 to 4194304 pixels; " +
		"train/ant/1.png does not decode: the file is empty; train/cat/x00.png does not decode: it is not one of " + supportedFormats +
		"; train/cat/x01.png does not decode: it is not one of " + supportedFormats + "; train/cat/x02.png does not decode: it is not one of " + supportedFormats +
		"; and 37 more: add @SIZE (height x width) to the name, or scale it down; or replace or remove it"
	names := []string{
		"folder:" + writeFolder(t, files), "tar:" + writeFile(t, "pets.tar", tarOf(t, files)), "zip:" + writeFile(t, "pets.zip", zipOf(t, files)),
	}
	for range 5 {
		for _, name := range names {
			_, _, err := Open(t.Context(), name, Options{Cache: t.TempDir()})
			says(t, err, want)
		}
	}
	// One that cannot be read at all is one of them.
	root := writeFolder(t, petFiles(t))
	if err := os.Truncate(filepath.Join(root, "train/cat/a.png"), maxImageFile+1); err != nil {
		t.Fatal(err)
	}
	_, _, err := Open(t.Context(), "folder:"+root, Options{Cache: t.TempDir()})
	says(t, err, "train/cat/a.png cannot be read: it has more than 64 MiB: replace or remove it")
}

// A folder called train or test is a class where it holds images itself.
func TestClassCalledTrain(t *testing.T) {
	both := func(t *testing.T, files []archived, classes ...string) {
		t.Helper()
		for _, name := range []string{"folder:" + writeFolder(t, files), "tar:" + writeFile(t, "pets.tar", tarOf(t, files))} {
			train, test := open(t, name, Options{Cache: t.TempDir()})
			if !slices.Equal(train.Classes, classes) || train.Len()+test.Len() != len(files) {
				t.Errorf("%s: got %v and %v of %v, want %d of %v", name, train, test, train.Classes, len(files), classes)
			}
		}
	}
	in := func(folders ...string) (files []archived) {
		for i, f := range folders {
			files = append(files, numbered(t, f, 3, 10*i)...)
		}
		return files
	}
	both(t, in("bus/", "train/"), "bus", "train")
	both(t, in("bus/", "test/", "train/"), "bus", "test", "train")
	both(t, in("vehicles/bus/", "vehicles/train/"), "bus", "train")
	both(t, in("train/bus/", "train/train/", "test/bus/", "test/train/"), "bus", "train")
	both(t, in("set/train/test/", "set/train/bus/", "set/test/test/", "set/test/bus/"), "bus", "test")
	both(t, in("train/train/cat/", "train/test/cat/"), "cat")
	_, _, err := Open(t.Context(), "folder:"+writeFolder(t, in("train/", "test/")), Options{Cache: t.TempDir()})
	says(t, err, "is misplaced: want train/<class>/<image> and test/<class>/<image>")
}

// Names in both Unicode forms are the same class and the same split; where both forms are
// in one folder a person has to decide.
func TestUnicodeForms(t *testing.T) {
	composed, decomposed := "caf\u00e9", "cafe\u0301"
	in := func(train, test string) []archived {
		files := append(numbered(t, "train/"+train+"/", 3, 10), numbered(t, "train/zoo/", 2, 50)...)
		return append(files, append(numbered(t, "test/"+test+"/", 2, 100), numbered(t, "test/zoo/", 2, 150)...)...)
	}
	whole := func(class string) []archived {
		return append(numbered(t, class+"/"+class, 10, 10), numbered(t, "zoo/", 10, 100)...)
	}
	for _, forms := range [][][]archived{
		{in(composed, composed), in(decomposed, decomposed), in(composed, decomposed), in(decomposed, composed)},
		{whole(composed), whole(decomposed)},
	} {
		var sums []string
		for _, files := range forms {
			for _, name := range []string{"folder:" + writeFolder(t, files), "tar:" + writeFile(t, "pets.tar", tarOf(t, files)), "zip:" + writeFile(t, "pets.zip", zipOf(t, files))} {
				train, test := open(t, name, Options{Cache: t.TempDir()})
				if !slices.Equal(train.Classes, []string{composed, "zoo"}) {
					t.Errorf("classes are %+q", train.Classes)
				}
				sums = append(sums, train.Checksum+test.Checksum)
			}
		}
		if slices.Sort(sums); sums[0] != sums[len(sums)-1] {
			t.Errorf("the sets differ: %v", sums)
		}
	}
	twice := append(in(composed, composed), numbered(t, "train/"+decomposed+"/", 1, 200)...)
	_, _, err := Open(t.Context(), "tar:"+writeFile(t, "pets.tar", tarOf(t, twice)), Options{Cache: t.TempDir()})
	says(t, err, `the folders "train/cafe\u0301" and "train/caf\u00e9" have the same name in two Unicode forms (NFC and NFD): make them one`)
	img := pngOf(t, grey(2, 2, 0))
	_, _, err = Open(t.Context(), "tar:"+writeFile(t, "pets.tar", tarOf(t, []archived{{"a/" + composed + ".png", img}, {"a/" + decomposed + ".png", img}})), Options{Cache: t.TempDir()})
	says(t, err, `the files "a/cafe\u0301.png" and "a/caf\u00e9.png" have the same name in two Unicode forms (NFC and NFD): rename one`)
	for _, class := range []string{"a\x1b[2J", "a\nb", "a\u202eb", "a\u2028b"} {
		files := append(numbered(t, class+"/", 3, 0), numbered(t, "b/", 3, 10)...)
		_, _, err := Open(t.Context(), "tar:"+writeFile(t, "pets.tar", tarOf(t, files)), Options{Cache: t.TempDir()})
		says(t, err, fmt.Sprintf("the class folder %q has unprintable characters in its name: rename it", class))
	}
}

// Names of kinds that fill a line are cut.
func TestLeftOutIsShort(t *testing.T) {
	files := petFiles(t)
	for i := range 100 {
		files = append(files, archived{fmt.Sprintf("train/cat/x.%c%c", 'a'+i/10, 'a'+i%10), []byte("x")}, archived{fmt.Sprintf("other%02d/x.txt", i), nil})
	}
	told := &reports{}
	open(t, "tar:"+writeFile(t, "pets.tar", tarOf(t, files)), Options{Cache: t.TempDir(), Progress: told})
	line := ""
	for _, r := range told.all {
		if r.Unit == "" {
			line = r.Task
		}
	}
	if !strings.Contains(line, ", 90 files of other kinds, 100 folders (other00, other01, other02, other03, other04, and 95 more)") {
		t.Errorf("it said %s", line)
	}
}
