package plots

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Scores are the values of one score on one dataset. A larger score means more
// in-distribution.
type Scores struct {
	Name   string // of the dataset
	Values []float64
}

// ScorePanel is one score, in and out of the distribution.
type ScorePanel struct {
	Title string // the score and the model, "NG-EBM: energy E(x)"
	In    Scores
	Out   []Scores
}

const scoreBins = 40

// ScoreHistograms draws the density of scores, three panels in a row: the
// in-distribution set filled, the others as outlines, which have the same color
// in every panel. Each panel has its own axis. It may leave out some of the
// lowest and the highest 0.5 % of a set, which can be far out; the density is
// still that of all values.
func ScoreHistograms(panels ...ScorePanel) (*Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("plots: no scores to draw")
	}
	var ins, outs []string
	for _, p := range panels {
		if err := p.check(); err != nil {
			return nil, err
		}
		if !slices.Contains(ins, p.In.Name) {
			ins = append(ins, p.In.Name)
		}
		for _, o := range p.Out {
			if !slices.Contains(outs, o.Name) {
				outs = append(outs, o.Name)
			}
		}
	}
	styles := defaultStyles(len(outs))
	var drawn []panel
	var alt []string
	for i, p := range panels {
		one := p.panel(outs, styles)
		if i%panelColumns(len(panels)) == 0 {
			one.yLabel = "density"
		}
		drawn = append(drawn, one)
		alt = append(alt, p.alt())
	}
	keys := legend{boxKey(strings.Join(ins, ", ")+" (in)", inFill)}
	for i, name := range outs {
		keys = append(keys, lineKey(name+" (out)", styles[i], draw.GlyphStyle{}))
	}
	return figureGrid{keys: keys, panels: drawn}.figure(strings.Join(alt, " ")), nil
}

// inFill is neutral, so that colors are left to distinguish the other sets.
var inFill = withAlpha(foreground, 0x50)

func (p ScorePanel) check() error {
	for _, s := range p.sets() {
		if len(s.Values) == 0 {
			return fmt.Errorf("plots: %q has no scores on %q", p.Title, s.Name)
		}
		if i := slices.IndexFunc(s.Values, func(v float64) bool { return !finite(v) }); i >= 0 {
			return fmt.Errorf("plots: score %d of %q on %q is %v", i, p.Title, s.Name, s.Values[i])
		}
	}
	return nil
}

func (p ScorePanel) sets() []Scores { return append([]Scores{p.In}, p.Out...) }

func (p ScorePanel) panel(outs []string, styles []draw.LineStyle) panel {
	low, high := math.Inf(1), math.Inf(-1)
	lowest, highest := low, high
	for _, s := range p.sets() {
		sorted := slices.Sorted(slices.Values(s.Values))
		low = min(low, stat.Quantile(0.005, stat.Empirical, sorted, nil))
		high = max(high, stat.Quantile(0.995, stat.Empirical, sorted, nil))
		lowest, highest = min(lowest, sorted[0]), max(highest, sorted[len(sorted)-1])
	}
	room := (high - low) / 12
	low, high = max(low-room, lowest), min(high+room, highest)
	if flat(low, high) { // all the same
		pad := max(math.Abs(low)/10, 0.5)
		low, high = low-pad, high+pad
	}
	edges := floats.Span(make([]float64, scoreBins+1), low, high)
	one := newPlot()
	one.X.Min, one.X.Max, one.Y.Min = low, high, 0
	one.X.Tick.Marker = roundTicks(4)
	one.Add(gridLines{})
	steps := []density{newDensity(p.In.Values, edges, draw.LineStyle{Color: withAlpha(foreground, 0xa0), Width: thinWidth}, true)}
	for _, s := range p.Out {
		steps = append(steps, newDensity(s.Values, edges, styles[slices.Index(outs, s.Name)], false))
	}
	for _, s := range steps {
		one.Add(s)
		one.Y.Max = max(one.Y.Max, floats.Max(s.heights)*1.05)
	}
	return panel{Plot: one, title: p.Title, xLabel: "score (in-distribution →)", aspect: 0.8}
}

// density is a histogram of area 1 over equal bins, drawn as steps.
type density struct {
	edges, heights []float64
	style          draw.LineStyle
	filled         bool
}

func newDensity(values, edges []float64, style draw.LineStyle, filled bool) density {
	d := density{edges, make([]float64, len(edges)-1), style, filled}
	low, high := edges[0], edges[len(edges)-1]
	width := (high - low) / float64(len(d.heights))
	for _, v := range values {
		if v >= low && v <= high {
			d.heights[min(int((v-low)/width), len(d.heights)-1)] += 1 / (width * float64(len(values)))
		}
	}
	return d
}

// Plot implements [plot.Plotter].
func (d density) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	outline := []vg.Point{{X: trX(d.edges[0]), Y: trY(0)}}
	for i, h := range d.heights {
		outline = append(outline, vg.Point{X: trX(d.edges[i]), Y: trY(h)}, vg.Point{X: trX(d.edges[i+1]), Y: trY(h)})
	}
	outline = append(outline, vg.Point{X: trX(d.edges[len(d.edges)-1]), Y: trY(0)})
	if d.filled {
		c.FillPolygon(inFill, outline)
	}
	c.StrokeLines(d.style, outline)
}

func (p ScorePanel) alt() string {
	var parts []string
	for i, s := range p.sets() {
		side := "in"
		if i > 0 {
			side = "out"
		}
		sorted := slices.Sorted(slices.Values(s.Values))
		quartile := func(q float64) float64 { return stat.Quantile(q, stat.Empirical, sorted, nil) }
		parts = append(parts, fmt.Sprintf("%s (%s) has its median at %.3g and its middle half from %.3g to %.3g", s.Name, side, quartile(0.5), quartile(0.25), quartile(0.75)))
	}
	return fmt.Sprintf("Histograms of scores, %s: %s.", p.Title, strings.Join(parts, "; "))
}
