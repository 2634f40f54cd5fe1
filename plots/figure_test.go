package plots

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// checkDrawn draws a figure and fails if it is blank or of a wrong size.
func checkDrawn(t *testing.T, f *Figure) image.Image {
	t.Helper()
	var raw bytes.Buffer
	if err := f.PNG(&raw); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&raw)
	if err != nil {
		t.Fatal(err)
	}
	if w, h := int(f.Width.Dots(imageDPI)+0.5), int(f.Height.Dots(imageDPI)+0.5); img.Bounds().Dx() != w || img.Bounds().Dy() != h {
		t.Errorf("%v pixels, want %d by %d", img.Bounds(), w, h)
	}
	inked := 0
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y < 0x80 {
				inked++
			}
		}
	}
	if inked < 100 {
		t.Errorf("the figure is all but blank: %d dark pixels", inked)
	}
	return img
}
