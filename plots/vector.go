package plots

import (
	"image"
	"image/color"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// vector is gonum's PDF or SVG canvas, which fixes how these differ from PNG:
//   - Text is drawn as outlines of its letters. PDF text is written in Windows'
//     Western code page, which has no Greek letters and no ∂, and SVG names
//     fonts that the reader may not have.
//   - PDF shows images upside down and dims translucent colors.
//   - SVG keeps an image's own ratio of width to height instead of the asked one.
type vector struct {
	vg.Canvas
	pdf bool
}

// SetColor implements [vg.Canvas].
func (v vector) SetColor(c color.Color) {
	if v.pdf && c != nil {
		c = straight(color.NRGBAModel.Convert(c).(color.NRGBA))
	}
	v.Canvas.SetColor(c)
}

// straight is a color that gives its parts without alpha's share, which is how
// the PDF canvas takes them.
type straight color.NRGBA

// RGBA implements [color.Color], but for the convention.
func (s straight) RGBA() (r, g, b, a uint32) {
	return uint32(s.R) * 0x101, uint32(s.G) * 0x101, uint32(s.B) * 0x101, uint32(s.A) * 0x101
}

// DrawImage implements [vg.Canvas].
func (v vector) DrawImage(rect vg.Rectangle, img image.Image) {
	size, bounds := rect.Size(), img.Bounds()
	height := bounds.Dy()
	if !v.pdf {
		height = max(1, int(float64(bounds.Dx())*float64(size.Y/size.X)+0.5))
	}
	fixed := image.NewNRGBA(image.Rect(0, 0, bounds.Dx(), height))
	for y := range height {
		from := bounds.Min.Y + y*bounds.Dy()/height
		if v.pdf {
			from = bounds.Max.Y - 1 - y
		}
		for x := range bounds.Dx() {
			fixed.Set(x, y, img.At(bounds.Min.X+x, from))
		}
	}
	v.Canvas.DrawImage(rect, fixed)
}

// FillString implements [vg.Canvas].
func (v vector) FillString(f plotfont.Face, at vg.Point, text string) {
	const unitsPerPoint = 64 // outlines are asked for in 1/64 of a point
	size := fixed.Int26_6(f.Font.Size * unitsPerPoint)
	var buffer sfnt.Buffer
	var previous sfnt.GlyphIndex
	for i, r := range []rune(text) {
		glyph, err := f.Face.GlyphIndex(&buffer, r)
		if err != nil {
			continue
		}
		if i > 0 {
			if kern, err := f.Face.Kern(&buffer, previous, glyph, size, font.HintingNone); err == nil {
				at.X += points(kern)
			}
		}
		if segments, err := f.Face.LoadGlyph(&buffer, glyph, size, nil); err == nil && len(segments) > 0 {
			v.Fill(outline(segments, at))
		}
		if advance, err := f.Face.GlyphAdvance(&buffer, glyph, size, font.HintingNone); err == nil {
			at.X += points(advance)
		}
		previous = glyph
	}
}

// outline is a letter's path with its origin at a point. In fonts y points down.
func outline(segments sfnt.Segments, origin vg.Point) vg.Path {
	at := func(p fixed.Point26_6) vg.Point {
		return vg.Point{X: origin.X + points(p.X), Y: origin.Y - points(p.Y)}
	}
	var path vg.Path
	for i, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				path.Close()
			}
			path.Move(at(s.Args[0]))
		case sfnt.SegmentOpLineTo:
			path.Line(at(s.Args[0]))
		case sfnt.SegmentOpQuadTo:
			path.QuadTo(at(s.Args[0]), at(s.Args[1]))
		case sfnt.SegmentOpCubeTo:
			path.CubeTo(at(s.Args[0]), at(s.Args[1]), at(s.Args[2]))
		}
	}
	path.Close()
	return path
}

func points(x fixed.Int26_6) vg.Length { return vg.Length(x) / 64 }
