package plots

import (
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/ngebm"
)

// maxChains is how many chains are drawn; more would hide the landscape.
const maxChains = 100

var (
	chainStart = draw.GlyphStyle{Color: color.White, Radius: 2.2, Shape: ring{}}
	chainEnd   = draw.GlyphStyle{Color: color.Black, Radius: 2.4, Shape: polygon{corners: 36}}
	chainPath  = draw.LineStyle{Color: withAlpha(color.White, 0xc0), Width: 0.6}
	chainEdge  = draw.LineStyle{Color: withAlpha(color.Black, 0x60), Width: 1.6} // below, or white is lost on yellow
)

// ring is a disc with a black edge.
type ring struct{}

// DrawGlyph implements [draw.GlyphDrawer].
func (ring) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	draw.CircleGlyph{}.DrawGlyph(c, style, at)
	draw.RingGlyph{}.DrawGlyph(c, draw.GlyphStyle{Color: color.Black, Radius: style.Radius}, at)
}

func checkChains(s *ngebm.Samples) error {
	if s == nil {
		return nil
	}
	if !slices.Equal(s.Shape, []int{2}) || len(s.X) == 0 {
		return fmt.Errorf("plots: %d steps of chains of shape %v: a landscape shows chains in the plane", len(s.X), s.Shape)
	}
	for k, x := range s.X {
		if len(x)%2 != 0 || len(x) != len(s.X[0]) {
			return fmt.Errorf("plots: %d numbers at step %d of the chains, %d at their start", len(x), k, len(s.X[0]))
		}
	}
	return nil
}

// addChains draws chains, and says how many end outside.
func addChains(p *plot.Plot, s *ngebm.Samples) []string {
	count := len(s.X[0]) / 2
	shown := min(count, maxChains)
	starts, ends := marks{style: chainStart}, marks{style: chainEnd}
	for i := range shown {
		j := 2 * (i * count / shown)
		var x, y []float64
		for _, at := range s.X {
			x, y = append(x, float64(at[j])), append(y, float64(at[j+1]))
		}
		p.Add(path{x, y, chainEdge}, path{x, y, chainPath})
		last := len(x) - 1
		starts.x, starts.y = append(starts.x, x[0]), append(starts.y, y[0])
		ends.x, ends.y = append(ends.x, x[last]), append(ends.y, y[last])
	}
	p.Add(starts, ends)
	inside := 0
	for i, x := range ends.x {
		if y := ends.y[i]; x >= p.X.Min && x <= p.X.Max && y >= p.Y.Min && y <= p.Y.Max {
			inside++
		}
	}
	return []string{fmt.Sprintf("%d of %d chains end within the picture", inside, shown)}
}

// path is a line that may leave the panel, and so does not widen its axes; it ends
// where it is not finite.
type path struct {
	x, y  []float64
	style draw.LineStyle
}

// Plot implements [plot.Plotter].
func (l path) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	var points []vg.Point
	for i := range l.x {
		if !finite(l.x[i]) || !finite(l.y[i]) {
			break
		}
		points = append(points, vg.Point{X: trX(l.x[i]), Y: trY(l.y[i])})
	}
	c.StrokeLines(l.style, c.ClipLinesXY(points)...)
}

// ended is how many of all chains end within the landscape.
func (l Landscape) ended() (inside, total int) {
	last := l.Chains.X[len(l.Chains.X)-1]
	g := l.Grid
	for i := 0; i < len(last); i += 2 {
		x, y := float64(last[i]), float64(last[i+1])
		if x >= g.X[0] && x <= g.X[len(g.X)-1] && y >= g.Y[0] && y <= g.Y[len(g.Y)-1] {
			inside++
		}
	}
	return inside, len(last) / 2
}
