package plots

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// arrowsAcross is how many arrows are in a row of a landscape.
const arrowsAcross = 14

// arrows draws the gradient of the grid's energy at some of its nodes.
type arrows struct {
	grid *Grid
	norm float64 // drawn as long as the distance between arrows
}

// arrowNodes are the rows and columns where arrows start, at about the same distance in
// either direction.
func (g *Grid) arrowNodes() (rows, columns []int) {
	evenly := func(n, count int) []int {
		count = min(n, count)
		indices := make([]int, count)
		for i := range indices {
			indices[i] = (2*i + 1) * n / (2 * count)
		}
		return indices
	}
	aspect := (g.Y[len(g.Y)-1] - g.Y[0]) / (g.X[len(g.X)-1] - g.X[0])
	return evenly(len(g.Y), int(arrowsAcross*min(max(aspect, 0.4), 1.6))), evenly(len(g.X), arrowsAcross)
}

// Plot implements [plot.Plotter].
func (a arrows) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	rows, columns := a.grid.arrowNodes()
	length := c.Size().X / vg.Length(len(columns))
	for _, row := range rows {
		for _, column := range columns {
			dx, dy := a.grid.gradient(row, column)
			if !finite(dx) || !finite(dy) {
				continue
			}
			from := vg.Point{X: trX(a.grid.X[column]), Y: trY(a.grid.Y[row])}
			drawArrow(c, from, from.Add(vg.Point{X: length * vg.Length(dx/a.norm), Y: length * vg.Length(dy/a.norm)}))
		}
	}
}

// drawArrow draws an arrow, or a dot where it is too short to have a direction.
func drawArrow(c draw.Canvas, from, to vg.Point) {
	along := to.Sub(from)
	length := vg.Length(math.Hypot(float64(along.X), float64(along.Y)))
	if length < 1.5 {
		c.DrawGlyph(draw.GlyphStyle{Color: color.Black, Radius: 0.9, Shape: polygon{corners: 12}}, from)
		return
	}
	head := min(3, length/2)
	along = along.Scale(head / length)
	side := vg.Point{X: -along.Y, Y: along.X}.Scale(0.6)
	back := to.Sub(along)
	stroke(c, 0.9, c.ClipLinesXY([]vg.Point{from, to}, []vg.Point{back.Add(side), to, back.Sub(side)})...)
}

// gradient is that of the energy at a node, from its neighbors'.
func (g *Grid) gradient(row, column int) (dx, dy float64) {
	left, right := max(column-1, 0), min(column+1, len(g.X)-1)
	below, above := max(row-1, 0), min(row+1, len(g.Y)-1)
	dx = (g.Energy[row][right] - g.Energy[row][left]) / (g.X[right] - g.X[left])
	dy = (g.Energy[above][column] - g.Energy[below][column]) / (g.Y[above] - g.Y[below])
	return dx, dy
}

// steepest is the largest finite norm of the gradient where arrows stand.
func (g *Grid) steepest() float64 {
	largest := 0.
	rows, columns := g.arrowNodes()
	for _, row := range rows {
		for _, column := range columns {
			if norm := math.Hypot(g.gradient(row, column)); finite(norm) {
				largest = max(largest, norm)
			}
		}
	}
	return largest
}

// arrowNorm is a round norm of the gradient for the arrows of all landscapes: about
// half of the largest, or 1 where all are flat.
func arrowNorm(landscapes []Landscape) float64 {
	largest := 0.
	for _, l := range landscapes {
		if l.Arrows {
			largest = max(largest, l.Grid.steepest())
		}
	}
	return roundStep(largest, 2)
}

func arrowKey(norm float64) key {
	return key{fmt.Sprintf("∂E/∂x, of norm %.3g where an arrow reaches the next", norm), func(c draw.Canvas) {
		middle := c.Center()
		drawArrow(c, vg.Point{X: c.Min.X + 3, Y: middle.Y}, vg.Point{X: c.Max.X - 1, Y: middle.Y})
	}}
}

// stroke draws a path black within white, to be seen on dark and bright ground.
func stroke(c draw.Canvas, width vg.Length, pieces ...[]vg.Point) {
	for _, style := range []draw.LineStyle{{Color: color.White, Width: width + 1.2}, {Color: color.Black, Width: width}} {
		for _, points := range pieces {
			c.StrokeLines(style, points)
		}
	}
}
