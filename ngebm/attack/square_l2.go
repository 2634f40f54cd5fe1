package attack

import (
	"math"
	"math/rand/v2"

	"ngebm/ngebm/internal/lp"
)

// tiles writes the start of the L2 search into y: tiles of a fifth of the image's
// side, each a pattern of random sign in each channel, scaled to length ε.
func tiles(t lp.ThreatModel, r *rand.Rand, e extent, x, y []float32) {
	delta := make([]float64, len(x))
	side := max(1, min(e.height, e.width)/5)
	for top := 0; top < e.height; top += side {
		for left := 0; left < e.width; left += side {
			w := window{e, top, left, min(side, e.height-top), min(side, e.width-left)}
			shape := pattern(r, w.rows, w.columns)
			for channel := range e.channels {
				sign := either(r, -1., 1.)
				w.each(channel, func(j, row, column int) { delta[j] = sign * shape[row][column] })
			}
		}
	}
	t.ScaleTo(delta, x, y)
}

// move changes y, a point of the Lp ball around x: one window takes over the length
// of another, which becomes zero, and the length that ε leaves, in a direction
// between its old one and a pattern (algorithm 3).
func move(t lp.ThreatModel, r *rand.Rand, e extent, share float64, x, y []float32) {
	delta, whole := make([]float64, len(x)), 0.
	for j := range x {
		delta[j] = float64(y[j]) - float64(x[j])
		whole += delta[j] * delta[j]
	}
	radius := float64(t.Radius)
	left := max(0, radius*radius-whole) / float64(e.channels)
	side := max(3, e.side(share))
	side += 1 - side%2
	to, from := e.window(r, side), e.window(r, side)
	shape := pattern(r, to.rows, to.columns)
	for channel := range e.channels {
		own, both := 0., 0.
		to.each(channel, func(j, _, _ int) { own += delta[j] * delta[j] })
		both = own
		from.each(channel, func(j, row, column int) {
			if !to.holds(from.top+row, from.left+column) {
				both += delta[j] * delta[j]
			}
		})
		sign, square := either(r, -1., 1.), 0.
		values := make([]float64, 0, to.rows*to.columns)
		to.each(channel, func(j, row, column int) {
			v := sign*shape[row][column] + delta[j]/(math.Sqrt(own)+1e-12)
			values, square = append(values, v), square+v*v
		})
		from.each(channel, func(j, _, _ int) { delta[j] = 0 })
		length := math.Sqrt(left+both) / (math.Sqrt(square) + 1e-12)
		to.each(channel, func(j, row, column int) { delta[j] = length * values[row*to.columns+column] })
	}
	t.ScaleTo(delta, x, y)
}

func (w window) holds(row, column int) bool {
	return row >= w.top && row < w.top+w.rows && column >= w.left && column < w.left+w.columns
}

// pattern is a window of length 1 with two hills, one up and one down, next to or
// above each other.
func pattern(r *rand.Rand, rows, columns int) [][]float64 {
	if either(r, false, true) {
		across := hills(columns, rows)
		turned := make([][]float64, rows)
		for i := range turned {
			turned[i] = make([]float64, columns)
			for j := range turned[i] {
				turned[i][j] = across[j][i]
			}
		}
		return turned
	}
	return hills(rows, columns)
}

func hills(rows, columns int) [][]float64 {
	both := hill(rows/2, columns)
	for _, row := range hill(rows-rows/2, columns) {
		for j := range row {
			row[j] = -row[j]
		}
		both = append(both, row)
	}
	square := 0.
	for _, row := range both {
		for _, v := range row {
			square += v * v
		}
	}
	for _, row := range both {
		for j := range row {
			row[j] /= math.Sqrt(square)
		}
	}
	return both
}

// hill is a stack of centered squares of sides 1, 3, 5, …, the k-th of height 1/k²,
// of length 1.
func hill(rows, columns int) [][]float64 {
	h, square := make([][]float64, rows), 0.
	layers := max(rows, columns)/2 + 1
	for i := range h {
		h[i] = make([]float64, columns)
		for j := range h[i] {
			ring := max(i-rows/2, rows/2-i, j-columns/2, columns/2-j)
			for k := ring; k < layers; k++ {
				h[i][j] += 1 / float64((k+1)*(k+1))
			}
			square += h[i][j] * h[i][j]
		}
	}
	for i := range h {
		for j := range h[i] {
			h[i][j] /= math.Sqrt(square)
		}
	}
	return h
}
