package ood_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/ood"
)

// For logits (a·x, 0), log max softmax is -log(1+exp(-|a·x|/T)); it rises along
// a·sign(a·x), so the input moves by ε·sign(a)·sign(a·x) and the score follows by
// hand.
func TestODIN(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	a := []float64{2, -1}
	x := [][]float64{{.3, .1}, {-1, .5}}
	const temperature, epsilon = 10, .05
	out := MustExecOnce(backend, func(x, a *Node) *Node {
		logits := func(x *Node) *Node {
			f := ReduceAndKeep(Mul(x, InsertAxes(a, 0)), ReduceSum, 1)
			return Concatenate([]*Node{f, ZerosLike(f)}, 1)
		}
		return ood.ODIN(logits, x, temperature, epsilon)
	}, x, a)
	for i, got := range out.Value().([]float64) {
		f := a[0]*x[i][0] + a[1]*x[i][1]
		f += math.Copysign(epsilon*(math.Abs(a[0])+math.Abs(a[1])), f)
		if want := 1 / (1 + math.Exp(-math.Abs(f)/temperature)); math.Abs(got-want) > 1e-12 {
			t.Errorf("example %d: score %v, want %v", i, got, want)
		}
	}
}

// In float32, of a network with ten classes and at every temperature, each input moves along the
// gradient's sign, which is known by hand.
func TestODINOfTenClasses(t *testing.T) {
	const examples, width, classes, epsilon = 200, 8, 10, .01
	backend, rng := testdevice.Open(t, "cpu"), rand.New(rand.NewPCG(1, 2))
	draw := func(rows, columns int) [][]float32 {
		all := make([][]float32, rows)
		for i := range all {
			all[i] = make([]float32, columns)
			for j := range all[i] {
				all[i][j] = float32(rng.NormFloat64())
			}
		}
		return all
	}
	x, w := draw(examples, width), draw(width, classes)
	softmaxOf := func(z []float64, temperature float64) (p []float64, y int) {
		p = make([]float64, classes)
		for j, v := range z {
			for k := range p {
				p[k] += v * float64(w[j][k]) / temperature
			}
		}
		top, sum := slices.Max(p), 0.
		y = slices.Index(p, top)
		for k := range p {
			p[k] = math.Exp(p[k] - top)
			sum += p[k]
		}
		for k := range p {
			p[k] /= sum
		}
		return p, y
	}
	for _, temperature := range []float64{1, 10, 100, 1000} {
		out := MustExecOnce(backend, func(x, w *Node) *Node {
			return ood.ODIN(func(x *Node) *Node { return Dot(x, w).Product() }, x, temperature, epsilon)
		}, x, w)
		for i, got := range out.Value().([]float32) {
			z := make([]float64, width)
			for j, v := range x[i] {
				z[j] = float64(v)
			}
			p, y := softmaxOf(z, temperature)
			moved, close := slices.Clone(z), false
			for j := range z {
				g := float64(w[j][y])
				for k := range p {
					g -= p[k] * float64(w[j][k])
				}
				moved[j] += math.Copysign(epsilon, g)
				close = close || math.Abs(g) < 1e-4 // float32 may have the other sign
			}
			p, _ = softmaxOf(moved, temperature)
			if want := slices.Max(p); !close && math.Abs(float64(got)-want) > 1e-6 {
				t.Errorf("T = %v: example %d has the score %v, want %v", temperature, i, got, want)
			}
		}
	}
}
