package convgrad_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"ngebm/ngebm/internal/convgrad"
	"ngebm/ngebm/internal/testdevice"
)

// A convolution with input dilation by phases on XLA is pure Go's convolution, and so are
// its first two derivatives: every remainder of size, kernel, padding (negative too) and
// dilation, also where a phase has no tap or the kernel is larger than the input.
func TestPhases(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	for _, c := range []convolution{
		{size: []int{5}, kernel: []int{3}, input: []int{2}, pads: [][2]int{{1, 2}}},
		{size: []int{5}, kernel: []int{3}, input: []int{2}, pads: [][2]int{{2, 1}}},
		{size: []int{6}, kernel: []int{4}, input: []int{3}, pads: [][2]int{{0, 0}}},
		{size: []int{6}, kernel: []int{1}, input: []int{2}, pads: [][2]int{{0, 1}}}, // the 1x1 shortcut: a phase without taps
		{size: []int{6}, kernel: []int{2}, input: []int{4}, pads: [][2]int{{3, 5}}},
		{size: []int{5}, kernel: []int{3}, input: []int{2}, pads: [][2]int{{-1, -2}}},
		{size: []int{2}, kernel: []int{5}, input: []int{2}, pads: [][2]int{{4, 4}}},
		{size: []int{4, 5}, kernel: []int{3, 3}, input: []int{2, 2}, pads: [][2]int{{1, 2}, {1, 2}}},
		{size: []int{4, 3}, kernel: []int{2, 5}, input: []int{1, 3}, pads: [][2]int{{1, 0}, {3, 4}}},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			xs, ws := c.shapes()
			r := rand.New(rand.NewPCG(5, 0))
			in := []array{normal(r, xs...), normal(r, ws...)}
			want := derivatives(t, testdevice.Open(t, goBackend), dtypes.Float64, c.apply, in...)
			got := derivatives(t, backend, dtypes.Float64, func(x, w *Node) *Node { return convgrad.InPlaceOf(c.apply(x, w), x, w, c.pads, c.input) }, in...)
			for i := range want {
				if f := relativeError(got[i], want[i]); !(f < 1e-10) {
					t.Errorf("value %d is off by %.2g", i, f)
				}
			}
		})
	}
}

// derivatives are the values of a function of x and w, its gradients, and the gradients of
// a function of these.
func derivatives(t *testing.T, backend compute.Backend, dtype dtypes.DType, of func(x, w *Node) *Node, in ...array) [][]float64 {
	t.Helper()
	return call(t, MustNewExec(backend, func(in []*Node) []*Node {
		y := of(in[0], in[1])
		first := Gradient(ReduceAllSum(Sin(y)), in...)
		second := Gradient(Add(dot(first[0], first[0]), dot(first[1], first[1])), in...)
		return append([]*Node{y}, append(first, second...)...)
	}), dtype, in...)
}

// The gradient of a 1x1 kernel, a matrix product on XLA's CPU, is pure Go's, for
// strides that leave a rest and for the kernel's channels in either order; so is that of an
// input of one position, of which only the kernel's first position meets a result.
func TestProduct(t *testing.T) {
	for _, c := range []convolution{
		{size: []int{5}, kernel: []int{1}},
		{size: []int{5}, kernel: []int{1}, strides: []int{2}},
		{size: []int{6}, kernel: []int{1}, strides: []int{4}, first: true},
		{size: []int{5, 7}, kernel: []int{1, 1}, strides: []int{2, 3}},
		{size: []int{4, 6}, kernel: []int{1, 1}, first: true},
		{size: []int{4}, kernel: []int{1}, strides: []int{2}, pads: [][2]int{{1, 1}}}, // stays a convolution
		{size: []int{2, 2}, kernel: []int{1, 1}, input: []int{2, 3}},
		{size: []int{1}, kernel: []int{2}, pads: [][2]int{{0, 2}}},
		{size: []int{1, 1}, kernel: []int{2, 3}, pads: [][2]int{{0, 2}, {0, 4}}, first: true},
		{size: []int{1}, kernel: []int{3}, strides: []int{2}, pads: [][2]int{{0, 6}}},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			xs, ws := c.shapes()
			r := rand.New(rand.NewPCG(6, 0))
			x, w, y := normal(r, xs...), normal(r, ws...), normal(r, c.shape(t)...)
			gradients := func(backend string) [][]float64 {
				return call(t, MustNewExec(testdevice.Open(t, backend), func(in []*Node) []*Node {
					return Gradient(dot(c.apply(in[0], in[1]), in[2]), in[0], in[1])
				}), dtypes.Float64, x, w, y)
			}
			got, want := gradients("cpu"), gradients(goBackend)
			for i, name := range []string{"the input", "the kernel"} {
				if f := relativeError(got[i], want[i]); !(f < 1e-12) {
					t.Errorf("of %s: off by %.2g", name, f)
				}
			}
		})
	}
}
