package plots

import (
	"image/color"
	"math"
	"strconv"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	gonum "gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/palette/moreland"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/ngebm/study/palette"
)

// Sizes, in points. A notebook shows a figure at 96 pixels an inch, where 9
// points are 12 pixels: what its own text is set in.
const (
	fullWidth vg.Length = 8 * vg.Inch // the width of a notebook's output

	titleSize = 11
	labelSize = 10
	tickSize  = 9

	lineWidth vg.Length = 1.6
	thinWidth vg.Length = 0.6
	gap       vg.Length = 12 // between panels
	margin    vg.Length = 6  // around a figure
)

// The colors of everything but data.
var (
	foreground = color.NRGBA{0x22, 0x22, 0x22, 0xff} // text
	frame      = color.NRGBA{0x88, 0x88, 0x88, 0xff} // axes
	faint      = color.NRGBA{0xe6, 0xe6, 0xe6, 0xff} // grid lines
	missing    = color.NRGBA{0xbb, 0xbb, 0xbb, 0xff} // where there is no value
	errorColor = color.NRGBA{0xb0, 0x1e, 0x1e, 0xff} // events: what went wrong
)

// classMark returns the marker of class k: its own color and its own shape, so
// that readers need not rely on one of them. Eight colors and seven shapes make 56
// pairs before one comes again.
func classMark(k int, radius vg.Length) draw.GlyphStyle {
	shapes := []polygon{{36, 0}, {4, math.Pi / 4}, {3, math.Pi / 2}, {4, 0}, {3, -math.Pi / 2}, {5, math.Pi / 2}, {6, 0}}
	return draw.GlyphStyle{
		Color:  palette.Classes[k%len(palette.Classes)],
		Radius: radius,
		Shape:  shapes[k%len(shapes)],
	}
}

// classNumbers numbers the classes of a figure's sets by their names, so that a class has one mark or
// line in all panels, in whatever order each set lists its classes.
type classNumbers map[string]int

// add returns those that are new.
func (n classNumbers) add(classes []string) (added []string) {
	for _, name := range classes {
		if _, known := n[name]; !known {
			n[name] = len(n)
			added = append(added, name)
		}
	}
	return added
}

// polygon is a marker with a white edge, to be seen on any ground: a regular
// polygon of the area of a circle of the style's radius.
type polygon struct {
	corners int
	turn    float64 // the angle of the first corner
}

// DrawGlyph implements [draw.GlyphDrawer].
func (p polygon) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	n := float64(p.corners)
	sameArea := math.Sqrt(2 * math.Pi / (n * math.Sin(2*math.Pi/n)))
	radius := style.Radius * vg.Length(sameArea)
	var path vg.Path
	for i := range p.corners {
		angle := p.turn + 2*math.Pi*float64(i)/n
		corner := vg.Point{X: at.X + radius*vg.Length(math.Cos(angle)), Y: at.Y + radius*vg.Length(math.Sin(angle))}
		if i == 0 {
			path.Move(corner)
		} else {
			path.Line(corner)
		}
	}
	path.Close()
	c.SetLineStyle(draw.LineStyle{Color: color.White, Width: style.Radius * 0.55})
	c.Stroke(path)
	c.SetColor(style.Color)
	c.Fill(path)
}

// energyMap returns the colors of energies from low (dark) to high (bright)
// between the two values: viridis (Smith and van der Walt 2015, CC0) through
// nine of its colors, interpolated in CIELAB by gonum's moreland palette.
func energyMap(low, high float64) (gonum.ColorMap, error) {
	m, err := moreland.NewLuminance([]color.Color{
		color.NRGBA{0x44, 0x01, 0x54, 0xff}, color.NRGBA{0x47, 0x2d, 0x7b, 0xff}, color.NRGBA{0x3b, 0x52, 0x8b, 0xff},
		color.NRGBA{0x2c, 0x72, 0x8e, 0xff}, color.NRGBA{0x21, 0x91, 0x8c, 0xff}, color.NRGBA{0x28, 0xae, 0x80, 0xff},
		color.NRGBA{0x5e, 0xc9, 0x62, 0xff}, color.NRGBA{0xad, 0xdc, 0x30, 0xff}, color.NRGBA{0xfd, 0xe7, 0x25, 0xff},
	})
	if err != nil {
		return nil, err
	}
	m.SetMin(low)
	m.SetMax(high)
	return m, nil
}

// textStyle is the theme's one family, without serifs, in a size.
func textStyle(size vg.Length, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return text.Style{Color: foreground, Font: f, Handler: plot.DefaultTextHandler, YAlign: draw.YBottom}
}

// newPlot returns an empty plot in the theme. Title and axis labels are the
// panel's to draw.
func newPlot() *plot.Plot {
	p := plot.New()
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		like := textStyle(tickSize, false)
		axis.Tick.Label.Font, axis.Tick.Label.Color = like.Font, like.Color
		axis.Padding = 0
		axis.LineStyle = draw.LineStyle{Color: frame, Width: thinWidth}
		axis.Tick.LineStyle = axis.LineStyle
		axis.Tick.Length = 3
		axis.Tick.Marker = roundTicks(5)
	}
	return p
}

// roundTicks labels about this number of round values: multiples of 1, 2 or 5 times a
// power of ten, written with as many decimals as they need to differ.
type roundTicks int

// Ticks implements [plot.Ticker].
func (n roundTicks) Ticks(low, high float64) []plot.Tick {
	step := roundStep(high-low, int(n))
	place := func(v float64) float64 { return math.Floor(math.Log10(v) + 1e-9) } // of the first digit
	size := max(math.Abs(low), math.Abs(high))
	decimals := int(max(0, -place(step)))
	digits := int(min(max(3, place(size)-place(step)+1), 17)) // a float64 has no more
	var ticks []plot.Tick
	for i := math.Ceil(low/step - 1e-9); i*step <= high+step*1e-9; i++ {
		v := i * step
		label := strconv.FormatFloat(v, 'f', decimals, 64)
		if size >= 1e5 || size < 1e-3 {
			label = strconv.FormatFloat(v, 'g', digits, 64)
		}
		if v == 0 {
			label = "0" // not "-0", nor "0.00"
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: strings.Replace(label, "-", "−", 1)})
		if len(ticks) > 10*int(n) { // floating point cannot count that finely
			break
		}
	}
	return ticks
}

// decadeTicks labels powers of ten as gonum does, but of many only every few.
type decadeTicks struct{}

// Ticks implements [plot.Ticker].
func (decadeTicks) Ticks(low, high float64) []plot.Tick {
	const most = 8 // two of them beyond the ends
	ticks := plot.LogTicks{Prec: -1}.Ticks(low, high)
	labeled := 0
	for _, t := range ticks {
		if !t.IsMinor() {
			labeled++
		}
	}
	every, seen := (labeled+most-1)/most, 0
	for i := range ticks {
		if ticks[i].IsMinor() {
			continue
		}
		if seen%max(every, 1) > 0 {
			ticks[i].Label = ""
		} else if len(ticks[i].Label) > 8 { // gonum multiplies up to 1.0000000000000001e+32
			ticks[i].Label = strconv.FormatFloat(ticks[i].Value, 'e', 0, 64)
		}
		seen++
	}
	return ticks
}

// roundStep divides a range into about n steps of a round size.
func roundStep(span float64, n int) float64 {
	if !(span > 1e-300) || math.IsInf(span, 1) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(span/float64(n))))
	for _, factor := range []float64{1, 2, 5} {
		if step := factor * power; span/step <= float64(n)+0.5 {
			return step
		}
	}
	return 10 * power
}

// withAlpha makes a color translucent.
func withAlpha(c color.Color, alpha uint8) color.Color {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	n.A = alpha
	return n
}
