package plots

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/data"
	"ngebm/ngebm/study/palette"
)

// Segment is a straight line in the plane, from A to B.
type Segment struct{ From, To [2]float64 }

// length is the distance of its ends.
func (s Segment) length() float64 { return math.Hypot(s.To[0]-s.From[0], s.To[1]-s.From[1]) }

func (s Segment) check() error {
	if length := s.length(); !(length > 0) || !finite(length) {
		return fmt.Errorf("plots: the line from %v to %v has length %v: choose two places", s.From, s.To, length)
	}
	return nil
}

// Plot implements [plot.Plotter]: it draws the line on a landscape.
func (s Segment) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	from, to := vg.Point{X: trX(s.From[0]), Y: trY(s.From[1])}, vg.Point{X: trX(s.To[0]), Y: trY(s.To[1])}
	stroke(c, 1.2, c.ClipLinesXY([]vg.Point{from, to})...)
	along := to.Sub(from).Scale(vg.Length(8 / math.Hypot(float64(to.X-from.X), float64(to.Y-from.Y))))
	for name, at := range map[string]vg.Point{"A": from.Sub(along), "B": to.Add(along)} {
		if c.Contains(at) {
			caption(c, at, name)
		}
	}
}

// Profile holds energies and logits of a model along a line.
type Profile struct {
	Title    string
	Distance []float64   // from A, ascending
	Energy   []float64   // E(x) there
	Logits   [][]float64 // f(x) there, [points][classes]
	Near     *data.Dataset
	Segment  Segment
}

// nearLine is how far from a line, in parts of its length, examples are counted as
// on it.
const nearLine = 0.03

// energyLine is wide enough to be seen below the logits.
var energyLine = draw.LineStyle{Color: color.Black, Width: 3.6}

// classLines are the hues of [palette.Classes], dark enough for lines. Gray stands for black,
// which the energy has.
var classLines = []color.NRGBA{
	palette.Ocher, palette.Blue, palette.BluishGreen, palette.ReddishPurple,
	palette.Vermillion, palette.SkyBlue, palette.Olive, palette.Gray,
}

// classLine is the line of class k, of another pair of color and dashes than the first 32's.
func classLine(k int) draw.LineStyle {
	n := len(classLines)
	return draw.LineStyle{Color: classLines[k%n], Width: lineWidth, Dashes: dashes[(k+k/n)%len(dashes)]}
}

// EnergyAlong evaluates a model at n equidistant points of a line, ends included, for
// E(x) = logsumexp f(x) and the logits. near holds points to mark where they are
// close to the line, and names the classes. n must be in 2..100000.
func EnergyAlong(ctx context.Context, m Model, line Segment, near *data.Dataset, n int) (*Profile, error) {
	if n < 2 || n > 100_000 {
		return nil, fmt.Errorf("plots: %d points on a line: choose 2 to 100000, 300 are smooth", n)
	}
	if err := checkPlane(near); err != nil {
		return nil, err
	}
	if err := line.check(); err != nil {
		return nil, err
	}
	length := line.length()
	p := &Profile{Near: near, Segment: line, Distance: floats.Span(make([]float64, n), 0, length)}
	var points []float32
	for _, d := range p.Distance {
		for axis := range 2 {
			points = append(points, float32(line.From[axis]+d/length*(line.To[axis]-line.From[axis])))
		}
	}
	var err error
	if p.Logits, err = logitsAt(ctx, m, points, near.Classes); err != nil {
		return nil, err
	}
	p.Energy, err = energies(p.Logits, n)
	return p, err
}

// Profiles draws models along lines, three in a row: the energy as a wide
// black line and on top of it the logits, each in its class's color and dashes; and below them
// a tick for each example close to the line, colored by its label. Where a value is not a
// finite number its curve has a gap.
func Profiles(profiles ...*Profile) (*Figure, error) {
	if len(profiles) == 0 {
		return nil, errors.New("plots: no profile to draw")
	}
	s := figureGrid{keys: legend{lineKey("E(x) = logsumexp f(x)", energyLine, draw.GlyphStyle{})}}
	s.caption = fmt.Sprintf("Ticks below: examples no farther from the line than %g of its length.", nearLine)
	alt := ""
	columns := panelColumns(len(profiles))
	numbers := classNumbers{}
	for i, p := range profiles {
		if err := p.check(); err != nil {
			return nil, err
		}
		for _, name := range numbers.add(p.Near.Classes) {
			s.keys = append(s.keys, lineKey("f(x) of "+name, classLine(numbers[name]), draw.GlyphStyle{}))
		}
		panel := p.panel(numbers)
		if i%columns > 0 {
			panel.yLabel = ""
		}
		s.panels = append(s.panels, panel)
		low, high := finiteRange(p.Energy)
		alt += fmt.Sprintf("Energy and logits %s along a line from (%.3g, %.3g) to (%.3g, %.3g): the energy is between %.3g and %.3g, with %d examples near the line. ",
			p.Title, p.Segment.From[0], p.Segment.From[1], p.Segment.To[0], p.Segment.To[1], low, high, len(p.rug(numbers).at))
	}
	return s.figure(alt[:len(alt)-1]), nil
}

func (p *Profile) check() error {
	if p == nil || len(p.Distance) < 2 || len(p.Energy) != len(p.Distance) || len(p.Logits) != len(p.Distance) {
		return errors.New("plots: a profile needs two distances or more, and an energy and logits for each")
	}
	for i, d := range p.Distance {
		if !finite(d) || i > 0 && d <= p.Distance[i-1] {
			return fmt.Errorf("plots: the distances of the profile %q must ascend, but %v is at index %d", p.Title, d, i)
		}
	}
	if low, high := finiteRange(p.Energy); low > high {
		return fmt.Errorf("plots: no energy of the profile %q is a finite number: the model has diverged", p.Title)
	}
	return errors.Join(p.Segment.check(), checkPlane(p.Near))
}

func (p *Profile) panel(numbers classNumbers) panel {
	out := newHistoryPanel(p.Title)
	addLine(out.Plot, p.Distance, p.Energy, energyLine)
	low, high := finiteRange(p.Energy)
	for k, name := range p.Near.Classes {
		f := make([]float64, len(p.Logits))
		for i, row := range p.Logits {
			f[i] = math.NaN()
			if k < len(row) {
				f[i] = row[k]
			}
		}
		if l, h := finiteRange(f); l <= h {
			low, high = min(low, l), max(high, h)
		}
		addLine(out.Plot, p.Distance, f, classLine(numbers[name]))
	}
	pad := (high - low) / 12
	if pad == 0 {
		pad = max(math.Abs(low)/2, 1e-3)
	}
	out.X.Min, out.X.Max = p.Distance[0], p.Distance[len(p.Distance)-1]
	out.Y.Min, out.Y.Max = low-pad, high+pad/2
	out.Add(p.rug(numbers))
	out.xLabel, out.yLabel, out.aspect = "distance from A towards B", "E(x), f(x)", 0.62
	return out
}

// rug draws examples as ticks at the bottom of a panel.
type rug struct {
	at      []float64
	classes []int // their numbers
}

// rug is the examples close to the line.
func (p *Profile) rug(numbers classNumbers) (r rug) {
	length := p.Segment.length()
	ux, uy := (p.Segment.To[0]-p.Segment.From[0])/length, (p.Segment.To[1]-p.Segment.From[1])/length
	for i, label := range p.Near.Labels {
		x, y := float64(p.Near.Points[2*i])-p.Segment.From[0], float64(p.Near.Points[2*i+1])-p.Segment.From[1]
		if along := x*ux + y*uy; along >= 0 && along <= length && math.Abs(x*uy-y*ux) <= nearLine*length {
			r.at, r.classes = append(r.at, along), append(r.classes, numbers[p.Near.Classes[label]])
		}
	}
	return r
}

// Plot implements [plot.Plotter].
func (r rug) Plot(c draw.Canvas, p *plot.Plot) {
	trX, _ := p.Transforms(&c)
	for i, at := range r.at {
		style := draw.LineStyle{Color: withAlpha(classLine(r.classes[i]).Color, 0xa0), Width: 0.8}
		c.StrokeLine2(style, trX(at), c.Min.Y, trX(at), c.Min.Y+7)
	}
}

// finiteRange is the smallest and the largest finite value.
func finiteRange(values []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if finite(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	return low, high
}
