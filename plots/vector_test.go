package plots

import (
	"image"
	"image/color"
	"math"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/recorder"
	"ngebm/ngebm/study/palette"
)

// drawn records what a vector canvas hands on for an image of one column, red
// above blue, that is to fill a square.
func drawn(t *testing.T, pdf bool) image.Image {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 10, 2))
	for x := range 10 {
		img.Set(x, 0, palette.Vermillion)
		img.Set(x, 1, palette.Blue)
	}
	var record recorder.Canvas
	vector{&record, pdf}.DrawImage(vg.Rectangle{Max: vg.Point{X: 50, Y: 50}}, img)
	if len(record.Actions) != 1 {
		t.Fatalf("%d actions, want the image", len(record.Actions))
	}
	return record.Actions[0].(*recorder.DrawImage).Image
}

// The PDF canvas turns images upside down: what it gets is turned before.
func TestVectorImageInPDF(t *testing.T) {
	img := drawn(t, true)
	if top, bottom := img.At(0, 0), img.At(0, 1); top != palette.Blue || bottom != palette.Vermillion {
		t.Errorf("top %v, bottom %v: want it turned", top, bottom)
	}
}

// The SVG canvas keeps an image's ratio: what it gets has that of the place.
func TestVectorImageInSVG(t *testing.T) {
	img := drawn(t, false)
	if img.Bounds().Dx() != img.Bounds().Dy() {
		t.Errorf("%v does not fill a square", img.Bounds())
	}
	if top, bottom := img.At(0, 0), img.At(0, img.Bounds().Max.Y-1); top != palette.Vermillion || bottom != palette.Blue {
		t.Errorf("top %v, bottom %v: want it as it was", top, bottom)
	}
}

// The PDF canvas takes the parts of a color as they come, so half of white must
// still come as white.
func TestVectorColorInPDF(t *testing.T) {
	var record recorder.Canvas
	vector{&record, true}.SetColor(withAlpha(color.White, 0x80))
	r, g, b, a := record.Actions[0].(*recorder.SetColor).Color.RGBA()
	if r != 0xffff || g != 0xffff || b != 0xffff || a != 0x8080 {
		t.Errorf("%x %x %x %x", r, g, b, a)
	}
}

// Text becomes outlines: as wide as the font says, standing on its line.
func TestVectorText(t *testing.T) {
	var record recorder.Canvas
	style := textStyle(100, false)
	const text = "‖∂E/∂x‖₂, β"
	face := style.FontExtents()
	vector{&record, false}.FillString(style.Handler.Cache().Lookup(style.Font, style.Font.Size), vg.Point{X: 10, Y: 20}, text)
	low, high := vg.Point{X: vg.Length(math.Inf(1)), Y: vg.Length(math.Inf(1))}, vg.Point{X: vg.Length(math.Inf(-1)), Y: vg.Length(math.Inf(-1))}
	fills := 0
	for _, action := range record.Actions {
		fill, ok := action.(*recorder.Fill)
		if !ok {
			t.Fatalf("%T, want outlines to fill", action)
		}
		fills++
		for _, part := range fill.Path {
			if part.Type == vg.CloseComp {
				continue
			}
			low = vg.Point{X: min(low.X, part.Pos.X), Y: min(low.Y, part.Pos.Y)}
			high = vg.Point{X: max(high.X, part.Pos.X), Y: max(high.Y, part.Pos.Y)}
		}
	}
	if want := len([]rune(text)) - 1; fills != want { // all but the space
		t.Errorf("%d letters, want %d", fills, want)
	}
	if width := style.Width(text); low.X < 10 || high.X > 10+width || high.X < 10+width*0.9 {
		t.Errorf("from %v to %v, want about %v from 10 on", low.X, high.X, width)
	}
	if low.Y < 20-face.Descent || high.Y > 20+face.Ascent || high.Y < 20+face.Ascent/2 {
		t.Errorf("from %v to %v above a line at 20, want within %+v", low.Y, high.Y, face)
	}
}
