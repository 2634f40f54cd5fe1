package plots

import (
	"errors"
	"fmt"
	"image/color"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
)

// Calibration is what was measured of one method.
type Calibration struct {
	Name   string
	Report *calibration.Report // after temperature scaling: a report's AfterT
	Color  color.Color         // nil leaves the choice to the figure
}

// Reliability draws a reliability diagram (DeGroot and Fienberg 1983) for each
// method, three in a row, and its confidence histogram below: accuracy against
// mean confidence for each bin that holds examples, the gap between the two, and
// Wilson's 95 % interval of the accuracy, as wide as the bin. A bin below the
// diagonal is over-confident. Dashes bound 95 % of the accuracies that a perfectly
// calibrated model with the same confidences would have (consistency bars, Bröcker and
// Smith 2007). Above are two forms of the ECE, with their intervals if the report has any, and
// the ECE that such a model would show; the caption states their conventions.
func Reliability(methods ...Calibration) (*Figure, error) {
	if len(methods) == 0 {
		return nil, errors.New("plots: no method to draw a reliability diagram of")
	}
	names := make([]named, len(methods))
	for i, m := range methods {
		names[i] = named{m.Name, m.Color}
	}
	colors := colorsOf(names)
	var panels []panel
	var alt []string
	for i, m := range methods {
		m.Color = colors[i]
		if err := m.check(); err != nil {
			return nil, err
		}
		panels = append(panels, m.panel(i%panelColumns(len(methods)) == 0))
		alt = append(alt, m.alt())
	}
	perfect := slices.ContainsFunc(methods, func(m Calibration) bool {
		return slices.ContainsFunc(m.Report.Reliability, func(b calibration.Bin) bool { return b.Perfect != nil })
	})
	return figureGrid{reliabilityKeys(perfect), panels, reliabilityCaption(methods)}.figure(strings.Join(alt, " ")), nil
}

func (m Calibration) check() error {
	if m.Report == nil || len(m.Report.Reliability) == 0 {
		return fmt.Errorf("plots: %q has no bins to draw: pass a report of calibration.Measure", m.Name)
	}
	examples := 0
	for i, b := range m.Report.Reliability {
		// Negated, so that NaN is refused.
		if !(b.Low >= 0 && b.Low < b.High && b.High <= 1) || b.Count < 0 || !isShare(b.Confidence) || !isShare(b.Accuracy) {
			return fmt.Errorf("plots: bin %d of %q is %+v: confidence and accuracy must be in [0,1], counts at 0 or above", i+1, m.Name, b)
		}
		examples += b.Count
	}
	if examples == 0 {
		return fmt.Errorf("plots: all bins of %q are empty: measure it on an example or more", m.Name)
	}
	r := m.Report
	if !isShare(r.ECE) || !isShare(r.ECEMidpoint) || !isShare(r.Accuracy) || !isShare(r.MeanConfidence) {
		return fmt.Errorf("plots: %q has accuracy %v, mean confidence %v, ECE %v and midpoint ECE %v: all must be in [0,1]; pass a report of calibration.Measure", m.Name, r.Accuracy, r.MeanConfidence, r.ECE, r.ECEMidpoint)
	}
	return checkIntervals(m.Name, r.Intervals, "ECE", "ECE_midpoint")
}

// checkIntervals refuses those of the given keys that are not of numbers.
func checkIntervals(name string, intervals map[string]bootstrap.Interval, keys ...string) error {
	for _, key := range keys {
		if i, ok := intervals[key]; ok && (!finite(i.Low) || !finite(i.High)) {
			return fmt.Errorf("plots: the interval of %s of %q is %v to %v: it must be finite", key, name, i.Low, i.High)
		}
	}
	return nil
}

func isShare(v float64) bool { return v >= 0 && v <= 1 }

func (m Calibration) panel(first bool) panel {
	r := m.Report
	p := newPlot()
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	p.Add(gridLines{}, diagonal, binGaps{r.Reliability, m.Color})
	all := panel{
		Plot: p, title: m.Name, xLabel: "confidence", aspect: 1,
		notes: []string{
			withInterval("ECE", r.ECE, r.Intervals, "ECE"),
			withInterval("midpoint ECE", r.ECEMidpoint, r.Intervals, "ECE_midpoint"),
		},
		below: m.histogram, belowHeight: histogramHeight,
	}
	if p, ok := r.Perfect["ECE"]; ok {
		all.notes = slices.Insert(all.notes, 1, fmt.Sprintf("perfect model's %.3f %s", p.Mean, brackets(bootstrap.Interval{Low: p.Low, High: p.High})))
	}
	if first {
		all.yLabel = "accuracy"
	}
	return all
}

// withInterval writes a metric, and its interval if there is one of that key.
func withInterval(name string, value float64, intervals map[string]bootstrap.Interval, key string) string {
	text := fmt.Sprintf("%s %.3f", name, value)
	if i, ok := intervals[key]; ok {
		text += " " + brackets(i)
	}
	return text
}

func brackets(i bootstrap.Interval) string { return fmt.Sprintf("[%.3f, %.3f]", i.Low, i.High) }

// diagonal is where confidence and accuracy agree.
var diagonal = &plotter.Line{XYs: plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}}, LineStyle: diagonalStyle}

var diagonalStyle = draw.LineStyle{Color: frame, Width: 1, Dashes: []vg.Length{4, 3}}

// perfectStyle is of the range that holds 95 % of a perfect model's accuracies in a bin.
var perfectStyle = draw.LineStyle{Color: foreground, Width: 1, Dashes: []vg.Length{3, 2}}

// Styles of a bin, of which the color is the method's.
const (
	bandAlpha           = 0x38
	gapAlpha            = 0xa0
	gapWidth  vg.Length = 3
	binRadius vg.Length = 2.8
)

// binGaps draws what each bin says, with its interval.
type binGaps struct {
	bins  []calibration.Bin
	color color.Color
}

// Plot implements [plot.Plotter].
func (b binGaps) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	for _, bin := range b.bins {
		if bin.Count > 0 {
			i := bootstrap.Wilson(bin.Accuracy, bin.Count)
			fillBox(c, withAlpha(b.color, bandAlpha), trX(bin.Low)+0.5, trY(i.Low), trX(bin.High)-0.5, trY(i.High))
		}
	}
	for _, bin := range b.bins {
		if bin.Count > 0 && bin.Perfect != nil {
			for _, y := range []float64{bin.Perfect.Low, bin.Perfect.High} {
				c.StrokeLine2(perfectStyle, trX(bin.Low)+0.5, trY(y), trX(bin.High)-0.5, trY(y))
			}
		}
	}
	var at marks
	for _, bin := range b.bins {
		if bin.Count > 0 {
			x := trX(bin.Confidence)
			c.StrokeLine2(draw.LineStyle{Color: withAlpha(b.color, gapAlpha), Width: gapWidth}, x, trY(bin.Confidence), x, trY(bin.Accuracy))
			at.x, at.y = append(at.x, bin.Confidence), append(at.y, bin.Accuracy)
		}
	}
	at.style = draw.GlyphStyle{Color: b.color, Radius: binRadius, Shape: polygon{36, 0}}
	at.Plot(c, p)
}

func fillBox(c draw.Canvas, fill color.Color, left, bottom, right, top vg.Length) {
	c.FillPolygon(fill, []vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}})
}

const histogramHeight vg.Length = 58

// histogram draws the share of the examples in each bin, under the same axis,
// with the mean confidence and the accuracy of all.
func (m Calibration) histogram(c draw.Canvas) {
	total, most := 0, 0
	for _, b := range m.Report.Reliability {
		total, most = total+b.Count, max(most, b.Count)
	}
	c = draw.Crop(c, 0, 0, 4, -8)
	for _, b := range m.Report.Reliability {
		if b.Count > 0 {
			// A bin that holds something is seen, be it one example.
			top := c.Min.Y + max(0.8, c.Size().Y*vg.Length(b.Count)/vg.Length(most))
			fillBox(c, withAlpha(m.Color, gapAlpha), c.X(b.Low)+0.5, c.Min.Y, c.X(b.High)-0.5, top)
		}
	}
	c.StrokeLine2(accuracyStyle, c.X(m.Report.Accuracy), c.Min.Y, c.X(m.Report.Accuracy), c.Max.Y)
	c.StrokeLine2(confidenceStyle, c.X(m.Report.MeanConfidence), c.Min.Y, c.X(m.Report.MeanConfidence), c.Max.Y)
	c.StrokeLine2(draw.LineStyle{Color: frame, Width: thinWidth}, c.Min.X, c.Min.Y, c.Max.X, c.Min.Y)
	style := textStyle(tickSize, false)
	style.XAlign, style.YAlign = draw.XRight, draw.YCenter
	c.FillText(style, vg.Point{X: c.Min.X - 5, Y: c.Max.Y - 3}, strconv.FormatFloat(100*float64(most)/float64(total), 'f', 0, 64)+" %")
	c.FillText(style, vg.Point{X: c.Min.X - 5, Y: c.Min.Y}, "0")
}

// The two lines in the histogram.
var (
	accuracyStyle   = draw.LineStyle{Color: foreground, Width: 1.4}
	confidenceStyle = draw.LineStyle{Color: foreground, Width: 1.4, Dashes: []vg.Length{2, 2}}
)

// reliabilityKeys explains the marks in gray, as the colors are the methods'; those of perfect models where
// there are some.
func reliabilityKeys(perfect bool) legend {
	mark := draw.GlyphStyle{Color: foreground, Radius: binRadius, Shape: polygon{36, 0}}
	keys := legend{
		lineKey("accuracy of a bin", draw.LineStyle{}, mark),
		{"gap to its confidence", func(c draw.Canvas) {
			c.StrokeLine2(draw.LineStyle{Color: withAlpha(foreground, gapAlpha), Width: gapWidth}, c.Center().X, c.Min.Y+2, c.Center().X, c.Max.Y-2)
		}},
		boxKey("95 % interval", withAlpha(foreground, bandAlpha)),
		lineKey("perfect calibration", diagonalStyle, draw.GlyphStyle{}),
	}
	if perfect {
		keys = append(keys, lineKey("95 % of perfect models", perfectStyle, draw.GlyphStyle{}))
	}
	return append(keys,
		boxKey("share of the examples", withAlpha(foreground, gapAlpha)),
		lineKey("accuracy of all", accuracyStyle, draw.GlyphStyle{}),
		lineKey("mean confidence of all", confidenceStyle, draw.GlyphStyle{}))
}

// boxKey stands for an area.
func boxKey(label string, fill color.Color) key {
	return key{label, func(c draw.Canvas) { fillBox(c, fill, c.Min.X+2, c.Min.Y+3, c.Max.X-2, c.Max.Y-3) }}
}

// reliabilityCaption states what the numbers above the panels mean.
func reliabilityCaption(methods []Calibration) string {
	is := map[string]string{}
	for _, c := range calibration.Conventions() {
		is[c.Name] = c.Definition
	}
	var bins, samples []string
	intervals, perfect := "", ""
	for _, m := range methods {
		if b := strconv.Itoa(len(m.Report.Reliability)); !slices.Contains(bins, b) {
			bins = append(bins, b)
		}
		if n := strconv.Itoa(m.Report.Samples); !slices.Contains(samples, n) {
			samples = append(samples, n)
		}
		if len(m.Report.Intervals) > 0 {
			intervals = " In brackets: bootstrap intervals."
		}
		if m.Report.Perfect != nil {
			perfect = " A perfect model is right with the probabilities that this one names: the mean of its ECE, and the range of 95 %."
		}
	}
	return fmt.Sprintf("ECE: %s %s. Midpoint ECE: %s. %s examples.%s%s",
		strings.Join(bins, " or "), is["ECE"], is["ECE_midpoint"], strings.Join(samples, " or "), intervals, perfect)
}

func (m Calibration) alt() string {
	r := m.Report
	over, under := 0, 0
	for _, b := range r.Reliability {
		switch i := bootstrap.Wilson(b.Accuracy, b.Count); {
		case b.Count == 0:
		case b.Confidence > i.High:
			over++
		case b.Confidence < i.Low:
			under++
		}
	}
	perfect := ""
	if p, ok := r.Perfect["ECE"]; ok {
		perfect = fmt.Sprintf(" (a perfect model's %.3f)", p.Mean)
	}
	return fmt.Sprintf("Reliability diagram of %s: accuracy %.3f at a mean confidence of %.3f, ECE %.3f%s, midpoint ECE %.3f; %d of %d bins over-confident, %d under-confident beyond their intervals.",
		m.Name, r.Accuracy, r.MeanConfidence, r.ECE, perfect, r.ECEMidpoint, over, len(r.Reliability), under)
}
