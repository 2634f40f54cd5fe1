package plots

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/ngebm/bootstrap"
)

// Tradeoff draws metrics of methods against what each method costs, a panel for each
// metric: a marker at the mean of the seeds, a bar over its interval, or over the
// seeds where there is none. costs holds one amount above 0 for every method that a
// panel names; its axis, labeled with cost, is logarithmic.
func Tradeoff(cost string, costs map[string]float64, panels ...SummaryPanel) (*Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("plots: no metrics to draw against their cost")
	}
	var keys legend
	marks, colors := map[string]draw.GlyphStyle{}, estimateColors(panels)
	var drawn []panel
	alt := []string{}
	for _, p := range panels {
		if err := p.check(); err != nil {
			return nil, err
		}
		one := newPlot()
		one.Add(gridLines{})
		low, high := 0., 0.
		for i, e := range p.Estimates {
			c, ok := costs[e.Name]
			if !(c > 1e-300) || !finite(c) {
				if !ok {
					return nil, fmt.Errorf("plots: the cost of %q is not given", e.Name)
				}
				return nil, fmt.Errorf("plots: the cost of %q is %v: it must be a finite number above 0", e.Name, c)
			}
			if _, known := marks[e.Name]; !known {
				mark := classMark(len(marks), 4)
				mark.Color = colors[e.Name]
				marks[e.Name] = mark
				keys = append(keys, lineKey(e.Name, draw.LineStyle{}, mark))
			}
			span := spanOf(e)
			if i == 0 {
				one.X.Min, one.X.Max, low, high = c, c, span.Low, span.High
			}
			one.X.Min, one.X.Max = min(one.X.Min, c), max(one.X.Max, c)
			low, high = min(low, span.Low), max(high, span.High)
		}
		one.X.Min, one.X.Max = one.X.Min/1.3, one.X.Max*1.3
		one.X.Scale, one.X.Tick.Marker = plot.LogScale{}, factorTicks{}
		pad := (high - low) / 12
		if flat(low, high) { // all the same
			pad = max(math.Abs(low)/10, 1e-3)
		}
		one.Y.Min, one.Y.Max = low-pad, high+pad
		one.Add(tradeoffPoints{p.Estimates, costs, marks})
		of := panel{Plot: one, title: p.Title, xLabel: cost + " (logarithmic)", aspect: .8}
		if p.Note != "" {
			of.notes = []string{p.Note}
		}
		drawn = append(drawn, of)
		alt = append(alt, p.alt())
	}
	var amounts []string
	for _, e := range panels[0].Estimates {
		amounts = append(amounts, fmt.Sprintf("%s %.3g", e.Name, costs[e.Name]))
	}
	alt = append(alt, fmt.Sprintf("All against %s: %s.", cost, strings.Join(amounts, ", ")))
	var bars []string
	if key := intervalKey(panels); key != "" {
		bars = append(bars, key)
	}
	if slices.ContainsFunc(panels, SummaryPanel.hasRange) {
		bars = append(bars, "range of the seeds")
	}
	if len(bars) > 0 {
		keys = append(keys, lineKey(strings.Join(bars, ", or "), draw.LineStyle{Color: foreground, Width: lineWidth}, draw.GlyphStyle{}))
	}
	return figureGrid{keys: keys, panels: drawn}.figure(strings.Join(alt, " ")), nil
}

// hasRange reports whether the bar of an estimate is the range of its seeds.
func (p SummaryPanel) hasRange() bool {
	return slices.ContainsFunc(p.Estimates, func(e Estimate) bool { return e.Interval == nil && len(e.Seeds) > 1 })
}

// spanOf is the estimate's interval, or the range of its seeds.
func spanOf(e Estimate) bootstrap.Interval {
	if e.Interval != nil {
		return *e.Interval
	}
	span := bootstrap.Interval{Low: e.Seeds[0], High: e.Seeds[0]}
	for _, v := range e.Seeds {
		span.Low, span.High = min(span.Low, v), max(span.High, v)
	}
	return span
}

// factorTicks labels 1, 2 and 5 times the powers of ten; the powers alone over more
// than three of them, and round values where the range holds less than two of these.
type factorTicks struct{}

// Ticks implements [plot.Ticker].
func (factorTicks) Ticks(low, high float64) []plot.Tick {
	if high > 1000*low {
		return decadeTicks{}.Ticks(low, high)
	}
	var ticks []plot.Tick
	for power := math.Pow10(int(math.Floor(math.Log10(low)))); power <= high; power *= 10 {
		for _, factor := range []float64{1, 2, 5} {
			if v := factor * power; v >= low && v <= high {
				ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%.4g", v)})
			}
		}
	}
	if len(ticks) < 2 {
		return roundTicks(4).Ticks(low, high)
	}
	return ticks
}

// tradeoffPoints draws the estimates at their costs.
type tradeoffPoints struct {
	estimates []Estimate
	costs     map[string]float64
	marks     map[string]draw.GlyphStyle
}

// Plot implements [plot.Plotter].
func (t tradeoffPoints) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	for _, e := range t.estimates {
		x, span := trX(t.costs[e.Name]), spanOf(e)
		line := draw.LineStyle{Color: withAlpha(t.marks[e.Name].Color, 0xa0), Width: lineWidth}
		c.StrokeLine2(line, x, trY(span.Low), x, trY(span.High))
	}
	for _, e := range t.estimates {
		c.DrawGlyphNoClip(t.marks[e.Name], vg.Point{X: trX(t.costs[e.Name]), Y: trY(stat.Mean(e.Seeds, nil))})
	}
}
