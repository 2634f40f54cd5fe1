package attack

import (
	"math"
	"math/rand/v2"
	"testing"

	"ngebm/ngebm/internal/lp"
)

// What Square proposes is in the threat model to the last bit, for values at the ends of the
// range, tiny ones and awkward ε.
func TestProposalsAreInTheThreatModel(t *testing.T) {
	r, size := rand.New(rand.NewPCG(1, 2)), extent{7, 9, 3}
	n := size.height * size.width * size.channels
	x, y, lower, upper := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	for _, images := range []bool{true, false} {
		for _, norm := range []Norm{Linf, L2} {
			for _, epsilon := range []float64{8. / 255, .1, 1, 3, 1e-9, 1e-30, 1e-45, .7 * r.Float64()} {
				threat := lp.New(norm, epsilon, images)
				check := func(what string) {
					t.Helper()
					if !threat.Contains(x, y) {
						t.Fatalf("%s, images %v, %s, ε %v: the proposal is outside", what, images, norm, epsilon)
					}
				}
				for range 20 {
					for j := range x {
						x[j] = []float32{-1, 1, 0, 1e-12, 2*r.Float32() - 1, float32(r.IntN(256))*(2./255) - 1}[r.IntN(6)]
					}
					threat.Bounds(x, lower, upper)
					if norm == Linf {
						stripes(r, size, lower, upper, y)
						check("stripes")
						size.window(r, 5).fill(r, lower, upper, y)
						check("window")
						continue
					}
					tiles(threat, r, size, x, y)
					check("tiles")
					for range 3 {
						move(threat, r, size, .3, x, y)
						check("move")
					}
				}
			}
		}
	}
}

// Windows of any size are finite, of length 1 and inside the image, down to a
// single pixel.
func TestPatterns(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for rows := 1; rows < 8; rows++ {
		for columns := 1; columns < 8; columns++ {
			square := 0.
			for _, row := range pattern(r, rows, columns) {
				if len(row) != columns {
					t.Fatalf("%dx%d: a row of %d", rows, columns, len(row))
				}
				for _, v := range row {
					square += v * v
				}
			}
			if !(math.Abs(square-1) < 1e-12) {
				t.Errorf("%dx%d: squares sum to %v", rows, columns, square)
			}
		}
	}
}

// A window has its share of images that are not square, of rows too.
func TestWindowShare(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		e             extent
		share         float64
		rows, columns int
	}{
		{extent{32, 32, 3}, .8, 29, 29},
		{extent{32, 32, 3}, .0015, 1, 1},
		{extent{1, 30, 1}, .8, 1, 25},
		{extent{1, 30, 1}, .05, 1, 1},
		{extent{1, 2, 1}, .8, 1, 1},
		{extent{8, 100, 1}, .8, 8, 78},
		{extent{100, 8, 1}, .8, 78, 8},
		{extent{3, 5, 1}, 1, 3, 5},
	} {
		w := c.e.window(r, c.e.side(c.share))
		if w.rows != c.rows || w.columns != c.columns || w.top+w.rows > c.e.height || w.left+w.columns > c.e.width {
			t.Errorf("%.4g of %dx%d: %dx%d at %d, %d, want %dx%d", c.share, c.e.height, c.e.width, w.rows, w.columns, w.top, w.left, c.rows, c.columns)
		}
	}
}

// AutoAttack's schedule with 10,000 queries and p = .8 (Square's p_selection):
// halved after 10, 50, 200, 500, 1000, 2000, 4000, 6000 and 8000.
func TestSquareShare(t *testing.T) {
	q := Square{Queries: 10000}
	for query, want := range map[int]float64{0: .8, 10: .8, 11: .4, 50: .4, 51: .2, 201: .1, 501: .05, 1001: .025, 2001: .0125, 4001: .00625, 6001: .003125, 8001: .0015625, 9999: .0015625} {
		if got := q.share(query); math.Abs(got-want) > 1e-15 {
			t.Errorf("share at query %d is %v, want %v", query, got, want)
		}
	}
}
