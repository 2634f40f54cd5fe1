package plots

import (
	"fmt"
	"image/color"
	"ngebm/ngebm/study"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// WeightMap draws one metric of a sweep over two of its settings, such as "beta" and
// "gamma": a cell for each pair, with the mean over seeds and half its interval
// written in it, brighter where it is better, the best one framed. A sweep of more
// settings gets a panel for each combination of the others, all in the same colors.
// Cells with a seed that failed are gray.
func WeightMap(t *study.SweepTable, metric, x, y string) (*Figure, error) {
	places, err := checkSweep(t, metric)
	if err != nil {
		return nil, err
	}
	m := weightMap{table: t, metric: places[0], x: gridPlace(t, x), y: gridPlace(t, y)}
	if m.x < 0 || m.y < 0 || x == y {
		return nil, fmt.Errorf("plots: a map of %q and %q: name two settings of the sweep's grid, %s", x, y, t.Grid)
	}
	if m.heat, err = newHeat(t, m.metric); err != nil {
		return nil, err
	}
	if m.best, err = t.Best(metric); err != nil {
		return nil, err
	}
	var drawn []panel
	titles := m.titles()
	for i, title := range titles {
		p := m.panel(title, len(titles))
		if i%panelColumns(len(titles)) == 0 {
			p.yLabel = settingName(y)
		}
		drawn = append(drawn, p)
	}
	keys := legend{{"best mean", func(c draw.Canvas) { bestFrame(c, c.Min.X+3, c.Min.Y+2, c.Max.X-3, c.Max.Y-2) }}}
	if slices.ContainsFunc(t.Rows, func(r study.SweepRow) bool { return !drawable(r) }) {
		keys = append(keys, boxKey("a seed failed", missing))
	}
	best := t.Rows[m.best]
	alt := fmt.Sprintf("Map of %s over %s and %s, from %.3g to %.3g; best is %.3f at %s.", withDirection(t.Metrics[m.metric]), settingName(x), settingName(y),
		m.heat.means[0], m.heat.means[1], best.Metrics[m.metric].Mean, settingsSaid(t, best.Settings))
	caption := fmt.Sprintf("%s: %s. Brighter is better. %s", metric, t.Metrics[m.metric].Definition, seedsSaid(t))
	return figureGrid{keys, drawn, caption}.figure(alt), nil
}

// weightMap is a metric of a sweep over two settings of its grid.
type weightMap struct {
	table              *study.SweepTable
	metric, x, y, best int
	heat               heat
}

func gridPlace(t *study.SweepTable, key string) int {
	return slices.IndexFunc(t.Grid, func(s study.GridSetting) bool { return s.Key == key })
}

// settingsSaid writes settings as "β = 0.1, γ = 0".
func settingsSaid(t *study.SweepTable, values []string) string {
	var parts []string
	for i, v := range values {
		parts = append(parts, settingName(t.Grid[i].Key)+" = "+settingValue(v))
	}
	return strings.Join(parts, ", ")
}

// title names the values that the row's panel shares.
func (m weightMap) title(r study.SweepRow) string {
	var parts []string
	for i, v := range r.Settings {
		if i != m.x && i != m.y {
			parts = append(parts, settingName(m.table.Grid[i].Key)+" = "+settingValue(v))
		}
	}
	return strings.Join(parts, ", ")
}

// titles lists the panels.
func (m weightMap) titles() []string {
	var titles []string
	for _, r := range m.table.Rows {
		if title := m.title(r); !slices.Contains(titles, title) {
			titles = append(titles, title)
		}
	}
	return titles
}

// panel draws the rows of one title.
func (m weightMap) panel(title string, panels int) panel {
	one := newPlot()
	xs, ys := m.table.Grid[m.x].Values, m.table.Grid[m.y].Values
	one.X.Min, one.X.Max, one.Y.Min, one.Y.Max = 0, float64(len(xs)), 0, float64(len(ys))
	one.X.Tick.Marker, one.Y.Tick.Marker = middles(xs), middles(ys)
	one.X.Tick.Length, one.Y.Tick.Length = 0, 0
	one.Add(weightCells{m, title})
	p := panel{Plot: one, title: title, aspect: min(max(.62*float64(len(ys))/float64(len(xs)), .3), 1.4), xLabel: settingName(m.table.Grid[m.x].Key)}
	if panels == 1 {
		p.title = m.table.Metrics[m.metric].Name
	}
	p.below, p.belowHeight = m.heat.drawBar, barSpace
	return p
}

// middles labels the middle of each cell.
func middles(values []string) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for i, v := range values {
		ticks = append(ticks, plot.Tick{Value: float64(i) + .5, Label: settingValue(v)})
	}
	return ticks
}

// weightCells draws the cells of one panel.
type weightCells struct {
	weightMap
	title string
}

// Plot implements [plot.Plotter].
func (w weightCells) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	var mark func()
	for i, r := range w.table.Rows {
		if w.weightMap.title(r) != w.title {
			continue
		}
		x := slices.Index(w.table.Grid[w.x].Values, r.Settings[w.x])
		y := slices.Index(w.table.Grid[w.y].Values, r.Settings[w.y])
		left, right, bottom, top := trX(float64(x)), trX(float64(x+1)), trY(float64(y)), trY(float64(y+1))
		fill, lines := color.Color(missing), []string{fmt.Sprintf("%d of %d", len(r.Failed), len(w.table.Seeds)), "failed"}
		if drawable(r) {
			e := r.Metrics[w.metric]
			fill, lines = w.heat.color(e.Mean), []string{fmt.Sprintf("%.3f", e.Mean)}
			if len(e.Values) > 1 && !e.Equal() {
				lines = append(lines, fmt.Sprintf("± %.3f", e.Half()))
			}
		}
		fillBox(c, fill, left, bottom, right, top)
		writeInCell(c, on(fill), lines, left, bottom, right, top)
		if i == w.best {
			mark = func() { bestFrame(c, left+1.5, bottom+1.5, right-1.5, top-1.5) }
		}
	}
	if mark != nil { // above the neighbors
		mark()
	}
}

// writeInCell writes lines in the middle of a cell, in the largest size that fits,
// and only the first where no size fits all.
func writeInCell(c draw.Canvas, in color.Color, lines []string, left, bottom, right, top vg.Length) {
	for _, size := range []vg.Length{labelSize, tickSize, 7, 6} {
		style := textStyle(size, false)
		style.Color, style.XAlign, style.YAlign = in, draw.XCenter, draw.YCenter
		for _, some := range [][]string{lines, lines[:1]} {
			fits := vg.Length(len(some))*size*1.3 <= top-bottom-4
			for _, line := range some {
				fits = fits && style.Width(line) <= right-left-6
			}
			if !fits || len(some) < len(lines) && size > 6 {
				continue
			}
			for i, line := range some {
				y := (bottom+top)/2 + size*1.3*(vg.Length(len(some)-1)/2-vg.Length(i))
				c.FillText(style, vg.Point{X: (left + right) / 2, Y: y}, line)
			}
			return
		}
	}
}

// bestFrame frames a cell, to be seen on dark and bright ground.
func bestFrame(c draw.Canvas, left, bottom, right, top vg.Length) {
	for _, style := range boundaryStyles {
		c.StrokeLines(style, []vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}, {X: left, Y: bottom}, {X: right, Y: bottom}})
	}
}
