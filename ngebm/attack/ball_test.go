package attack

import (
	"math"
	"math/rand/v2"
	"testing"

	"ngebm/data"
)

// outside says how y breaks the rules, by arithmetic of its own.
func outside(norm Norm, epsilon float64, lo, hi float32, x, y []float32) string {
	var largest, square float64
	var largest32, square32 float32
	for j := range x {
		if math.IsNaN(float64(y[j])) || y[j] < lo || y[j] > hi {
			return "a value is outside the range"
		}
		d := math.Abs(float64(y[j]) - float64(x[j]))
		d32 := float32(math.Abs(float64(y[j] - x[j])))
		largest, largest32 = math.Max(largest, d), max(largest32, d32)
		square += d * d
		product := d32 * d32
		square32 += product
	}
	switch {
	case norm == Linf && (largest > epsilon || float64(largest32) > epsilon):
		return "it is too far away in L∞"
	case norm == L2 && (math.Sqrt(square) > epsilon || float64(float32(math.Sqrt(float64(square32)))) > epsilon):
		return "it is too far away in L2"
	}
	return ""
}

// What hosts do to points ends in the Lp ball to the last bit, for values at the
// ends of the range, tiny ones and awkward ε.
func TestBallExactly(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	images := &data.Dataset{Pixels: []uint8{}}
	plane := &data.Dataset{Points: []float32{}}
	for _, d := range []*data.Dataset{images, plane} {
		for _, norm := range []Norm{Linf, L2} {
			for _, epsilon := range []float64{8. / 255, 1. / 255, .1, .3, .25, 1, 3, 1e-9, 1e-30, 1e-45, .7 * r.Float64()} {
				b := newLpBall(d, norm, epsilon)
				limit, size := epsilon*scale(d), extent{7, 9, 3}
				n := size.height * size.width * size.channels
				x, y, lower, upper := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
				check := func(what string) {
					t.Helper()
					if fault := outside(norm, limit, b.lo, b.hi, x, y); fault != "" {
						t.Fatalf("%s, images %v, %s, ε %v: %s", what, d.IsImages(), norm, epsilon, fault)
					}
				}
				for range 20 {
					for j := range x {
						x[j] = []float32{-1, 1, 0, 1e-12, 2*r.Float32() - 1, float32(r.IntN(256))*(2./255) - 1}[r.IntN(6)]
					}
					b.bounds(x, lower, upper)
					for j := range y {
						y[j] = 4*r.Float32() - 2
					}
					b.settle(x, y)
					check("settle")
					for j := range y {
						y[j] = x[j] + (2*r.Float32()-1)*float32(limit)
					}
					b.settle(x, y)
					check("settle near the surface")
					b.startUniform(r, x, y)
					check("startUniform")
					b.startOnSurface(r, x, y)
					check("startOnSurface")
					if norm == Linf {
						copy(y, lower)
						check("lower bound")
						copy(y, upper)
						check("upper bound")
						stripes(r, size, lower, upper, y)
						check("stripes")
						size.window(r, 5).fill(r, lower, upper, y)
						check("window")
						continue
					}
					b.tiles(r, size, x, y)
					check("tiles")
					for range 3 {
						b.move(r, size, .3, x, y)
						check("move")
					}
				}
			}
		}
	}
}

// The bounds reach as far as they may: the next float32 is outside.
func TestBoundsAreTight(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 10000 {
		v, step := 2*r.Float32()-1, float32(math.Pow(10, -8*r.Float64()))
		up, down := reach(v, step), reach(v, -step)
		if d := float64(up) - float64(v); d > float64(step) || float64(math.Nextafter32(up, 9))-float64(v) <= float64(step) {
			t.Fatalf("reach(%v, %v) = %v", v, step, up)
		}
		if d := float64(v) - float64(down); d > float64(step) || float64(v)-float64(math.Nextafter32(down, -9)) <= float64(step) {
			t.Fatalf("reach(%v, %v) = %v", v, -step, down)
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

// Checkpoints of APGD with 100 steps: 22 steps, then 3 fewer each time, at least 6
// (Croce and Hein 2020: w_j = .22, .41, .57, .70, .80, .87, .93, .99). Losses that
// rise at every step halve nothing; losses that stand still halve at each.
func TestControl(t *testing.T) {
	c := newControl(2, 100, 1)
	c.begin([]float32{0, 0})
	var halvings []int
	for step := 1; step <= 100; step++ {
		before := c.lengths[1]
		c.observe([]float32{float32(step), 0})
		if c.lengths[1] != before {
			halvings = append(halvings, step)
			if !c.restart[1] || c.lengths[1] != before/2 {
				t.Errorf("step %d: length %v after %v, restart %v", step, c.lengths[1], before, c.restart[1])
			}
		} else if c.restart[1] {
			t.Errorf("step %d: restarts for nothing", step)
		}
	}
	want := []int{22, 41, 57, 70, 80, 87, 93, 99}
	if len(halvings) != len(want) || c.lengths[0] != 1 {
		t.Fatalf("halved at %v, want %v; rising losses left %v", halvings, want, c.lengths[0])
	}
	for i := range want {
		if halvings[i] != want[i] {
			t.Fatalf("halved at %v, want %v", halvings, want)
		}
	}
}

// Intervals from scipy 1.17.1: binomtest(count, n).proportion_ci(method="wilson").
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		count, n  int
		low, high float64
	}{
		{8, 10, .4901624715366418, .9433178485456248},
		{0, 20, 0, .16112515805281935},
		{20, 20, .8388748419471808, 1},
		{201, 597, .299926411207632, .3755287406676436},
	} {
		p := newPoint(.1, c.count, c.n)
		if math.Abs(p.Low-c.low) > 1e-14 || math.Abs(p.High-c.high) > 1e-14 {
			t.Errorf("%d of %d: [%.14f, %.14f], want [%.14f, %.14f]", c.count, c.n, p.Low, p.High, c.low, c.high)
		}
	}
}
