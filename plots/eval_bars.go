package plots

import (
	"errors"
	"fmt"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bar is one amount, such as the time that a method takes for a step.
type Bar struct {
	Name  string
	Value float64     // 0 or more
	Label string      // written at the bar's end
	Color color.Color // nil leaves the choice to the figure
}

// Bars draws amounts as bars from 0, in their order from the top. unit says what they
// are measured in.
func Bars(title, unit string, bars ...Bar) (*Figure, error) {
	if len(bars) == 0 {
		return nil, errors.New("plots: no bars to draw")
	}
	bars = slices.Clone(bars) // labels are cut
	style := textStyle(labelSize, false)
	var widest, longest vg.Length
	labels, largest := make([]string, len(bars)), 0.
	alt, keys := make([]string, len(bars)), make([]named, len(bars))
	for i, b := range bars {
		if !(b.Value >= 0) || !finite(b.Value) {
			return nil, fmt.Errorf("plots: the bar of %q is %v: it must be a finite number of 0 or more", b.Name, b.Value)
		}
		labels[i] = shorten(b.Name, maxNamesWidth, style.Width)
		bars[i].Label = shorten(b.Label, fullWidth/3, style.Width)
		widest, longest = max(widest, style.Width(labels[i])), max(longest, style.Width(bars[i].Label))
		largest = max(largest, b.Value)
		keys[i] = named{b.Name, b.Color}
		alt[i] = fmt.Sprintf("%s %s", b.Name, b.Label)
	}
	if flat(0, largest) {
		largest = 1
	}
	one := panel{Plot: newPlot(), title: title, xLabel: unit, leftWidth: widest + gap/2}
	across := fullWidth - 2*margin - widest - gap
	// Room for the labels beyond the longest bar.
	one.X.Min, one.X.Max = 0, largest*float64(across/(across-longest-gap))
	one.X.Tick.Marker = roundTicks(6)
	one.Y.Min, one.Y.Max = 0, float64(len(bars))
	one.Y.Tick.Marker = plot.ConstantTicks(nil)
	one.HideY()
	one.Add(barRows{bars, colorsOf(keys)}, rowNames(labels))
	one.aspect = float64(summaryRow*vg.Length(len(bars))) / float64(across)
	f := &Figure{Width: fullWidth, Alt: fmt.Sprintf("%s, in %s: %s.", title, unit, strings.Join(alt, ", "))}
	f.Height = 2*margin + panelsHeight([]panel{one}, 1, f.Width-2*margin)
	f.draw = func(c draw.Canvas) { drawPanels(inner(c), []panel{one}, 1) }
	return f, nil
}

// barRows draws the bars, one in the middle of each row.
type barRows struct {
	bars   []Bar
	colors []color.Color
}

// Plot implements [plot.Plotter].
func (r barRows) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	gridLines{ofX: true}.Plot(c, p)
	style := textStyle(labelSize, false)
	style.YAlign = draw.YCenter
	const half = summaryRow * .32
	for i, b := range r.bars {
		y := trY(rowMiddle(i, len(r.bars)))
		end := trX(b.Value)
		c.SetColor(r.colors[i])
		c.Fill(vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: y - half}, Max: vg.Point{X: end, Y: y + half}}.Path())
		c.FillText(style, vg.Point{X: end + gap/3, Y: y}, b.Label)
	}
}
