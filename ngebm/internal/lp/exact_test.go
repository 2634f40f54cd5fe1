package lp

import (
	"math"
	"math/rand/v2"
	"testing"
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

// What hosts do to points for attacks ends in the threat model to the last bit, for values
// at the ends of the range, tiny ones and awkward ε.
func TestExactToTheLastBit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 7 * 9 * 3
	x, y, lower, upper, delta := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n), make([]float64, n)
	for _, images := range []bool{true, false} {
		for _, norm := range []Norm{Linf, L2} {
			for _, epsilon := range []float64{8. / 255, 1. / 255, .1, .3, .25, 1, 3, 1e-9, 1e-30, 1e-45, .7 * r.Float64()} {
				threat, limit := New(norm, epsilon, images), epsilon*Scale(images)
				check := func(what string) {
					t.Helper()
					if fault := outside(norm, limit, threat.Lo, threat.Hi, x, y); fault != "" || !threat.Contains(x, y) {
						t.Fatalf("%s, images %v, %s, ε %v: %s; Contains says %v", what, images, norm, epsilon, fault, threat.Contains(x, y))
					}
				}
				for range 20 {
					for j := range x {
						x[j] = []float32{-1, 1, 0, 1e-12, 2*r.Float32() - 1, float32(r.IntN(256))*(2./255) - 1}[r.IntN(6)]
					}
					threat.Bounds(x, lower, upper)
					for j := range y {
						y[j] = 4*r.Float32() - 2
					}
					threat.Settle(x, y)
					check("Settle")
					for j := range y {
						y[j] = x[j] + (2*r.Float32()-1)*float32(limit)
						delta[j] = r.NormFloat64()
					}
					if fault := outside(norm, limit, threat.Lo, threat.Hi, x, y); fault != "" && threat.Contains(x, y) {
						t.Fatalf("images %v, %s, ε %v: Contains accepts what is not: %s", images, norm, epsilon, fault)
					}
					threat.Settle(x, y)
					check("Settle near the surface")
					threat.Start(r, x, y)
					check("Start")
					threat.StartOnSurface(r, x, y)
					check("StartOnSurface")
					if norm == L2 {
						threat.ScaleTo(delta, x, y)
						check("ScaleTo")
						continue
					}
					copy(y, lower)
					check("lower bound")
					copy(y, upper)
					check("upper bound")
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
