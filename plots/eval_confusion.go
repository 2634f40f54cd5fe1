package plots

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/ngebm/study/palette"
)

// maxConfused is the number of classes beyond which cells are too small to be seen.
const maxConfused = 100

// Confusion draws a confusion matrix: a row for each class that examples have, a column for
// each class that was predicted, as in calibration and measure reports. Counts are written in
// the cells, and the darker a cell, the larger its share of its row: the diagonal is right.
// The square root of the share sets the color, so that rare errors are seen too.
func Confusion(title string, classes []string, counts [][]int) (*Figure, error) {
	n := len(classes)
	if n < 2 || n > maxConfused {
		return nil, fmt.Errorf("plots: a confusion matrix of %d classes: it must have from 2 to %d", n, maxConfused)
	}
	if len(counts) != n {
		return nil, fmt.Errorf("plots: a confusion matrix of %d rows for %d classes", len(counts), n)
	}
	for i, row := range counts {
		if len(row) != n {
			return nil, fmt.Errorf("plots: row %d (%s) of a confusion matrix has %d counts for %d classes", i, classes[i], len(row), n)
		}
		if at := slices.IndexFunc(row, func(v int) bool { return v < 0 }); at >= 0 {
			return nil, fmt.Errorf("plots: a confusion matrix counts %d examples of %s as %s", row[at], classes[i], classes[at])
		}
	}
	one := newPlot()
	one.X.Min, one.X.Max, one.Y.Min, one.Y.Max = 0, float64(n), 0, float64(n)
	one.X.Tick.Length, one.Y.Tick.Length = 0, 0
	names, widest := make([]string, n), vg.Length(0)
	style := textStyle(tickSize, false)
	for i, name := range classes {
		names[i] = shorten(name, maxNamesWidth/2, style.Width)
		widest = max(widest, style.Width(names[i]))
	}
	cell := (5*vg.Inch - 2*margin - yLabelWidth - widest) / vg.Length(n)
	if widest > cell-4 {
		one.X.Tick.Label.Rotation, one.X.Tick.Label.XAlign, one.X.Tick.Label.YAlign = math.Pi/2, draw.XRight, draw.YCenter
		one.X.Tick.Length, one.X.Tick.Width = 5, 0 // gonum lets turned labels begin above the axis
	}
	one.X.Tick.Marker = cellTicks(names, cell)
	slices.Reverse(names) // the first class on top
	one.Y.Tick.Marker = cellTicks(names, cell)
	one.Add(confusion(counts))
	p := panel{Plot: one, title: title, aspect: 1, xLabel: "predicted class", yLabel: "class"}
	return figureGrid{panels: []panel{p}, caption: "A cell is the darker, the larger its share of its row."}.figure(confusionAlt(title, classes, counts)), nil
}

// cellTicks names the middle of each cell, or of every few where cells are smaller than text.
func cellTicks(names []string, cell vg.Length) plot.ConstantTicks {
	every := max(1, int(math.Ceil(float64(1.1*tickSize/cell))))
	var ticks plot.ConstantTicks
	for i := 0; i < len(names); i += every {
		ticks = append(ticks, plot.Tick{Value: float64(i) + .5, Label: names[i]})
	}
	return ticks
}

// confusion draws the cells.
type confusion [][]int

// Plot implements [plot.Plotter].
func (m confusion) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	for i, row := range m {
		total := sum(row)
		bottom, top := trY(float64(len(m)-1-i)), trY(float64(len(m)-i))
		for j, count := range row {
			left, right := trX(float64(j)), trX(float64(j+1))
			share := 0.
			if total > 0 {
				share = float64(count) / float64(total)
			}
			fill := between(color.NRGBA{0xff, 0xff, 0xff, 0xff}, palette.Blue, math.Sqrt(share))
			fillBox(c, fill, left, bottom, right, top)
			if count > 0 && right-left > 14 {
				writeInCell(c, on(fill), []string{fmt.Sprint(count)}, left, bottom, right, top)
			}
		}
	}
	line := draw.LineStyle{Color: faint, Width: thinWidth}
	for i := range len(m) + 1 {
		c.StrokeLine2(line, trX(float64(i)), c.Min.Y, trX(float64(i)), c.Max.Y)
		c.StrokeLine2(line, c.Min.X, trY(float64(i)), c.Max.X, trY(float64(i)))
	}
}

func sum(row []int) (total int) {
	for _, v := range row {
		total += v
	}
	return total
}

// between mixes two colors: 0 is the first, 1 the second.
func between(a, b color.NRGBA, part float64) color.NRGBA {
	mix := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + part*(float64(y)-float64(x)))) }
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}

// confusionAlt says how many are right and which three errors are the most frequent.
func confusionAlt(title string, classes []string, counts [][]int) string {
	type wrong struct{ label, answer int }
	var all []wrong
	right, total := 0, 0
	for i, row := range counts {
		total += sum(row)
		right += row[i]
		for j, count := range row {
			if i != j && count > 0 {
				all = append(all, wrong{i, j})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b wrong) int { return counts[b.label][b.answer] - counts[a.label][a.answer] })
	var most []string
	for _, w := range all[:min(3, len(all))] {
		most = append(most, fmt.Sprintf("%s as %s (%d)", classes[w.label], classes[w.answer], counts[w.label][w.answer]))
	}
	text := fmt.Sprintf("Confusion matrix %s of %d classes: %d of %d examples are right", title, len(classes), right, total)
	if len(most) > 0 {
		text += "; most often confused are " + strings.Join(most, ", ")
	}
	return text + "."
}
