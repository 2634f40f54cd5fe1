package data

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ngebm/data/fetch"
	"ngebm/data/progress"
)

// faces are n files as in CelebA: 178x218, numbered from 1, each of a grey of its
// own, with something else above and below the middle.
func faces(t testing.TB, folder string, n int) (files []archived) {
	for i := range n {
		img := image.NewGray(image.Rect(0, 0, 178, 218))
		for p := range img.Pix {
			if row := p / img.Stride; row >= 20 && row < 198 {
				img.Pix[p] = uint8(10 * (i + 1))
			}
		}
		files = append(files, archived{fmt.Sprintf("%s%06d.jpg", folder, i+1), jpegOf(t, img)})
	}
	return files
}

// faceSplits has lines of 14 bytes, as the authors' 2,836,386 bytes for 202,599
// images have.
const faceSplits = "000001.jpg 0\r\n000002.jpg 1\r\n000003.jpg 2\r\n000004.jpg 0\r\n000005.jpg 2\r\n"

func TestCelebA(t *testing.T) {
	partition := archived{"list_eval_partition.txt", []byte(faceSplits)}
	inside := append(faces(t, "img_align_celeba/", 5), partition)
	below := []archived{{"Eval/list_eval_partition.txt", partition.content}, {"README.txt", nil}}
	for _, f := range faces(t, "Img/img_align_celeba/", 5) {
		below = append(below, f)
	}
	cache := t.TempDir()
	set := celebaPublished()
	for i, content := range [][]byte{zipOf(t, inside[:5]), partition.content} {
		f := &set.Files[i]
		f.Size, f.SHA256 = int64(len(content)), fmt.Sprintf("%x", sha256.Sum256(content))
		if err := os.WriteFile(f.Path(cache), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	opts := Options{Cache: cache, published: []source{{"celeba", "[PATH]", "", set.openCelebA}}}
	for _, name := range []string{
		"celeba",
		"celeba:" + filepath.Join(cache, "img_align_celeba.zip"),
		"celeba:" + writeFile(t, "faces.zip", zipOf(t, inside)),
		"celeba:" + writeFolder(t, inside),
		"celeba:" + writeFolder(t, below),
		"celeba:" + writeFolder(t, append(faces(t, "", 5), partition)), // is img_align_celeba itself
	} {
		train, test := open(t, name, opts)
		if !slices.Equal(train.Shape, []int{32, 32, 1}) || train.Len() != 2 || test.Len() != 2 || !slices.Equal(train.Classes, []string{"face"}) {
			t.Errorf("%s: got %v and %v", name, train, test)
			continue
		}
		for i, want := range []uint8{10, 40} {
			for _, p := range train.Pixels[i*1024 : (i+1)*1024] {
				if p != want {
					t.Errorf("%s: image %d has a pixel of %d, want %d", name, i, p, want)
					break
				}
			}
		}
		if train.Name != "CelebA (not the whole set), scaled to 32x32" || !train.Lossy || !strings.Contains(train.License, "non-commercial research") ||
			!strings.HasSuffix(train.Source, "; without those for validation; the middle of each scaled to 32x32") {
			t.Errorf("%s: %+v", name, train.Info)
		}
	}
	if train, _ := open(t, "celeba@16x16x3", opts); !slices.Equal(train.Shape, []int{16, 16, 3}) {
		t.Errorf("got %v", train)
	}
	for _, f := range set.Files {
		if got := f.State(cache); got != fetch.Present {
			t.Errorf("%s: the state is %q", f.Name, got)
		}
	}
	// Without the authors' split it is one by name.
	train, test := open(t, "celeba:"+writeFolder(t, faces(t, "img_align_celeba/", 5)), Options{Cache: t.TempDir()})
	if train.Len() != 4 || test.Len() != 1 || !strings.Contains(train.Source, "; split by file name, a fifth to test") {
		t.Errorf("got %v and %v from %q", train, test, train.Source)
	}
}

// In the cache folder only the published files pass; the whole set has its name.
func TestCelebAVerified(t *testing.T) {
	cache := t.TempDir()
	set := celebaPublished()
	for i := range set.Files {
		set.Files[i].Size = 5
		if err := os.WriteFile(set.Files[i].Path(cache), []byte("other"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := set.openCelebA(t.Context(), "", Options{Cache: cache, Progress: progress.Discard{}})
	says(t, err, "data: celeba: fetch: ", "img_align_celeba.zip has SHA-256 ", "get it from "+celebaHome, "write celeba:PATH")
	for facts, want := range map[imageFacts]string{
		{train: 162770, test: 19962}: "CelebA", {train: 162079, test: 40520}: "CelebA", {train: 1000, test: 100}: "CelebA (not the whole set)",
	} {
		var d Dataset
		if aboutCelebA(facts, &d); d.Name != want {
			t.Errorf("%+v: %q, want %q", facts, d.Name, want)
		}
	}
}

// Another split is another set, though the images are the same.
func TestCelebACached(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("faces.zip", zipOf(t, faces(t, "img_align_celeba/", 5)))
	write(celebaPartition, []byte(faceSplits))
	opts := Options{Cache: t.TempDir()}
	if train, _ := open(t, "celeba:"+filepath.Join(folder, "faces.zip"), opts); train.Len() != 2 {
		t.Errorf("got %v", train)
	}
	write(celebaPartition, []byte(strings.Replace(faceSplits, " 1", " 0", 1)))
	if train, _ := open(t, "celeba:"+filepath.Join(folder, "faces.zip"), opts); train.Len() != 3 {
		t.Errorf("got %v", train)
	}
	// The split may be a link, to a file next to it.
	partition := filepath.Join(folder, celebaPartition)
	if err := errors.Join(os.Rename(partition, partition+".moved"), os.Symlink(celebaPartition+".moved", partition)); err != nil {
		t.Fatal(err)
	}
	if train, _ := open(t, "celeba:"+filepath.Join(folder, "faces.zip"), Options{Cache: t.TempDir()}); train.Len() != 3 {
		t.Errorf("got %v", train)
	}
	if err := os.Remove(partition + ".moved"); err != nil {
		t.Fatal(err)
	}
	_, _, err := Open(t.Context(), "celeba:"+filepath.Join(folder, "faces.zip"), opts)
	says(t, err, celebaPartition, "no such file")
	for _, target := range []string{writeFile(t, "private.txt", []byte(faceSplits)), "../private.txt"} {
		if err := errors.Join(os.Remove(partition), os.Symlink(target, partition)); err != nil {
			t.Fatal(err)
		}
		_, _, err := Open(t.Context(), "celeba:"+filepath.Join(folder, "faces.zip"), opts)
		says(t, err, celebaPartition, "leads to", "path escapes from parent: copy the target into "+folder)
	}
}

func TestCelebARefuses(t *testing.T) {
	cache := t.TempDir()
	_, _, err := Open(t.Context(), "celeba", Options{Cache: cache})
	says(t, err, "CelebA is not at "+filepath.Join(cache, "img_align_celeba.zip"), "manual download", celebaHome, "or write celeba:PATH")
	_, _, err = Open(t.Context(), "celeba:nowhere", Options{Cache: cache})
	says(t, err, "no img_align_celeba at ", "check the path")
	images := slices.Clip(faces(t, "img_align_celeba/", 5))
	for name, c := range map[string]struct {
		files []archived
		want  string
	}{
		"no images":         {[]archived{{"img_align_celeba/1.png", nil}, {"faces/1.jpg", nil}}, "it has no img_align_celeba/*.jpg"},
		"image too many":    {append(images, archived{"img_align_celeba/000006.jpg", nil}), "img_align_celeba/000006.jpg is not in list_eval_partition.txt"},
		"images too few":    {images[:3], "it lacks 2 images that are in list_eval_partition.txt: 000004.jpg, 000005.jpg"},
		"in two folders":    {append(images, archived{"more/img_align_celeba/000001.jpg", nil}), "it has both img_align_celeba/000001.jpg and more/img_align_celeba/000001.jpg: keep one"},
		"a face is no JPEG": {append(images[1:5:5], archived{"img_align_celeba/000001.jpg", []byte("sorry")}), "img_align_celeba/000001.jpg does not decode"},
	} {
		t.Run(name, func(t *testing.T) {
			files := append(slices.Clone(c.files), archived{celebaPartition, []byte(faceSplits)})
			_, _, err := Open(t.Context(), "celeba:"+writeFile(t, "faces.zip", zipOf(t, files)), Options{Cache: t.TempDir()})
			says(t, err, c.want)
		})
	}
}

// A partition that is damaged is none, even if its lines can be read.
func TestCelebADamagedPartition(t *testing.T) {
	packed := zipOf(t, append(faces(t, "img_align_celeba/", 5), archived{celebaPartition, []byte(faceSplits)}))
	// Its record in the directory is the last: the CRC-32 is at byte 16, and the name at 46.
	at := bytes.LastIndex(packed, []byte(celebaPartition)) - 46
	if !bytes.HasPrefix(packed[at:], []byte("PK\x01\x02")) {
		t.Fatalf("%q is no record", packed[at:at+4])
	}
	packed[at+16] ^= 1
	_, _, err := Open(t.Context(), "celeba:"+writeFile(t, "faces.zip", packed), Options{Cache: t.TempDir()})
	says(t, err, celebaPartition+" cannot be read", "checksum error")
}

func TestPartitionRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "it has no train file: it may be truncated",
		"000001.jpg 0\n000002.jpg 1\n": "it has no test file: it may be truncated",
		"000001.jpg 0\n000002.jp":      `line 2 is "000002.jp": want a file name and 0, 1 or 2`,
		"000001.jpg 0\n\n":             `line 2 is "\n"`,
		"<html> <body> no":             `line 1 is "<html> <body> no"`,
		"000001.jpg 3\n":               `line 1 has the split "3": want 0, 1 or 2`,
		"000001.jpg 0\n000001.jpg 2\n": `line 2 lists "000001.jpg" a second time`,
	} {
		_, err := parsePartition([]byte(text))
		says(t, err, want)
	}
}
