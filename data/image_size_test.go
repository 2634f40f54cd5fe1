package data

import (
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"
)

func TestCutSize(t *testing.T) {
	for name, want := range map[string]struct {
		base string
		size imageSize
	}{
		"digits":                  {"digits", imageSize{}},
		"digits@16":               {"digits", imageSize{16, 16, 0}},
		"mnist@32x32x3":           {"mnist", imageSize{32, 32, 3}},
		"folder:photos@48x64":     {"folder:photos", imageSize{48, 64, 0}},
		"folder:a@home/photos":    {"folder:a@home/photos", imageSize{}},
		"folder:a@home/photos@64": {"folder:a@home/photos", imageSize{64, 64, 0}},
		"folder:photos@64/":       {"folder:photos@64/", imageSize{}}, // a folder that is called photos@64
		"folder:me@example.org":   {"folder:me@example.org", imageSize{}},
		"tar:photos@2x3x1":        {"tar:photos", imageSize{2, 3, 1}},
		"folder:photos@256x16384": {"folder:photos", imageSize{256, 16384, 0}},
	} {
		if base, size, err := cutSize(name); err != nil || base != want.base || size != want.size {
			t.Errorf("%s is %s and %v (%v), want %s and %v", name, base, size, err, want.base, want.size)
		}
	}
	_, _, err := cutSize("folder:photos@257x16384")
	says(t, err, "257x16384", "may have 4194304 pixels")
	for _, name := range []string{"digits@", "digits@0", "digits@x", "digits@3x", "digits@3x3x2", "digits@1x2x3x4", "digits@16385", "digits@99999999999999999999"} {
		_, _, err := cutSize(name)
		says(t, err, `"`+name+`" has no valid size: write @SIZE, @HEIGHTxWIDTH or @HEIGHTxWIDTHxCHANNELS`)
	}
}

// Photographs of unequal sizes become images of one: their middle, scaled.
func TestImagesScaled(t *testing.T) {
	bars := image.NewNRGBA(image.Rect(0, 0, 100, 40)) // a red, a green, a blue part
	for i := range 100 * 40 {
		c := color.NRGBA{255, 0, 0, 255}
		if x := i % 100; x >= 70 {
			c = color.NRGBA{0, 0, 255, 255}
		} else if x >= 30 {
			c = color.NRGBA{0, 255, 0, 255}
		}
		bars.SetNRGBA(i%100, i/100, c)
	}
	upright := image.NewGray(image.Rect(0, 0, 3, 9))
	for i := range upright.Pix {
		upright.Pix[i] = uint8(10 * (i / 3))
	}
	root := writeFolder(t, []archived{
		{"train/a/bars.png", pngOf(t, bars)}, {"train/a/upright.png", pngOf(t, upright)}, {"train/b/small.png", pngOf(t, plain(1, 1, color.NRGBA{9, 9, 9, 255}))},
		{"test/a/1.png", pngOf(t, bars)}, {"test/b/1.png", pngOf(t, upright)},
	})
	cache := t.TempDir()
	train, test := open(t, "folder:"+root+"@3", Options{Cache: cache})
	if !slices.Equal(train.Shape, []int{3, 3, 3}) || train.Len() != 3 || test.Len() != 2 {
		t.Fatalf("got %v and %v", train, test)
	}
	// Of the bars the middle 40 pixels, which are green; of the upright image
	// rows 3 to 5.
	green := slices.Repeat([]uint8{0, 255, 0}, 9)
	rows := slices.Concat(slices.Repeat([]uint8{30}, 9), slices.Repeat([]uint8{40}, 9), slices.Repeat([]uint8{50}, 9))
	if want := slices.Concat(green, rows, slices.Repeat([]uint8{9}, 27)); !slices.Equal(train.Pixels, want) {
		t.Errorf("got %v, want %v", train.Pixels, want)
	}
	if want := "a user's images; the middle of each scaled to 3x3"; train.Source != want || train.Name != "pets, scaled to 3x3" {
		t.Errorf("%s comes from %q, want %q", train.Name, train.Source, want)
	}
	// Each size has a cache file of its own.
	wide, _ := open(t, "folder:"+root+"@2x5x1", Options{Cache: cache})
	if !slices.Equal(wide.Shape, []int{2, 5, 1}) {
		t.Errorf("got %v", wide)
	}
	told := &reports{}
	again, _ := open(t, "folder:"+root+"@3", Options{Cache: cache, Progress: told})
	if again.Checksum != train.Checksum || len(told.all) != 0 {
		t.Errorf("the second time it is %v, after %v", again, told.all)
	}
	_, _, err := Open(t.Context(), "folder:"+root, Options{Cache: cache})
	says(t, err, "train/a/upright.png is 9x3 but 2 of the 5 images are 40x100 (height x width): add @SIZE to the name, as in @40x100, to scale all to one size")
}

// The size that an error advises may be copied: images of the most frequent size are scaled as they are,
// without a crop, and those of usual sizes stay unchanged.
func TestAdvisedSizeCropsNothing(t *testing.T) {
	lying := noise(20, 10, 1)
	files := []archived{{"a/1.png", pngOf(t, lying)}, {"a/2.png", pngOf(t, lying)}, {"b/3.png", pngOf(t, lying)}, {"b/4.png", pngOf(t, noise(40, 20, 2))}}
	name := "folder:" + writeFolder(t, files)
	_, _, err := Open(t.Context(), name, Options{Cache: t.TempDir()})
	says(t, err, "b/4.png is 20x40 but 3 of the 4 images are 10x20 (height x width): add @SIZE to the name, as in @10x20, to scale all to one size")
	_, advice, _ := strings.Cut(err.Error(), "as in ")
	advice, _, _ = strings.Cut(advice, ",")
	train, _ := open(t, name+advice, Options{Cache: t.TempDir()})
	alone, _ := open(t, "folder:"+writeFolder(t, files[:2]), Options{Cache: t.TempDir()})
	if !slices.Equal(train.Shape, []int{10, 20, 3}) || !slices.Equal(train.Pixels[:train.Size()], alone.Pixels) {
		t.Errorf("%s became %v, not the images as they are", advice, train)
	}
	for size, want := range map[imageSize]imageSize{
		{height: 128, width: 9}:     {height: 128, width: 9},
		{height: 1600, width: 1200}: {height: 128, width: 96},
		{height: 1537, width: 2048}: {height: 96, width: 128},
		{height: 1, width: 16384}:   {height: 1, width: 128},
	} {
		if got := size.forExample(); got != want {
			t.Errorf("for images of %v the advice is %v, want %v", size, got, want)
		}
	}
}

// Large photographs are taken where they are scaled, and refused where they
// cannot be.
func TestLargePhotographs(t *testing.T) {
	large := jpegOf(t, image.NewGray(image.Rect(0, 0, 3000, 2000)))
	files := []archived{{"a/1.jpg", large}, {"a/2.jpg", large}, {"a/3.jpg", large}}
	archive := writeFile(t, "photos.zip", zipOf(t, files))
	train, _ := open(t, "zip:"+archive+"@8x12", Options{Cache: t.TempDir()})
	if !slices.Equal(train.Shape, []int{8, 12, 1}) {
		t.Errorf("got %v", train)
	}
	_, _, err := Open(t.Context(), "zip:"+archive, Options{Cache: t.TempDir()})
	says(t, err, "is 2000x3000, but images must have 1 to 4194304 pixels: add @SIZE (height x width) to the name")
	absurd := withSize(pngOf(t, grey(1, 1, 0)), 1<<15, 1<<15)
	archive = writeFile(t, "photos.zip", zipOf(t, []archived{{"a/1.png", absurd}, {"a/2.png", absurd}}))
	_, _, err = Open(t.Context(), "zip:"+archive+"@8", Options{Cache: t.TempDir()})
	says(t, err, "is 32768x32768, but images must have 1 to 26214400 pixels: scale it down")
}

// Sets that are no image files are resized when they are there.
func TestOpenResizes(t *testing.T) {
	train, test := open(t, "digits@16x16x3", Options{Limit: 50})
	if !slices.Equal(train.Shape, []int{16, 16, 3}) || !slices.Equal(test.Shape, train.Shape) || train.Len() != 50 || test.Len() != 600 {
		t.Errorf("got %v and %v", train, test)
	}
	plain, _ := open(t, "digits@8", Options{})
	if whole, _ := open(t, "digits", Options{}); plain.Checksum != whole.Checksum {
		t.Error("digits in their own size are other digits")
	}
	_, _, err := Open(t.Context(), "moons@8", Options{})
	says(t, err, "moons holds points, which cannot be resized")
	if _, _, err := Open(t.Context(), "digits@8x8x8", Options{}); err == nil || !strings.Contains(err.Error(), "1 or 3 channels") {
		t.Error(err)
	}
}

// The decoded are cut so that what is left has the proportions that are asked
// for, in whole pixels, and never none.
func TestCrop(t *testing.T) {
	for _, c := range []struct {
		size       imageSize
		whole, cut image.Rectangle
	}{
		{imageSize{32, 32, 0}, image.Rect(0, 0, 178, 218), image.Rect(0, 20, 178, 198)},
		{imageSize{32, 32, 0}, image.Rect(5, 5, 15, 9), image.Rect(8, 5, 12, 9)},
		{imageSize{10, 20, 0}, image.Rect(0, 0, 20, 10), image.Rect(0, 0, 20, 10)},
		{imageSize{2, 3, 0}, image.Rect(0, 0, 10, 10), image.Rect(0, 1, 10, 8)},
		{imageSize{1000, 1, 0}, image.Rect(0, 0, 9, 9), image.Rect(4, 0, 5, 9)},
		{imageSize{1, 1000, 0}, image.Rect(0, 0, 9, 9), image.Rect(0, 4, 9, 5)},
	} {
		if got := c.size.crop(c.whole); got != c.cut {
			t.Errorf("%v of %v is %v, want %v", c.size, c.whole, got, c.cut)
		}
	}
}
