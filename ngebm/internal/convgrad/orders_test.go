package convgrad_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"ngebm/ngebm/internal/reference"
	"ngebm/ngebm/internal/testdevice"
)

// orders is the highest order of derivatives that tests check.
const orders = 3

// threeOrders returns, from inputs x, w, a and p_k, q_k for each order k, the scalar
// S = ⟨a, sin C(x, w)⟩ and after it for each order k the 2^k scalars ⟨∂s/∂x, p_k⟩ and
// ⟨∂s/∂w, q_k⟩ of the scalars s of order k-1.
func threeOrders(convolve func(x, w *Node) *Node) func(in []*Node) []*Node {
	return func(in []*Node) []*Node {
		x, w, a := in[0], in[1], in[2]
		level := []*Node{dot(Sin(convolve(x, w)), a)}
		all := level
		for k := range orders {
			p, q := in[3+2*k], in[4+2*k]
			var next []*Node
			for _, s := range level {
				g := Gradient(s, x, w)
				next = append(next, dot(g[0], p), dot(g[1], q))
			}
			all, level = append(all, next...), next
		}
		return all
	}
}

// Derivatives of strided convolutions up to the third order equal JAX's
// (testdata/reference.py): those with 1x1 kernels, a matrix product on XLA's CPU, and for
// comparison one with a 3x3 kernel.
func TestThreeOrdersEqualJAX(t *testing.T) {
	file := reference.Read(t, "testdata/strided.npz")
	for _, name := range []string{"1x1 stride 2", "1x1 strides 2 and 3", "1x1 stride 2 padded", "3x3 stride 2"} {
		stored := func(what string) reference.Array { return file[name+":"+what] }
		strides, padding := stored("strides").Labels(), stored("padding").Labels()
		convolve := func(x, w *Node) *Node {
			return Convolve(x, w).StridePerAxis(int(strides[0]), int(strides[1])).
				PaddingPerDim([][2]int{{int(padding[0]), int(padding[1])}, {int(padding[2]), int(padding[3])}}).Done()
		}
		var in []array
		for _, what := range []string{"x", "w", "a", "p0", "q0", "p1", "q1", "p2", "q2"} {
			in = append(in, array{stored(what).Values, stored(what).Shape})
		}
		for _, backend := range []string{goBackend, "cpu"} {
			exec := MustNewExec(testdevice.Open(t, backend), threeOrders(convolve))
			for i, got := range call(t, exec, dtypes.Float64, in...) {
				if f := relativeError(got, stored("scalars").Values[i:i+1]); !(f < 1e-11) {
					t.Errorf("%s, %s: scalar %d differs by %.2g of JAX's", name, backend, i, f)
				}
			}
			exec.Finalize()
		}
	}
}

// Every first, second and third derivative with respect to x and w, mixed ones
// included, agrees with finite differences of the derivative of one order less, along
// random directions; see threeOrders.
func TestThreeOrders(t *testing.T) {
	const step, tolerance = 1e-3, 1e-8
	for _, run := range []struct {
		backend string
		every   int
	}{{goBackend, 1}, {"cpu", 53}} {
		t.Run(run.backend, func(t *testing.T) {
			if testing.Short() && run.backend == "cpu" {
				t.Skip("SKIPPED with -short: XLA compiles every case")
			}
			b := testdevice.Open(t, run.backend)
			for number, c := range convolutions() {
				if number%run.every != 0 {
					continue
				}
				exec := MustNewExec(b, threeOrders(c.apply))
				r := rand.New(rand.NewPCG(5, uint64(number)))
				xs, ws := c.shapes()
				at := [2]array{normal(r, xs...), normal(r, ws...)}
				fixed := []array{normal(r, c.shape(t)...)}
				for range orders {
					fixed = append(fixed, normal(r, xs...), normal(r, ws...))
				}
				// scalars are all of them, x or w being moved.
				scalars := func(which int, h float64, direction array) []float64 {
					moved := at
					moved[which] = at[which].plus(h, direction)
					var s []float64
					for _, v := range call(t, exec, dtypes.Float64, append(moved[:], fixed...)...) {
						s = append(s, v...)
					}
					return s
				}
				got := scalars(0, 0, at[0])
				start, width := 0, 1 // of the level below
				for k := range orders {
					want := make([]float64, 2*width)
					for which := range 2 {
						f := func(h float64) []float64 { return scalars(which, h, fixed[1+2*k+which]) }
						up, down, up2, down2 := f(step), f(-step), f(2*step), f(-2*step)
						for i := range width {
							j := start + i
							want[2*i+which] = (8*(up[j]-down[j]) - (up2[j] - down2[j])) / (12 * step) // error O(step⁴)
						}
					}
					if f := relativeError(got[start+width:start+3*width], want); !(f <= tolerance) {
						t.Errorf("%v: order %d is off by %.2g, more than %.0g", c, k+1, f, tolerance)
					}
					start, width = start+width, 2*width
				}
				exec.Finalize()
			}
		})
	}
}
