package data

import (
	"fmt"
	"image/color"
	"slices"
	"strings"
	"testing"
)

// numbered are n image files in a folder, each of a grey of its own.
func numbered(t testing.TB, folder string, n, first int) (files []archived) {
	for i := range n {
		files = append(files, archived{fmt.Sprintf("%s%02d.png", folder, i), pngOf(t, grey(2, 2, uint8(first+i)))})
	}
	return files
}

// Images that come in one piece are split by their names: the same wherever they
// lie, a fifth of every class to test.
func TestWholeLayouts(t *testing.T) {
	classes := append(numbered(t, "cat/", 10, 0), numbered(t, "dog/", 13, 100)...)
	inTop := numbered(t, "pets/cat/", 10, 0)
	inTop = append(inTop, numbered(t, "pets/dog/", 13, 100)...)
	var sums []string
	for _, name := range []string{
		"folder:" + writeFolder(t, classes),
		"folder:" + writeFolder(t, inTop),
		"tar:" + writeFile(t, "pets.tar.gz", gzipOf(t, tarOf(t, inTop))),
		"zip:" + writeFile(t, "pets.zip", zipOf(t, append(classes, archived{"cat/notes.txt", []byte("x")}))),
	} {
		train, test := open(t, name, Options{Cache: t.TempDir()})
		if !slices.Equal(classCounts(train), []int{8, 10}) || !slices.Equal(classCounts(test), []int{2, 3}) || !slices.Equal(train.Classes, []string{"cat", "dog"}) {
			t.Errorf("%s: %v of classes %v, and %v", name, classCounts(train), train.Classes, classCounts(test))
		}
		if want := "a user's images; split by file name, a fifth of every class to test"; train.Source != want || test.Split != "test" {
			t.Errorf("%s comes from %q", name, train.Source)
		}
		for i, label := range test.Labels {
			if grey := test.Pixels[i*test.Size()]; (grey >= 100) != (label == 1) {
				t.Errorf("%s: grey %d is of class %d", name, grey, label)
			}
		}
		sums = append(sums, train.Checksum+test.Checksum)
	}
	if slices.Sort(sums); sums[0] != sums[len(sums)-1] {
		t.Errorf("the sets differ: %v", sums)
	}
	// Images alone are of one class.
	for _, name := range []string{
		"folder:" + writeFolder(t, numbered(t, "", 11, 0)),
		"zip:" + writeFile(t, "photos.zip", zipOf(t, numbered(t, "", 11, 0))),
	} {
		train, test := open(t, name, Options{Cache: t.TempDir()})
		if train.Len() != 9 || test.Len() != 2 || !slices.Equal(train.Classes, []string{"image"}) {
			t.Errorf("%s: got %v and %v of classes %v", name, train, test, train.Classes)
		}
	}
}

// A file more moves no other to the other side, but for the one whose place it
// takes.
func TestHashSplitIsStable(t *testing.T) {
	names := make([]string, 100)
	classes := slices.Repeat([]string{"a"}, 100)
	for i := range names {
		names[i] = fmt.Sprint(i, ".jpg")
	}
	before, err := hashSplit(classes, names)
	if err != nil {
		t.Fatal(err)
	}
	after, err := hashSplit(append(classes, "a"), append(names, "new.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	moved, tests := 0, 0
	for i := range before {
		if before[i] {
			tests++
		}
		if before[i] != after[i] {
			moved++
		}
	}
	if moved > 1 || tests != 20 {
		t.Errorf("%d of %d moved, %d are to test with", moved, len(before), tests)
	}
	for n, want := range map[int]int{2: 1, 7: 1, 8: 2, 10: 2, 12: 2, 13: 3} {
		test, err := hashSplit(classes[:n], names[:n])
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, is := range test {
			if is {
				got++
			}
		}
		if got != want {
			t.Errorf("%d of %d are to test with, want %d", got, n, want)
		}
	}
}

func TestArrangeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		files string
		want  string
	}{
		"nothing":                 {"notes.txt", "it has no images (it has 1 .txt file): want train/<class>/<image> and test/<class>/<image>, or <class>/<image>, or images alone"},
		"alone and in classes":    {"a.png cat/b.png", "a.png and cat/b.png have different depths: want "},
		"classes and below":       {"cat/a.png cat/old/b.png", "cat/a.png and cat/old/b.png have different depths"},
		"two top folders":         {"pets/cat/a.png wild/cat/b.png", `it has two image folders, "pets" and "wild": keep one`},
		"too deep":                {"a/b/c/d.png", "a/b/c/d.png is misplaced: want "},
		"one of a class":          {"cat/a.png cat/b.png dog/c.png", "class dog has one example: it needs two, one for training and one for testing"},
		"one alone":               {"a.png", "class image has one example"},
		"twice":                   {"cat/a.png cat/b.png cat/a.png", "cat/a.png is listed twice: keep one"},
		"no test":                 {"train/cat/a.png", "it has no images in test: want train/<class>/<image> and test/<class>/<image>"},
		"no train, in a folder":   {"pets/test/cat/a.png", "it has no images in pets/train: "},
		"split without classes":   {"train/a.png test/b.png", "train/a.png is misplaced: want train/<class>/<image> and test/<class>/<image>"},
		"two split sets":          {"a/train/cat/a.png a/test/cat/a.png b/train/cat/a.png", `it has two image folders, "a/" and "b/": keep one`},
		"split at the top and in": {"train/cat/a.png test/cat/a.png b/train/cat/a.png", `it has two image folders, "" and "b/": keep one`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := arrange(membersOf(c.files))
			says(t, err, c.want)
		})
	}
}

// membersOf are files with the given names, of the kinds that their names tell.
func membersOf(names string) (members []member) {
	for _, name := range strings.Fields(names) {
		kind, _ := kindOf(name, func() ([]byte, error) { return []byte("text"), nil })
		members = append(members, member{name, kind})
	}
	return members
}

// What is neither training nor test image is no part of a set that is split, and is told.
func TestArrangeLeavesOut(t *testing.T) {
	a, err := arrange(membersOf("train/cat/a.png test/cat/a.JPEG val/cat/a.png cover.png train/README.md train/cat/x.txt train/cat/y.txt train/dog/z"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []imageEntry{{"test/cat/a.JPEG", "test/cat/a.JPEG", "test", "cat"}, {"train/cat/a.png", "train/cat/a.png", "train", "cat"}}; !slices.Equal(a.entries, want) || a.note != "" {
		t.Errorf("got %v, want %v", a.entries, want)
	}
	want := "2 .txt files, 1 .md file, 1 file without an ending, 1 image outside of train and test, 1 folder (val), 1 class folder without images (train/dog)"
	if got := a.left.String(); got != want {
		t.Errorf("left out are %s; want %s", got, want)
	}
}

// A folder that is too deep to be looked through is an error, not a wait.
func TestFolderTooDeep(t *testing.T) {
	root := writeFolder(t, []archived{{"a/b/c/d/e.png", pngOf(t, plain(1, 1, color.White))}})
	_, _, err := Open(t.Context(), "folder:"+root, Options{Cache: t.TempDir()})
	says(t, err, "a/b/c/d is a folder in a class folder: want ")
}
