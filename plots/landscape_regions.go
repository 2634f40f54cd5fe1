package plots

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// regions writes the name of each class into the area where it is predicted, away from
// the pins.
type regions struct {
	grid  *Grid
	names []string
	pins  []Pin
}

// Plot implements [plot.Plotter].
func (r regions) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	winner := r.grid.winners()
	for _, pin := range r.pins {
		at := vg.Point{X: trX(pin.X), Y: trY(pin.Y)}
		covered := vg.Rectangle{Min: at, Max: at}
		if pin.Tile.Set != nil {
			covered = pin.area(c, at, enlarge(picture(pin.Tile.Set, pin.Tile.Index), pinSize))
		}
		const distance = 5
		low := vg.Point{X: min(covered.Min.X, at.X-3) - distance, Y: min(covered.Min.Y, at.Y-3) - distance}
		high := vg.Point{X: max(covered.Max.X, at.X+3) + distance, Y: max(covered.Max.Y, at.Y+3) + distance}
		for row, y := range r.grid.Y {
			for column, x := range r.grid.X {
				if x, y := trX(x), trY(y); x > low.X && x < high.X && y > low.Y && y < high.Y {
					winner[row][column] = -1
				}
			}
		}
	}
	depth := depths(winner)
	for k, name := range r.names {
		best, x, y := 0, 0., 0.
		for row := range depth {
			for column, d := range depth[row] {
				if winner[row][column] == k && d > best {
					best, x, y = d, r.grid.X[column], r.grid.Y[row]
				}
			}
		}
		if 20*best >= min(len(r.grid.X), len(r.grid.Y)) {
			at := vg.Point{X: trX(x), Y: trY(y)}
			room := 2*min(at.X-c.Min.X, c.Max.X-at.X) + gap
			caption(c, at, shorten(name, room, textStyle(labelSize, true).Width))
		}
	}
}

// winners is the class that is decided for at each node, [row][column]; -1 where no
// score is a number.
func (g *Grid) winners() [][]int {
	winner := make([][]int, len(g.Y))
	for row := range g.Y {
		winner[row] = make([]int, len(g.X))
		for column := range g.X {
			best := math.Inf(-1)
			winner[row][column] = -1
			for k, s := range g.Scores[row][column] {
				if s > best {
					winner[row][column], best = k, s
				}
			}
		}
	}
	return winner
}

// depths is, for each node, how many moves of a chess king it is away from a node of
// another class, or from beyond the edge.
func depths(class [][]int) [][]int {
	depth := make([][]int, len(class))
	for row := range class {
		depth[row] = make([]int, len(class[row]))
		for column := range depth[row] {
			depth[row][column] = len(class) + len(class[row])
		}
	}
	// One pass brings what is known from above and the left, the other the rest.
	visit := func(row, column, step int) {
		for _, n := range [][2]int{{row - step, column - 1}, {row - step, column}, {row - step, column + 1}, {row, column - step}} {
			d := 1
			if n[0] >= 0 && n[0] < len(class) && n[1] >= 0 && n[1] < len(class[0]) && class[n[0]][n[1]] == class[row][column] {
				d = depth[n[0]][n[1]] + 1
			}
			depth[row][column] = min(depth[row][column], d)
		}
	}
	for row := range class {
		for column := range class[row] {
			visit(row, column, 1)
		}
	}
	for row := range slices.Backward(class) {
		for column := range slices.Backward(class[row]) {
			visit(row, column, -1)
		}
	}
	return depth
}

// caption writes a short text white within black.
func caption(c draw.Canvas, at vg.Point, text string) {
	style := textStyle(labelSize, true)
	style.XAlign, style.YAlign, style.Color = draw.XCenter, draw.YCenter, color.Black
	for turn := range 8 {
		angle := float64(turn) * math.Pi / 4
		c.FillText(style, at.Add(vg.Point{X: vg.Length(math.Cos(angle)), Y: vg.Length(math.Sin(angle))}), text)
	}
	style.Color = color.White
	c.FillText(style, at, text)
}
