package plots

import (
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// outlined is a canvas on which text is drawn as filled outlines of its letters.
// gonum's PDF writes text in Windows' Western code page, which has no Greek
// letters and no ∂, and its SVG names fonts that the reader may not have.
type outlined struct{ vg.Canvas }

// FillString implements [vg.Canvas].
func (o outlined) FillString(f plotfont.Face, at vg.Point, text string) {
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
			o.Fill(outline(segments, at))
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
