package ood_test

import (
	"math"
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
