package plots

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/ngebm/bootstrap"
)

// Estimate is one metric of one method.
type Estimate struct {
	Name     string              // the method's
	Seeds    []float64           // one value for each training run
	Color    color.Color         // nil leaves the choice to the figure; in several panels, the first one's counts
	Interval *bootstrap.Interval // 95 %; of several seeds, from the lowest to the highest end; nil for none
}

// SummaryPanel compares methods in one metric.
type SummaryPanel struct {
	Title     string // the metric: "ECE"
	Note      string // below the title: its convention, or which way is better
	Estimates []Estimate
	Bars      string // what intervals are, in the legend; "" for those of Estimate
}

const (
	summaryRow    vg.Length = 24
	maxNamesWidth vg.Length = 180
)

// Summary draws metrics of several methods, a line for each method and three
// panels in a row: the mean of the seeds, its interval, and each seed as a small
// dot below. Methods are in the order in which they first appear, from the
// top; one without an estimate leaves its line empty. An axis starts at zero
// unless all values are far from it; where all are positive and means differ
// a hundredfold, it is logarithmic, and says so.
func Summary(panels ...SummaryPanel) (*Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("plots: no metrics to draw")
	}
	var names []string
	for _, p := range panels {
		if err := p.check(); err != nil {
			return nil, err
		}
		for _, e := range p.Estimates {
			if !slices.Contains(names, e.Name) {
				names = append(names, e.Name)
			}
		}
	}
	colors := estimateColors(panels)
	style := textStyle(labelSize, false)
	var widest vg.Length
	labels := make([]string, len(names))
	for i, name := range names {
		labels[i] = shorten(name, maxNamesWidth, style.Width)
		widest = max(widest, style.Width(labels[i]))
	}
	columns := panelColumns(len(panels))
	across := [4]vg.Length{0, 5*vg.Inch - widest, (fullWidth - widest) / 2, (fullWidth - widest) / 3}[columns] - 2*gap
	var drawn []panel
	var alt []string
	for i, p := range panels {
		one := p.panel(names, colors)
		one.aspect = float64(summaryRow*vg.Length(len(names))) / float64(across)
		if i%columns == 0 {
			one.Add(rowNames(labels))
			one.leftWidth = widest + gap/2
		}
		drawn = append(drawn, one)
		alt = append(alt, p.alt())
	}
	keys := legend{lineKey("mean of the seeds", draw.LineStyle{}, meanMark(foreground)), lineKey("one seed", draw.LineStyle{}, seedMark(foreground))}
	if key := intervalKey(panels); key != "" {
		keys = append(keys, lineKey(key, draw.LineStyle{Color: foreground, Width: lineWidth}, draw.GlyphStyle{}))
	}
	return figureGrid{keys: keys, panels: drawn}.figure(strings.Join(alt, " ")), nil
}

// estimateColors is the color of each name.
func estimateColors(panels []SummaryPanel) map[string]color.Color {
	var all []named
	for _, p := range panels {
		for _, e := range p.Estimates {
			all = append(all, named{e.Name, e.Color})
		}
	}
	return colorsByName(all)
}

// What a bar or band of intervals is, in legends.
const (
	oneInterval    = "95 % interval"
	rangeOfSeveral = "range of the seeds’ 95 % intervals"
)

// intervalKey names the bars of panels in a legend, all kinds of them; empty where there are none.
func intervalKey(panels []SummaryPanel) string {
	var keys []string
	for _, p := range panels {
		for _, e := range p.Estimates {
			key := p.Bars
			switch {
			case e.Interval == nil:
				continue
			case key == "" && len(e.Seeds) > 1:
				key = rangeOfSeveral
			case key == "":
				key = oneInterval
			}
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	if slices.Contains(keys, rangeOfSeveral) { // which that of one seed is, too
		keys = slices.DeleteFunc(keys, func(key string) bool { return key == oneInterval })
	}
	return strings.Join(keys, ", or ")
}

func (p SummaryPanel) check() error {
	if len(p.Estimates) == 0 {
		return fmt.Errorf("plots: %q has no estimates", p.Title)
	}
	for i, e := range p.Estimates {
		if len(e.Seeds) == 0 {
			return fmt.Errorf("plots: %s of %q has no values", p.Title, e.Name)
		}
		if slices.ContainsFunc(p.Estimates[:i], func(other Estimate) bool { return other.Name == e.Name }) {
			return fmt.Errorf("plots: %s of %q is given twice: give all seeds in one estimate", p.Title, e.Name)
		}
		values := slices.Clone(e.Seeds)
		if e.Interval != nil {
			values = append(values, e.Interval.Low, e.Interval.High)
		}
		for _, v := range values {
			if !finite(v) {
				return fmt.Errorf("plots: %s of %q is %v", p.Title, e.Name, v)
			}
		}
	}
	return nil
}

func (p SummaryPanel) panel(names []string, colors map[string]color.Color) panel {
	one := newPlot()
	low, high := math.Inf(1), math.Inf(-1)
	for _, e := range p.Estimates {
		low, high = min(low, slices.Min(e.Seeds)), max(high, slices.Max(e.Seeds))
		if e.Interval != nil {
			low, high = min(low, e.Interval.Low), max(high, e.Interval.High)
		}
	}
	pad := (high - low) * 0.06
	if flat(low, high) { // all the same
		pad = max(math.Abs(low)/10, 1e-3)
	}
	one.X.Min, one.X.Max = low-pad, high+pad
	if low >= 0 && low < high/2 {
		one.X.Min = 0
	}
	one.Y.Min, one.Y.Max = 0, float64(len(names))
	one.X.Tick.Marker = roundTicks(4)
	one.Y.Tick.Marker = plot.ConstantTicks(nil)
	one.HideY()
	one.Add(summaryRows{p.Estimates, names, colors})
	panel := panel{Plot: one, title: p.Title}
	if p.Note != "" {
		panel.notes = []string{p.Note}
	}
	if low > 1e-300 && p.spread() > 100 { // LogTicks never ends below
		one.X.Scale, one.X.Tick.Marker = plot.LogScale{}, decadeTicks{}
		one.X.Min, one.X.Max = low/1.15, high*1.15
		panel.xLabel = "logarithmic"
	}
	return panel
}

// spread is the largest mean over the smallest.
func (p SummaryPanel) spread() float64 {
	var means []float64
	for _, e := range p.Estimates {
		means = append(means, stat.Mean(e.Seeds, nil))
	}
	return slices.Max(means) / slices.Min(means)
}

func meanMark(c color.Color) draw.GlyphStyle {
	return draw.GlyphStyle{Color: c, Radius: 3, Shape: draw.CircleGlyph{}}
}

func seedMark(c color.Color) draw.GlyphStyle {
	return draw.GlyphStyle{Color: withAlpha(c, 0xa0), Radius: 1.9, Shape: draw.CircleGlyph{}}
}

// summaryRows draws the estimates, each in the middle of its name's row.
type summaryRows struct {
	estimates []Estimate
	names     []string
	colors    map[string]color.Color
}

// Plot implements [plot.Plotter].
func (s summaryRows) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	gridLines{ofX: true}.Plot(c, p)
	for _, e := range s.estimates {
		y := trY(rowMiddle(slices.Index(s.names, e.Name), len(s.names)))
		c.StrokeLine2(draw.LineStyle{Color: faint, Width: thinWidth}, c.Min.X, y, c.Max.X, y)
		col := s.colors[e.Name]
		if e.Interval != nil {
			c.StrokeLine2(draw.LineStyle{Color: col, Width: lineWidth}, trX(e.Interval.Low), y, trX(e.Interval.High), y)
		}
		c.DrawGlyphNoClip(meanMark(col), vg.Point{X: trX(stat.Mean(e.Seeds, nil)), Y: y})
		for _, v := range e.Seeds {
			c.DrawGlyphNoClip(seedMark(col), vg.Point{X: trX(v), Y: y - 7.5})
		}
	}
}

// rowMiddle is the middle of row i of n on the y axis, the first on top.
func rowMiddle(i, n int) float64 { return float64(n-i) - 0.5 }

// rowNames writes the rows' names to the left of a plot.
type rowNames []string

// Plot implements [plot.Plotter].
func (names rowNames) Plot(c draw.Canvas, p *plot.Plot) {
	_, trY := p.Transforms(&c)
	style := textStyle(labelSize, false)
	style.XAlign, style.YAlign = draw.XRight, draw.YCenter
	for i, name := range names {
		c.FillText(style, vg.Point{X: c.Min.X - gap/2, Y: trY(rowMiddle(i, len(names)))}, name)
	}
}

func (p SummaryPanel) alt() string {
	var parts []string
	for _, e := range p.Estimates {
		text := fmt.Sprintf("%s %.3g", e.Name, stat.Mean(e.Seeds, nil))
		if e.Interval != nil {
			text += fmt.Sprintf(" (%.3g to %.3g)", e.Interval.Low, e.Interval.High)
		}
		parts = append(parts, text)
	}
	return fmt.Sprintf("%s: %s.", p.Title, strings.Join(parts, ", "))
}
