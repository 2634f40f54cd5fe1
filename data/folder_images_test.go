package data

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// plain is an image of one colour.
func plain(width, height int, c color.Color) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, c)
		}
	}
	return img
}

func grey(width, height int, value uint8) image.Image {
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = value
	}
	return img
}

// petFiles are images of 4x3 pixels in two classes, each of its own colour.
func petFiles(t testing.TB) []archived {
	return []archived{
		{"train/dog/a.png", pngOf(t, plain(4, 3, color.NRGBA{30, 31, 32, 255}))},
		{"train/cat/b.PNG", pngOf(t, plain(4, 3, color.NRGBA{20, 21, 22, 255}))},
		{"train/cat/a.png", pngOf(t, plain(4, 3, color.NRGBA{10, 11, 12, 255}))},
		{"test/cat/1.png", pngOf(t, plain(4, 3, color.NRGBA{40, 41, 42, 255}))},
		{"test/dog/1.png", pngOf(t, plain(4, 3, color.NRGBA{50, 51, 52, 255}))},
	}
}

func writeFolder(t testing.TB, files []archived) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "pets")
	for _, f := range files {
		path := filepath.Join(root, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func writeFile(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// The same images give the same set from a folder and from an archive, packed
// or not, in any order, below a top folder or not, with files around that are
// none of it.
func TestImagesFromAnywhere(t *testing.T) {
	files := petFiles(t)
	clutter := []archived{
		{"README.md", []byte("pets")}, {"train/notes.txt", nil}, {"train/cat/Thumbs.db", []byte("x")},
		{"train/cat/._a.png", []byte("x")}, {".git/train/cat/a.png", []byte("x")}, {"test/.DS_Store", nil},
		{"__MACOSX/train/cat/a.png", []byte("x")}, {"extra/decoded.png", []byte("x")},
	}
	below := func(top string, files []archived) (moved []archived) {
		for _, f := range files {
			moved = append(moved, archived{top + f.name, f.content})
		}
		return moved
	}
	reversed := slices.Clone(files)
	slices.Reverse(reversed)
	names := map[string]string{
		"folder":            "folder:" + writeFolder(t, files),
		"cluttered folder":  "folder:" + writeFolder(t, append(clutter, files...)),
		"tar":               "tar:" + writeFile(t, "pets.tar", tarOf(t, files)),
		"tar.gz":            "tar:" + writeFile(t, "pets.tar.gz", gzipOf(t, tarOf(t, files))),
		"tgz":               "tar:" + writeFile(t, "pets.tgz", gzipOf(t, tarOf(t, files))),
		"cluttered tar":     "tar:" + writeFile(t, "pets.tar", tarOf(t, append(clutter, files...))),
		"reversed":          "tar:" + writeFile(t, "pets.tar", tarOf(t, reversed)),
		"below ./":          "tar:" + writeFile(t, "pets.tar", tarOf(t, below("./", files))),
		"below a folder":    "tar:" + writeFile(t, "pets.tar", tarOf(t, below("pets-1.0/", files))),
		"zip":               "zip:" + writeFile(t, "pets.zip", zipOf(t, append(clutter, files...))),
		"zip below ./":      "zip:" + writeFile(t, "pets.zip", zipOf(t, below("./", files))),
		"zip with a folder": "zip:" + writeFile(t, "pets.zip", zipOf(t, append(below("pets/", files), archived{"pets/train/", nil}))),
		"folder in folder":  "folder:" + writeFolder(t, below("pets-1.0/", files)),
		"below ./ a folder": "tar:" + writeFile(t, "pets.tar", tarOf(t, below("./pets/", append(clutter, files...)))),
	}
	for how, name := range names {
		t.Run(how, func(t *testing.T) {
			train, test := open(t, name, Options{Cache: t.TempDir()})
			if !slices.Equal(train.Classes, []string{"cat", "dog"}) || !slices.Equal(train.Shape, []int{3, 4, 3}) || train.Lossy {
				t.Fatalf("got %+v of %v", train.Info, train.Shape)
			}
			if !strings.HasPrefix(train.Name, "pets") || strings.Contains(train.Source, string(filepath.Separator)) {
				t.Errorf("named %q from %q, want the base name and no path", train.Name, train.Source)
			}
			var first []uint8 // pixel of each image
			for _, d := range []*Dataset{train, test} {
				for i := range d.Len() {
					first = append(first, d.Pixels[i*d.Size():i*d.Size()+3]...)
				}
			}
			if want := []uint8{10, 11, 12, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52}; !slices.Equal(first, want) {
				t.Errorf("first pixels %v, want %v", first, want)
			}
			if !slices.Equal(train.Labels, []int32{0, 0, 1}) || !slices.Equal(test.Labels, []int32{0, 1}) {
				t.Errorf("labels %v and %v", train.Labels, test.Labels)
			}
		})
	}
}

// webpOf reads an image that Pillow 13.0 made: Image.new("RGB", (1, 1), (200, 100,
// 50)).save(name, lossless=…).
func webpOf(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// What the kinds of image files become, whatever they are called.
func TestImageKinds(t *testing.T) {
	deep := image.NewGray16(image.Rect(0, 0, 1, 1))
	deep.SetGray16(0, 0, color.Gray16{Y: 0x12ff})
	palette := image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{color.NRGBA{7, 8, 9, 255}})
	for _, c := range []struct {
		name     string
		content  []byte
		channels int
		pixel    []uint8
		lossy    bool
	}{
		{"grey PNG", pngOf(t, grey(1, 1, 77)), 1, []uint8{77}, false},
		{"grey PNG of 16 bits", pngOf(t, deep), 1, []uint8{0x12}, false},
		{"colour PNG", pngOf(t, plain(1, 1, color.NRGBA{1, 2, 3, 255})), 3, []uint8{1, 2, 3}, false},
		{"PNG with transparency", pngOf(t, plain(1, 1, color.NRGBA{100, 110, 120, 128})), 3, []uint8{100, 110, 120}, false},
		{"PNG with a palette", pngOf(t, palette), 3, []uint8{7, 8, 9}, false},
		{"grey JPEG", jpegOf(t, grey(1, 1, 77)), 1, []uint8{77}, true},
		{"colour JPEG", jpegOf(t, plain(1, 1, color.NRGBA{128, 128, 128, 255})), 3, []uint8{128, 128, 128}, true},
		{"GIF", otherKinds(t, palette)[0], 3, []uint8{7, 8, 9}, false},
		{"BMP", otherKinds(t, plain(1, 1, color.NRGBA{1, 2, 3, 255}))[1], 3, []uint8{1, 2, 3}, false},
		{"TIFF", otherKinds(t, plain(1, 1, color.NRGBA{1, 2, 3, 255}))[2], 3, []uint8{1, 2, 3}, false},
		{"grey TIFF", otherKinds(t, grey(1, 1, 77))[2], 1, []uint8{77}, false},
		{"WebP", webpOf(t, "lossy.webp"), 3, []uint8{202, 101, 49}, true}, // Pillow reads 201, 100, 48
		{"lossless WebP", webpOf(t, "lossless.webp"), 3, []uint8{200, 100, 50}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := []archived{{"train/a/1.png", c.content}, {"test/a/1.png", c.content}}
			train, _ := open(t, "tar:"+writeFile(t, "set.tar", tarOf(t, files)), Options{Cache: t.TempDir()})
			if train.Shape[2] != c.channels || !slices.Equal(train.Pixels, c.pixel) || train.Lossy != c.lossy {
				t.Errorf("became %v of %v (lossy %v), want %v (lossy %v)", train.Pixels, train.Shape, train.Lossy, c.pixel, c.lossy)
			}
		})
	}
	t.Run("grey among colour", func(t *testing.T) {
		files := []archived{
			{"train/a/1.png", pngOf(t, grey(1, 1, 77))}, {"train/a/2.png", pngOf(t, plain(1, 1, color.NRGBA{1, 2, 3, 255}))},
			{"test/a/1.png", pngOf(t, grey(1, 1, 9))},
		}
		train, test := open(t, "tar:"+writeFile(t, "set.tar", tarOf(t, files)), Options{Cache: t.TempDir()})
		if !slices.Equal(train.Pixels, []uint8{77, 77, 77, 1, 2, 3}) || !slices.Equal(test.Pixels, []uint8{9, 9, 9}) {
			t.Errorf("became %v and %v", train.Pixels, test.Pixels)
		}
	})
}

// CIFAR-10's images as JPEG files, all 60,000, say what they are; others with its classes are the user's.
func TestCIFAR10JPEGIsNamed(t *testing.T) {
	own, side := cifar10Classes(), image.Pt(32, 32)
	for name, c := range map[string]struct {
		of      imageFacts
		classes []string
		lossy   bool
		want    string
	}{
		"CIFAR-10":      {imageFacts{"x.tar", side, 50_000, 10_000}, own, true, "CIFAR-10 (JPEG)"},
		"lossless":      {imageFacts{"x.tar", side, 50_000, 10_000}, own, false, "x.tar"},
		"other classes": {imageFacts{"x.tar", side, 50_000, 10_000}, own[1:], true, "x.tar"},
		"other size":    {imageFacts{"x.tar", image.Pt(32, 16), 50_000, 10_000}, own, true, "x.tar"},
		"fewer images":  {imageFacts{"x.tar", side, 50_000, 9_999}, own, true, "x.tar"},
		"own images":    {imageFacts{"x.tar", side, 10, 10}, own, true, "x.tar"},
	} {
		set := Dataset{Info: Info{Classes: c.classes, Lossy: c.lossy}}
		userImages().about(c.of, &set)
		if isOwn := set.Source == "a user's images"; set.Name != c.want || isOwn != (c.want == "x.tar") {
			t.Errorf("%s: named %q (%s), want %q", name, set.Name, set.Source, c.want)
		}
	}
	var files []archived
	for _, class := range own {
		img := jpegOf(t, plain(32, 32, color.NRGBA{10, 200, 30, 255}))
		files = append(files, archived{"train/" + class + "/0000.jpg", img}, archived{"test/" + class + "/0000.jpg", img})
	}
	archive := writeFile(t, "images.tar", tarOf(t, files))
	for size, want := range map[string]string{"": "images.tar", "@16": "images.tar, scaled to 16x16"} {
		train, test := open(t, "tar:"+archive+size, Options{Cache: t.TempDir()})
		if train.Name != want || test.Name != train.Name || !train.Lossy {
			t.Errorf("named %q (lossy %v), want %q", train.Name, train.Lossy, want)
		}
	}
}

// All 60,000 images, where the archive lies beside the repository.
func TestCIFAR10JPEGWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it decodes 60,000 images")
	}
	archive := besideRepository("shared", "data", "cifar10-jpeg.tar.gz")
	if archive == "" {
		t.Skip("the archive of all CIFAR-10 images is not beside the repository")
	}
	opts := Options{Cache: t.TempDir()}
	for _, how := range []string{"decoded", "from the cache"} {
		before, began := heap(), time.Now()
		train, test := open(t, "tar:"+archive, opts)
		took := time.Since(began)
		after := heap()
		t.Logf("%s in %v, %d MB in memory", how, took, (after-before)/1e6)
		if after-before > 200e6 {
			t.Errorf("the set takes %d MB, want less than 200", (after-before)/1e6)
		}
		if train.String() != "CIFAR-10 (JPEG) train: 50000 examples of [32 32 3] in 10 classes" || !slices.Equal(train.Classes, cifar10Classes()) || !train.Lossy {
			t.Errorf("got %v (%+v)", train, train.Info)
		}
		for class := range 10 {
			if n, m := classCounts(train)[class], classCounts(test)[class]; n != 5000 || m != 1000 {
				t.Errorf("class %d has %d and %d images, want 5000 and 1000", class, n, m)
			}
		}
	}
}

// heap is what is in use, in bytes.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// besideRepository finds a file beside the repository, or beside a folder that
// the repository, a worktree perhaps, lies in; "" where there is none.
func besideRepository(path ...string) string {
	folder, err := os.Getwd()
	for err == nil && folder != filepath.Dir(folder) {
		folder = filepath.Dir(folder)
		name := filepath.Join(append([]string{folder}, path...)...)
		if _, err := os.Stat(name); err == nil {
			return name
		}
	}
	return ""
}

// The second time comes from the cache, until the images change.
func TestImagesCached(t *testing.T) {
	root := writeFolder(t, petFiles(t))
	archive := writeFile(t, "pets.tar", tarOf(t, petFiles(t)))
	for _, c := range []struct {
		name, unit string
		total      int64
		change     func()
	}{
		{"folder:" + root, "images", 5, func() {
			if err := os.Rename(filepath.Join(root, "train/cat/a.png"), filepath.Join(root, "train/dog/c.png")); err != nil {
				t.Fatal(err)
			}
		}},
		{"tar:" + archive, "bytes", int64(len(tarOf(t, petFiles(t)))), func() {
			later := time.Now().Add(time.Hour)
			if err := os.WriteFile(archive, tarOf(t, append(petFiles(t), archived{"train/cat/z.png", pngOf(t, grey(4, 3, 0))})), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(archive, later, later); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		told := &reports{}
		opts := Options{Cache: t.TempDir(), Progress: told}
		first, firstTest := open(t, c.name, opts)
		if len(told.all) == 0 {
			t.Fatalf("%s: nothing was reported", c.name)
		}
		last := told.all[len(told.all)-1]
		if last.Unit != c.unit || last.Done != c.total || last.Total != c.total || !last.Finished {
			t.Errorf("%s: the last report is %+v, want all of %d %s", c.name, last, c.total, c.unit)
		}
		told.all = nil
		again, againTest := open(t, c.name, opts)
		if len(told.all) != 0 {
			t.Errorf("%s was decoded twice", c.name)
		}
		if again.Checksum != first.Checksum || againTest.Checksum != firstTest.Checksum || again.String() != first.String() || again.Lossy != first.Lossy {
			t.Errorf("%s came from the cache as %v, decoded it was %v", c.name, again, first)
		}
		c.change()
		if changed, _ := open(t, c.name, opts); len(told.all) == 0 || changed.Checksum == first.Checksum {
			t.Errorf("%s changed, but the cache did not notice", c.name)
		}
	}
}

// Where nothing can be kept the set comes all the same, and the reporter hears
// why the next time will take as long.
func TestImagesWithoutCache(t *testing.T) {
	told := &reports{}
	blocked := writeFile(t, "file", nil)
	open(t, "folder:"+writeFolder(t, petFiles(t)), Options{Cache: filepath.Join(blocked, "below"), Progress: told})
	if last := told.all[len(told.all)-1]; last.Unit != "" || !strings.HasPrefix(last.Task, "not cached: ") || !strings.Contains(last.Task, "set NGEBM_DATA to another") {
		t.Errorf("the last report is %+v", last)
	}
}
