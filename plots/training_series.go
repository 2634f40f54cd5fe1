package plots

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// series is one curve of a panel.
type series struct {
	x, y  []float64
	style draw.LineStyle
	// noisy curves are drawn faint, with their moving average on top.
	noisy bool
	// mark, if it has a shape, is drawn at each point.
	mark draw.GlyphStyle
}

// maxPoints is how many points of a curve are drawn: more than a panel has
// pixels across shows nothing more.
const maxPoints = 1200

// addSeries adds curves to a panel and sets its y axis: logarithmic where all
// values are positive and the (averaged) curves cross two orders of magnitude.
func addSeries(p *plot.Plot, all []series) {
	low, high := math.Inf(1), math.Inf(-1)           // of everything drawn
	trendLow, trendHigh := math.Inf(1), math.Inf(-1) // of the averaged curves
	include := func(low, high *float64, y []float64) {
		for _, v := range y {
			if finite(v) {
				*low, *high = min(*low, v), max(*high, v)
			}
		}
	}
	for _, s := range all {
		y := s.y
		include(&low, &high, y)
		if s.noisy {
			window := averagedOver(len(y))
			faded := s.style
			faded.Color, faded.Width, faded.Dashes = withAlpha(s.style.Color, 0x48), thinWidth, nil
			if window > 1 {
				x, raw := envelope(s.x, y, maxPoints/2)
				addLine(p, x, raw, faded)
			}
			y = movingAverage(y, window)
		}
		include(&trendLow, &trendHigh, y)
		x, y := thin(s.x, y, maxPoints)
		addLine(p, x, y, s.style)
		mark := s.mark
		if mark.Shape == nil && len(s.y) == 1 { // a line of one point shows nothing
			mark = draw.GlyphStyle{Color: s.style.Color, Radius: 2.5, Shape: polygon{corners: 36}}
		}
		if mark.Shape != nil {
			p.Add(marks{x, y, mark})
		}
	}
	if low > high { // no value at all
		p.Y.Min, p.Y.Max = 0, 1
		p.Y.Tick.Marker = plot.ConstantTicks(nil)
		return
	}
	switch {
	case low == high:
		pad := max(math.Abs(low)/2, 1e-3)
		p.Y.Min, p.Y.Max = low-pad, low+pad
	case low > 0 && trendHigh > 100*trendLow:
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, decadeTicks{}
		// A lone value near zero must not take up half the panel.
		p.Y.Min, p.Y.Max = max(low, trendLow/10)/1.1, min(high, trendHigh*10)*1.1
	default:
		pad := (high - low) / 20
		p.Y.Min, p.Y.Max = low-pad, high+pad
	}
	if low >= 0 && p.Y.Min < 0 {
		p.Y.Min = 0
	}
}

// addLine draws a curve with gaps where there is no finite value. A value between two
// gaps is a dot, unless the line is thin, as of single steps below their average.
func addLine(p *plot.Plot, x, y []float64, style draw.LineStyle) {
	if style.Width == 0 {
		return
	}
	for start := 0; start < len(y); start++ {
		end := start
		var piece plotter.XYs
		for ; end < len(y) && finite(y[end]); end++ {
			piece = append(piece, plotter.XY{X: x[end], Y: y[end]})
		}
		if len(piece) > 1 {
			p.Add(&plotter.Line{XYs: piece, LineStyle: style})
		} else if len(piece) == 1 && style.Width > thinWidth {
			dot := draw.GlyphStyle{Color: style.Color, Radius: style.Width, Shape: polygon{corners: 36}}
			p.Add(marks{[]float64{piece[0].X}, []float64{piece[0].Y}, dot})
		}
		start = end
	}
}

// marks draws a marker at each finite point.
type marks struct {
	x, y  []float64
	style draw.GlyphStyle
}

// Plot implements [plot.Plotter].
func (m marks) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	for i, v := range m.y {
		at := vg.Point{X: trX(m.x[i]), Y: trY(v)}
		if finite(v) && c.Contains(at) {
			c.DrawGlyphNoClip(m.style, at)
		}
	}
}

// averagedOver is how many of n steps a curve is averaged over: enough to see the
// trend, few enough to keep the shape.
func averagedOver(n int) int { return max(1, n/25) }

// movingAverage returns the mean of the finite values within half a window on
// each side; where there are none, and at values that are not finite, NaN.
//
// Differences of running sums would do it, but after an outburst of 1e30 they are
// nothing but rounding. So stretches as long as a window are summed from either end:
// each window is the end of one and the beginning of the next.
func movingAverage(y []float64, window int) []float64 {
	n, half := len(y), window/2
	stretch := 2*half + 1
	counts := make([]int, n+1)
	before, after := make([]float64, n), make([]float64, n) // from the stretch's beginning, to its end
	value := func(i int) float64 {
		if finite(y[i]) {
			return y[i]
		}
		return 0
	}
	for i, v := range y {
		counts[i+1], before[i] = counts[i], value(i)
		if finite(v) {
			counts[i+1]++
		}
		if i%stretch > 0 {
			before[i] += before[i-1]
		}
	}
	for i := range slices.Backward(y) {
		after[i] = value(i)
		if i+1 < n && (i+1)%stretch > 0 {
			after[i] += after[i+1]
		}
	}
	average := make([]float64, n)
	for i, v := range y {
		from, last := max(0, i-half), min(n-1, i+half)
		sum := before[last]
		switch {
		case from/stretch < last/stretch:
			sum += after[from]
		case last == n-1: // or it is the whole stretch, or begins with the curve
			sum = after[from]
		}
		average[i] = sum / float64(counts[last+1]-counts[from])
		if !finite(v) {
			average[i] = math.NaN()
		}
	}
	return average
}

// envelope keeps the smallest and largest value of each of a number of stretches of
// a curve, in their order, so that no spike is lost.
func envelope(x, y []float64, stretches int) (ex, ey []float64) {
	if len(y) <= 2*stretches {
		return x, y
	}
	for s := range stretches {
		from, to := s*len(y)/stretches, (s+1)*len(y)/stretches
		low, high := from, from
		for i := from; i < to; i++ {
			if !finite(y[low]) || y[i] < y[low] {
				low = i
			}
			if !finite(y[high]) || y[i] > y[high] {
				high = i
			}
		}
		for _, i := range []int{min(low, high), max(low, high)} {
			ex, ey = append(ex, x[i]), append(ey, y[i])
		}
	}
	return ex, ey
}

// thin keeps at most n points, evenly, first and last among them.
func thin(x, y []float64, n int) (tx, ty []float64) {
	if len(y) <= n {
		return x, y
	}
	for i := range n {
		j := i * (len(y) - 1) / (n - 1)
		tx, ty = append(tx, x[j]), append(ty, y[j])
	}
	return tx, ty
}

// finite reports whether a value can be drawn. Beyond 1e300, differences of values may
// overflow: that is as good as infinite.
func finite(v float64) bool { return math.Abs(v) <= 1e300 }

// flat reports whether a range is too narrow for an axis: its ends are equal but for
// rounding.
func flat(low, high float64) bool {
	return high-low <= max(1e-9*max(math.Abs(low), math.Abs(high)), 1e-290)
}

// gridLines draws a faint line at each labeled tick of an axis.
type gridLines struct{ ofX bool }

// Plot implements [plot.Plotter].
func (g gridLines) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	axis := p.Y
	if g.ofX {
		axis = p.X
	}
	for _, tick := range axis.Tick.Marker.Ticks(axis.Min, axis.Max) {
		if tick.IsMinor() || tick.Value < axis.Min || tick.Value > axis.Max {
			continue
		}
		from, to := vg.Point{X: c.Min.X, Y: trY(tick.Value)}, vg.Point{X: c.Max.X, Y: trY(tick.Value)}
		if g.ofX {
			from, to = vg.Point{X: trX(tick.Value), Y: c.Min.Y}, vg.Point{X: trX(tick.Value), Y: c.Max.Y}
		}
		c.StrokeLine2(draw.LineStyle{Color: faint, Width: thinWidth}, from.X, from.Y, to.X, to.Y)
	}
}
