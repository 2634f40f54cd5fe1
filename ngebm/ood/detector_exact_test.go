package ood

import (
	"math"
	"testing"
)

// A step off the subspace of the training features, where both distances are the ridge's, does not
// change RMDS's scores. (pytorch-ood's are rounding then.)
func TestRMDSOffSubspace(t *testing.T) {
	off := map[string][]float64{ // orthogonal to it
		"collinear": {1, 0, -1, 0, 0, -1},
		"constant":  {0, 1, 0, 0, 0, 0},
	}
	for name, direction := range off {
		c := references(t)[name]
		for _, size := range []float64{.1, 10, 1000} {
			moved := make([][]float64, len(c.Queries))
			for i, z := range c.Queries {
				moved[i] = append([]float64(nil), z...)
				for j, v := range direction {
					moved[i][j] += size * v
				}
			}
			want, got := scored(t, RMDS(), c.training(), c.outputs()), scored(t, RMDS(), c.training(), Outputs{Features: moved})
			for i := range want {
				if !(math.Abs(got[i]-want[i]) <= 1e-6*max(1, math.Abs(want[i]))) {
					t.Errorf("%s, %v off: query %d has the score %v, on the subspace %v", name, size, i, got[i], want[i])
				}
			}
		}
	}
}

// ViM's residual is exact where features deviate 1e5 times more along one direction than along
// those that the principal subspace is to be told from. Singular vectors are known by design.
func TestViMOfUnequalDirections(t *testing.T) {
	basis := [3][3]float64{{2. / 3, 1. / 3, 2. / 3}, {-2. / 3, 2. / 3, 1. / 3}, {1. / 3, 2. / 3, -2. / 3}}
	at := func(a, b, c float64) []float64 {
		z := make([]float64, 3)
		for j := range z {
			z[j] = a*basis[0][j] + b*basis[1][j] + c*basis[2][j]
		}
		return z
	}
	training := Training{Weight: [][]float64{{1, 0}, {0, 1}, {0, 0}}, Bias: []float64{0, 0}, Labels: make([]int32, 8)}
	logits, alpha := func(z []float64) (f, g float64) { return z[0], z[1] }, 0.
	for i := range 8 {
		sign := func(bit int) float64 { return float64(1 - 2*(i>>bit&1)) }
		z := at(1e5*sign(0), sign(1), .5*sign(2))
		f, g := logits(z)
		training.Features, alpha = append(training.Features, z), alpha+max(f, g)/8/.5
	}
	queries := [][]float64{at(0, 1, .5), at(3, -10, 2), at(-1, 40, .01)}
	got := scored(t, ViM(2), training, Outputs{Features: queries})
	for i, residual := range []float64{.5, 2, .01} {
		f, g := logits(queries[i])
		want := max(f, g) + math.Log1p(math.Exp(-math.Abs(f-g))) - alpha*residual
		if !(math.Abs(got[i]-want) <= 1e-8*alpha) {
			t.Errorf("query %d has the score %v, want %v", i, got[i], want)
		}
	}
}
