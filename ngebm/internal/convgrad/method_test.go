package convgrad_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/testdevice"
)

// A small smooth network of strided convolutions, as NG-EBM trains them: 4×4 and
// 3×3 kernels with stride 2, a 1×1 shortcut with stride 4. It returns the energies
// of x, shaped [batch, 8, 8, 2].
func strided(x *Node, weights []*Node, between func(*Node) *Node) *Node {
	conv := func(x, w *Node, stride, pad int) *Node {
		x = between(x)
		return Convolve(x, w).Strides(stride).PaddingPerDim([][2]int{{pad, pad}, {pad, pad}}).Done()
	}
	h := Tanh(conv(x, weights[0], 2, 1))
	h = Tanh(conv(h, weights[1], 2, 1))
	h = Tanh(Add(h, conv(x, weights[2], 4, 0)))
	// A matrix product by hand: the pure-Go backend's does not stand -race's check
	// of pointers (compute v0.1.6).
	h = InsertAxes(ReduceMean(h, 1, 2), -1)
	return energy.LogSumExp(ReduceSum(Mul(h, InsertAxes(weights[3], 0)), 1))
}

func stridedInputs(seed uint64) []array {
	r := rand.New(rand.NewPCG(seed, 0))
	return []array{normal(r, 3, 8, 8, 2), normal(r, 4, 4, 2, 3), normal(r, 3, 3, 3, 4), normal(r, 1, 1, 2, 4), normal(r, 4, 3)}
}

func asIs(x *Node) *Node { return x }

// The gradient of mean ‖∂E/∂x‖ with respect to every single weight agrees with
// finite differences.
func TestGradientNorm(t *testing.T) {
	const step, tolerance = 1e-3, 1e-8
	for _, backend := range []string{goBackend, "cpu"} {
		t.Run(backend, func(t *testing.T) {
			b := testdevice.Open(t, backend)
			norm := func(in []*Node) *Node {
				return ReduceAllMean(energy.GradientNorm(strided(in[0], in[1:], asIs), in[0]))
			}
			term := MustNewExec(b, norm)
			gradient := MustNewExec(b, func(in []*Node) []*Node { return Gradient(norm(in), in[1:]...) })
			at := stridedInputs(7)
			for i, got := range call(t, gradient, dtypes.Float64, at...) {
				weights := at[1+i].values
				want := make([]float64, len(weights))
				for j, w := range weights {
					f := func(h float64) float64 {
						weights[j] = w + h
						return call(t, term, dtypes.Float64, at...)[0][0]
					}
					want[j] = (8*(f(step)-f(-step)) - (f(2*step) - f(-2*step))) / (12 * step)
					weights[j] = w
				}
				if f := relativeError(got, want); !(f <= tolerance) {
					t.Errorf("weight %d, shaped %v: off by %.2g, more than %.0g", i, at[1+i].shape, f, tolerance)
				}
			}
		})
	}
}

// Gradient checkpointing computes activations again in the backward pass: on
// copies of the nodes, of those of the first gradient too. It changes no value.
func TestCheckpointing(t *testing.T) {
	for _, backend := range []string{goBackend, "cpu"} {
		exec := MustNewExec(testdevice.Open(t, backend), func(in []*Node) []*Node {
			gradients := func(between func(*Node) *Node) []*Node {
				e := strided(in[0], in[1:], between).StopCheckpoint()
				return Gradient(ReduceAllMean(energy.GradientNorm(e, in[0])), in[1:]...)
			}
			return append(gradients(asIs), gradients((*Node).Checkpoint)...)
		})
		out := call(t, exec, dtypes.Float64, stridedInputs(8)...)
		for i, want := range out[:4] {
			if f := relativeError(out[4+i], want); !(f <= 1e-12) {
				t.Errorf("%s: weight %d: off by %.2g with checkpoints", backend, i, f)
			}
		}
	}
}
