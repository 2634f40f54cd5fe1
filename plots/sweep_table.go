package plots

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"ngebm/ngebm/study"
	"slices"
	"strings"

	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// checkSweep refuses a table that cannot be drawn, and returns the indices of metrics
// in it.
func checkSweep(t *study.SweepTable, figures ...string) ([]int, error) {
	if t == nil || len(t.Rows) == 0 {
		return nil, errors.New("plots: the sweep's table has no rows to draw")
	}
	var places []int
	for _, name := range figures {
		k, err := t.Index(name)
		if err != nil {
			return nil, err
		}
		places = append(places, k)
	}
	for i, r := range t.Rows {
		if len(r.Settings) != len(t.Grid) || len(r.Metrics) != len(t.Metrics) && len(r.Metrics) > 0 {
			return nil, fmt.Errorf("plots: row %d of the sweep's table has %d settings and %d metrics, the table has %d and %d", i, len(r.Settings), len(r.Metrics), len(t.Grid), len(t.Metrics))
		}
		for j, v := range r.Settings {
			if !slices.Contains(t.Grid[j].Values, v) {
				return nil, fmt.Errorf("plots: row %d of the sweep's table has %s = %s, which its grid lacks", i, t.Grid[j].Key, v)
			}
		}
		for _, k := range places {
			if drawable(r) && !(finite(r.Metrics[k].Mean) && finite(r.Metrics[k].High)) {
				return nil, fmt.Errorf("plots: %s of row %d of the sweep's table is %v ± %v", t.Metrics[k].Name, i, r.Metrics[k].Mean, r.Metrics[k].Half())
			}
		}
	}
	if !slices.ContainsFunc(t.Rows, drawable) {
		return nil, errors.New("plots: no row of the sweep's table has metrics for all seeds: nothing to compare")
	}
	return places, nil
}

// drawable reports whether every seed of a row has metrics: means over the seeds that
// did not fail would be biased.
func drawable(r study.SweepRow) bool { return len(r.Failed) == 0 && len(r.Metrics) > 0 }

// settingName writes a weight by its letter.
func settingName(key string) string {
	if letter, ok := map[string]string{"alpha": "α", "beta": "β", "gamma": "γ"}[key]; ok {
		return letter
	}
	return key
}

// settingValue writes .1 as 0.1.
func settingValue(v string) string {
	if strings.HasPrefix(v, ".") {
		return "0" + v
	}
	return v
}

// withDirection is a metric's name and which direction is better.
func withDirection(f study.Metric) string {
	return fmt.Sprintf("%s (%s is better)", f.Name, f.Direction())
}

// seedsSaid writes how many seeds the means are over and what the intervals are.
func seedsSaid(t *study.SweepTable) string {
	if len(t.Seeds) == 1 {
		return fmt.Sprintf("One seed, on %d validation examples: no interval.", t.Validation)
	}
	return fmt.Sprintf("Means over %d seeds, on %d validation examples each; ±: to the farther end of the 95 %% t-interval over seeds.", len(t.Seeds), t.Validation)
}

// heat turns a metric into colors from the worst (dark) to the best (bright).
type heat struct {
	figure    study.Metric
	low, high float64    // of the colors
	means     [2]float64 // the least and the most
	colors    palette.ColorMap
}

// newHeat covers the means of one metric.
func newHeat(t *study.SweepTable, k int) (heat, error) {
	h := heat{figure: t.Metrics[k], low: math.Inf(1), high: math.Inf(-1)}
	for _, r := range t.Rows {
		if drawable(r) {
			h.low, h.high = min(h.low, r.Metrics[k].Mean), max(h.high, r.Metrics[k].Mean)
		}
	}
	h.means = [2]float64{h.low, h.high}
	if flat(h.low, h.high) { // all the same
		pad := max(math.Abs(h.low)/100, 1e-3)
		h.low, h.high = h.low-pad, h.high+pad
	}
	var err error
	h.colors, err = energyMap(0, 1)
	return h, err
}

// color is the one of a value.
func (h heat) color(v float64) color.Color {
	part := min(max((v-h.low)/(h.high-h.low), 0), 1)
	if !h.figure.HigherIsBetter {
		part = 1 - part
	}
	c, err := h.colors.At(part)
	if err != nil {
		return missing // At refuses only what is not in [0,1]
	}
	return c
}

// on is black or white, whichever is easier to read on a color.
func on(c color.Color) color.Color {
	r, g, b, _ := c.RGBA()
	if .299*float64(r)+.587*float64(g)+.114*float64(b) > .5*0xffff {
		return color.Black
	}
	return color.White
}

// drawBar draws the color bar with its numbers and its label below it.
func (h heat) drawBar(c draw.Canvas) {
	const height, steps = 9, 64
	top := c.Max.Y - 4
	x := func(v float64) vg.Length { return c.X((v - h.low) / (h.high - h.low)) }
	at := func(i int) float64 { return h.low + (h.high-h.low)*float64(i)/steps }
	for i := range steps {
		// To the end: what the next covers leaves no seam.
		fillBox(c, h.color((at(i)+at(i+1))/2), x(at(i)), top-height, c.Max.X, top)
	}
	line := draw.LineStyle{Color: frame, Width: thinWidth}
	c.StrokeLines(line, []vg.Point{{X: c.Min.X, Y: top - height}, {X: c.Max.X, Y: top - height}, {X: c.Max.X, Y: top}, {X: c.Min.X, Y: top}, {X: c.Min.X, Y: top - height}})
	text := textStyle(tickSize, false)
	text.XAlign, text.YAlign = draw.XCenter, draw.YTop
	for _, tick := range roundTicks(4).Ticks(h.low, h.high) {
		c.StrokeLine2(line, x(tick.Value), top-height, x(tick.Value), top-height-3)
		half := text.Width(tick.Label) / 2
		c.FillText(text, vg.Point{X: min(max(x(tick.Value), c.Min.X+half), c.Max.X-half), Y: top - height - 4}, tick.Label)
	}
	label := textStyle(labelSize, false)
	label.XAlign, label.YAlign = draw.XCenter, draw.YTop
	c.FillText(label, vg.Point{X: c.Center().X, Y: top - height - 4 - 1.25*tickSize}, shorten(withDirection(h.figure), c.Size().X, label.Width))
}
