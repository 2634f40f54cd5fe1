package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"

	"golang.org/x/sync/errgroup"
)

// noise is an image of random colors, some of them transparent.
func noise(width, height int, seed uint64) *image.NRGBA {
	rng := rand.New(rand.NewPCG(seed, 1))
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(rng.Uint32())
	}
	return img
}

// filesOfEveryFormat are images of several sizes, gray and color, in the formats that a person uploads.
func filesOfEveryFormat(t testing.TB) [][]byte {
	t.Helper()
	files := [][]byte{
		pngOf(t, noise(41, 30, 1)), pngOf(t, noise(5, 90, 2)), pngOf(t, noise(1, 1, 3)), pngOf(t, grey(8, 6, 77)),
		jpegOf(t, noise(64, 48, 4)), jpegOf(t, grey(33, 17, 200)), webpOf(t, "lossy.webp"), webpOf(t, "lossless.webp"),
	}
	files = append(files, otherKinds(t, noise(19, 23, 5))...)
	for _, name := range []string{"part-transparent.gif", "interlaced.gif", "animated-part.webp", "lossy-alpha.webp", "cmyk.jpg", "one-bit.bmp", "raw-16.ppm"} {
		content, err := os.ReadFile(filepath.Join("testdata", "pillow", name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, content)
	}
	return files
}

// inputsOf returns what a network gets of each example.
func inputsOf(d *Dataset) [][]float32 {
	inputs := make([][]float32, d.Len())
	for i := range inputs {
		inputs[i] = make([]float32, d.Size())
		d.Example(i, inputs[i])
	}
	return inputs
}

// folderOf writes the files to a folder whose training set has them in their order.
func folderOf(t *testing.T, files [][]byte) string {
	t.Helper()
	members := []archived{{"test/a/0.png", pngOf(t, noise(7, 5, 9))}}
	for i, content := range files {
		members = append(members, archived{fmt.Sprintf("train/a/%02d.png", i), content})
	}
	return writeFolder(t, members)
}

// An uploaded file is the same input to the last bit as in the set that was trained on.
func TestDecodeImageEqualsTraining(t *testing.T) {
	compare := func(t *testing.T, files [][]byte, train *Dataset, fit Fit) {
		t.Helper()
		for i, want := range inputsOf(train) {
			got, err := DecodeImage(iotest.OneByteReader(bytes.NewReader(files[i])), train.Shape, fit)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("file %d became %.4v… (%v), in training it is %.4v…", i, got, err, want)
			}
		}
	}
	files := filesOfEveryFormat(t)
	root := folderOf(t, files)
	for _, size := range []string{"@16", "@7x12", "@24x9x1", "@3x3x3", "@1"} {
		t.Run("crop"+size, func(t *testing.T) {
			name := "folder:" + root + size
			fit, err := FitOf(name)
			if err != nil || fit != FitCrop {
				t.Fatalf("the fit of %s is %q (%v)", name, fit, err)
			}
			train, _ := open(t, name, Options{Cache: t.TempDir()})
			compare(t, files, train, fit)
		})
	}
	same := [][]byte{pngOf(t, noise(7, 5, 1)), jpegOf(t, noise(7, 5, 2)), pngOf(t, grey(7, 5, 9)), otherKinds(t, noise(7, 5, 3))[2]}
	whole, _ := open(t, "folder:"+folderOf(t, same), Options{Cache: t.TempDir()})
	t.Run("exact", func(t *testing.T) { compare(t, same, whole, FitExact) })
	for _, shape := range [][]int{{5, 7, 3}, {32, 32, 3}, {3, 11, 1}, {2, 2, 3}} {
		t.Run(fmt.Sprint("stretch to ", shape), func(t *testing.T) {
			resized, err := whole.Resize(shape[0], shape[1], shape[2])
			if err != nil {
				t.Fatal(err)
			}
			compare(t, same, resized, FitStretch)
		})
	}
}

func TestFitOf(t *testing.T) {
	for name, want := range map[string]Fit{
		"digits": FitExact, "digits@16": FitStretch, "cifar10": FitExact, "mnist@32x32x3": FitStretch, "cifar10-c:fog/3": FitExact,
		"medmnist:bloodmnist@64": FitStretch, "npz:a.npz": FitExact, "npz:a.npz@9": FitStretch,
		"folder:a": FitExact, "folder:a@64": FitCrop, "tar:a.tar@8x9": FitCrop, "zip:a.zip@8x9x1": FitCrop, "folder:a@64/": FitExact,
		"celeba": FitCrop, "celeba:a@64": FitCrop,
	} {
		if fit, err := FitOf(name); fit != want || err != nil {
			t.Errorf("the fit of %s is %q (%v), want %q", name, fit, err, want)
		}
	}
	for name, part := range map[string]string{"moons:500": "moons:500 has points", "csv:wine.csv@3": "csv:wine.csv@3 has rows of a table", "pets": `no dataset is called "pets"`, "digits@0": "no valid size"} {
		_, err := FitOf(name)
		says(t, err, part)
	}
}

func TestDecodeImageRefuses(t *testing.T) {
	square := pngOf(t, grey(28, 28, 5))
	for name, c := range map[string]struct {
		content []byte
		shape   []int
		fit     Fit
		want    string
	}{
		"another size":     {square, []int{8, 8, 1}, FitExact, "the image is 28x28, but must be 8x8 (height x width): scale it, or have it cropped or stretched (ngebm serve -image-fit; in Go, data.FitCrop or data.FitStretch)"},
		"no content":       {nil, []int{8, 8, 1}, FitCrop, "the file is empty"},
		"text":             {[]byte("hello"), []int{8, 8, 1}, FitCrop, "does not decode: it is not one of JPEG, PNG"},
		"unknown format":   {[]byte("\x00\x00\x00\x20ftypheic"), []int{8, 8, 1}, FitCrop, "HEIC image"},
		"truncated":        {square[:50], []int{8, 8, 1}, FitCrop, "does not decode: png: invalid format"},
		"huge header":      {withSize(square, 1<<14, 1<<14), []int{8, 8, 3}, FitStretch, "images must have 1 to 26214400 pixels: scale it down"},
		"large file":       {make([]byte, maxImageFile+1), []int{8, 8, 3}, FitCrop, "more than 64 MiB"},
		"points":           {square, []int{2}, FitCrop, "cannot become an input of shape [2]"},
		"two channels":     {square, []int{2, 2, 2}, FitCrop, "[2 2 2]"},
		"no pixels":        {square, []int{0, 2, 1}, FitCrop, "[0 2 1]"},
		"too many":         {square, []int{maxSide, maxSide, 1}, FitCrop, "at most 4194304 pixels"},
		"unknown fit":      {square, []int{2, 2, 1}, "cover", `the fit "cover" is unknown: give one of "exact", "crop", "stretch"`},
		"a long stretched": {pngOf(t, grey(1, maxSide+1, 0)), []int{8, 32, 1}, FitStretch, "is 16385x1, but sides may have at most 16384 pixels"},
		"one that is long": {pngOf(t, grey(maxSide+1, 1, 0)), []int{maxSide, 1, 1}, FitExact, "is 1x16385, but must be 16384x1 (height x width)"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeImage(bytes.NewReader(c.content), c.shape, c.fit)
			says(t, err, c.want)
		})
	}
	t.Run("a reader that fails", func(t *testing.T) {
		broken := errors.New("cable out")
		if _, err := DecodeImage(iotest.ErrReader(broken), []int{2, 2, 1}, FitCrop); !errors.Is(err, broken) {
			t.Errorf("the error is %v, want %v", err, broken)
		}
	})
}

// Goroutines share a decoder, and the pixels that it decodes at the same time; one that waits stops
// with its context.
func TestImageDecoderIsShared(t *testing.T) {
	d, err := NewImageDecoder([]int{4, 4, 3}, FitCrop)
	if err != nil {
		t.Fatal(err)
	}
	file := jpegOf(t, noise(64, 48, 4))
	want, err := d.Decode(t.Context(), bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			for range 20 {
				if got, err := d.Decode(t.Context(), bytes.NewReader(file)); err != nil || !slices.Equal(got, want) {
					return fmt.Errorf("got %v (%w), want %v", got, err, want)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if !d.decoding.room.TryAcquire(maxPhotoPixels) {
		t.Fatal("the decoder keeps room")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Decode(ctx, bytes.NewReader(file)); !errors.Is(err, context.Canceled) {
		t.Errorf("without room the error is %v, want %v", err, context.Canceled)
	}
}

func FuzzDecodeImage(f *testing.F) {
	f.Add(pngOf(f, noise(9, 7, 1)), uint8(4), uint8(3), true, uint8(1))
	f.Add(jpegOf(f, noise(9, 7, 1)), uint8(7), uint8(9), false, uint8(0))
	f.Add(webpOf(f, "lossless.webp"), uint8(1), uint8(1), false, uint8(2))
	for _, file := range otherKinds(f, plain(5, 4, color.NRGBA{1, 2, 3, 255})) {
		f.Add(file, uint8(2), uint8(30), true, uint8(2))
	}
	fits := []Fit{FitExact, FitCrop, FitStretch}
	f.Fuzz(func(t *testing.T, content []byte, height, width uint8, gray bool, fit uint8) {
		shape := []int{1 + int(height)%32, 1 + int(width)%32, 3}
		if gray {
			shape[2] = 1
		}
		staysSmall(t, func() {
			values, err := DecodeImage(bytes.NewReader(content), shape, fits[fit%3])
			if err != nil {
				return
			}
			if len(values) != shape[0]*shape[1]*shape[2] {
				t.Errorf("%v has %d values", shape, len(values))
			}
			for _, v := range values {
				if math.IsNaN(float64(v)) || v < -1 || v > 1 {
					t.Fatalf("a value is %v", v)
				}
			}
		})
	})
}
