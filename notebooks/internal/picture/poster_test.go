package picture

import (
	"bytes"
	"image/color"
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
