package plots

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
)

// No decision boundary runs around a hole, however small the picture.
func TestBoundaryBesideHole(t *testing.T) {
	made := func(score float64) Landscape {
		g := &Grid{X: floats.Span(make([]float64, 40), 0, 1), Y: floats.Span(make([]float64, 40), 0, 1)}
		for row := range g.Y {
			g.Energy, g.Scores = append(g.Energy, make([]float64, 40)), append(g.Scores, make([][]float64, 40))
			for column := range g.X {
				g.Scores[row][column] = []float64{2, 1, 0}
				if row > 10 && row < 20 && column > 10 && column < 30 {
					g.Energy[row][column], g.Scores[row][column] = math.NaN(), []float64{2, score, 0}
				}
			}
		}
		return Landscape{Grid: g}
	}
	pixels := func(score float64) []uint8 {
		l := made(score)
		f, err := LandscapeTable(SharedScale, make([]string, 6), LandscapeRow{Landscapes: []Landscape{l, l, l, l, l, l}})
		if err != nil {
			t.Fatal(err)
		}
		return f.Image(imageDPI).Pix
	}
	want := pixels(1)
	for _, score := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if !bytes.Equal(pixels(score), want) {
			t.Errorf("scores of %v change the picture", score)
		}
	}
}

// Leads are those over the best of the others; only a class that is best somewhere has a contour.
func TestLeads(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	g := &Grid{X: make([]float64, 4), Y: make([]float64, 2), Scores: [][][]float64{
		{{3, 1, 2, 0}, {1, 4, 4, 0}, {nan, 1, 5, 9}, {inf, 0, 0, 0}},
		{{0, -1, 0, -inf}, {5, -inf, -inf, -inf}, {-2, -3, -3, -4}, {-inf, -inf, -inf, -inf}},
	}}
	lead, best := g.leads()
	if want := []bool{true, true, true, false}; !slices.Equal(best, want) {
		t.Errorf("best somewhere are %v, want %v", best, want)
	}
	const far = math.MaxFloat32
	for i, want := range [][]float64{
		{1, -2, -1, -3}, {-3, 0, 0, -4}, {-3, 0, 0, -4}, {-3, 0, 0, -4}, // the last two from a node near them
		{0, -1, 0, -far}, {far, -far, -far, -far}, {1, -1, -1, -2}, {1, -1, -1, -2},
	} {
		for k := range want {
			if got := lead(k, i/4, i%4); got != want[k] {
				t.Errorf("at node %d class %d leads by %v, want %v", i, k, got, want[k])
			}
		}
	}
}
