package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The poster of the gallery's animation is its last frame, where every chain has come
// to the middle; what is no GIF is refused.
func TestLastFrame(t *testing.T) {
	animation, err := os.ReadFile(filepath.Join("..", "..", "..", "plots", "testdata", "animate.gif"))
	if err != nil {
		t.Fatal(err)
	}
	poster, err := Poster(animation)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(poster))
	if err != nil {
		t.Fatal(err)
	}
	black := 0 // where chains end there are black dots
	middle := img.Bounds().Dx() / 2
	for x := middle - 60; x < middle+60; x++ {
		for y := range img.Bounds().Dy() / 2 {
			if color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y < 20 {
				black++
			}
		}
	}
	if black < 100 {
		t.Errorf("%d pixels of the poster's middle are black: no chain has come there", black)
	}
	if _, err := Poster(poster); err == nil || !strings.Contains(err.Error(), "gif") {
		t.Errorf("a PNG for a GIF: %v", err)
	}
	if _, err := Poster(animation[:len(animation)/2]); err == nil {
		t.Error("half a GIF has a last frame")
	}
}

// A frame that is to be removed before the next is not in the poster: what it covered is
// transparent again, or as before.
func TestDisposal(t *testing.T) {
	palette := color.Palette{color.Transparent, color.Black, color.White}
	dot := func(x int, index uint8) *image.Paletted {
		frame := image.NewPaletted(image.Rect(x, 0, x+1, 1), palette)
		frame.Pix[0] = index
		return frame
	}
	animation := gif.GIF{
		Image:    []*image.Paletted{dot(0, 1), dot(0, 2), dot(1, 1), dot(2, 1), dot(3, 2)},
		Delay:    make([]int, 5),
		Disposal: []byte{gif.DisposalNone, gif.DisposalPrevious, gif.DisposalBackground, gif.DisposalNone, gif.DisposalBackground},
		Config:   image.Config{Width: 5, Height: 1, ColorModel: palette},
	}
	var raw bytes.Buffer
	if err := gif.EncodeAll(&raw, &animation); err != nil {
		t.Fatal(err)
	}
	poster, err := Poster(raw.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(poster))
	if err != nil {
		t.Fatal(err)
	}
	for x, want := range []color.Color{color.Black, color.Transparent, color.Black, color.White, color.Transparent} {
		if got := color.RGBAModel.Convert(img.At(x, 0)); got != color.RGBAModel.Convert(want) {
			t.Errorf("pixel %d is %v, want %v", x, got, want)
		}
	}
}
