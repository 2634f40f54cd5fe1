package data

import (
	"errors"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// panicking is an image that cannot say its pixels.
type panicking struct{ image.Image }

func (panicking) At(x, y int) color.Color { panic("no color\nhere") }

// Wherever a decoder panics, the image is one of the damaged ones, in one line, and those
// that come after it still have room.
func TestPanicOfADecoderIsADamagedImage(t *testing.T) {
	size := image.Pt(2, 1)
	white := image.NewRGBA(image.Rectangle{Max: size})
	of := func(decode func() (image.Image, error)) func() (frame, error) {
		return func() (frame, error) { return frame{size: size, decode: decode}, nil }
	}
	for name, c := range map[string]struct {
		open func() (frame, error)
		want string
	}{
		"header": {func() (frame, error) { panic(errors.New("no header")) }, "no header"},
		"decode": {of(func() (image.Image, error) { return []image.Image{}[size.X], nil }), "index out of range"},
		"pixels": {of(func() (image.Image, error) { return panicking{white}, nil }), `"no color\nhere"`},
	} {
		for _, scaled := range []imageSize{{}, {height: 1, width: 1}} {
			t.Run(name, func(t *testing.T) {
				d := newDecoding(scaled)
				var p picture
				if err := p.takeFrame(t.Context(), c.open, d); err != nil || p.fault == nil {
					t.Fatalf("got %v, %v, want a fault", err, p.fault)
				}
				if text := p.fault.what.Error(); !strings.HasPrefix(text, "does not decode: its decoder fails on it: ") || !strings.Contains(text, c.want) || strings.Contains(text, "\n") {
					t.Errorf("the fault is %q, want one line that says %q", text, c.want)
				}
				if !d.room.TryAcquire(maxPhotoPixels) {
					t.Error("it keeps its room")
				}
			})
		}
	}
}

// A pixel whose index the palette lacks is no fault: it is black as in Pillow, here and in
// archives, at its size and scaled.
func TestIndexBeyondThePalette(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("testdata", "pillow", "beyond-palette.bmp"))
	if err != nil {
		t.Fatal(err)
	}
	files := []archived{{"a/1.bmp", content}, {"a/2.bmp", content}}
	for _, name := range []string{"folder:" + writeFolder(t, files), "zip:" + writeFile(t, "a.zip", zipOf(t, files)), "tar:" + writeFile(t, "a.tar", tarOf(t, files))} {
		train, _ := open(t, name, Options{Cache: t.TempDir()})
		if got := train.Pixels[6:]; string(got) != string(make([]byte, 9)) {
			t.Errorf("%s: the last three pixels are %v, want black", name, got)
		}
		open(t, name+"@2", Options{Cache: t.TempDir()})
	}
}

// An image with a side that no set can have is told by its name.
func TestImageWithALongSide(t *testing.T) {
	long := pngOf(t, grey(maxSide+1, 1, 0))
	root := writeFolder(t, []archived{{"a/1.png", long}, {"a/2.png", long}})
	_, _, err := Open(t.Context(), "folder:"+root, Options{Cache: t.TempDir()})
	says(t, err, "a/1.png is 16385x1, and images with a side of more than 16384 pixels are refused", "add @SIZE to the name")
	open(t, "folder:"+root+"@4", Options{Cache: t.TempDir()})
}
