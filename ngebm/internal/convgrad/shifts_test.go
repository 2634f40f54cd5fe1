package convgrad_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"ngebm/ngebm/internal/convgrad"
	"ngebm/ngebm/internal/testdevice"
)

// The gradient of a 3×3 kernel of many channels, by products on XLA's CPU or by the device, and its own
// gradients are pure Go's: for every padding (negative and beyond the kernel, too) and
// stride, in either layout.
func TestShifts(t *testing.T) {
	for _, c := range []convolution{
		{size: []int{5, 4}, pads: [][2]int{{1, 1}, {1, 1}}},
		{size: []int{5, 4}, pads: [][2]int{{0, 0}, {2, 1}}, first: true},
		{size: []int{5, 4}, pads: [][2]int{{-1, 2}, {0, -1}}},
		{size: []int{5, 4}, pads: [][2]int{{3, 4}, {1, 0}}, first: true}, // dy is larger than x
		{size: []int{4, 6}, pads: [][2]int{{1, 1}, {1, 1}}, strides: []int{2, 2}},
		{size: []int{5, 5}, pads: [][2]int{{0, 1}, {2, 3}}, strides: []int{2, 2}, first: true},
		{size: []int{1, 7}, pads: [][2]int{{1, 1}, {-1, 0}}, strides: []int{2, 1}}, // rows that no tap meets
		// By tiles, which are whole or not.
		{size: []int{8, 4}, pads: [][2]int{{1, 1}, {1, 1}}},
		{size: []int{7, 3}, pads: [][2]int{{0, 2}, {2, 1}}, first: true},
		{size: []int{9, 5}, pads: [][2]int{{-1, 6}, {0, -1}}},
		{size: []int{3, 4}, pads: [][2]int{{3, 4}, {1, 1}}, first: true},
	} {
		c.kernel = []int{3, 3}
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			in, outs := 16, []int{33, 32, 3} // the device has code for all in float32, but for 65
			if c.strides != nil {
				in, outs = 64, []int{65, 64}
			}
			for _, out := range outs {
				xs, ws := []int{2, c.size[0], c.size[1], in}, []int{3, 3, in, out}
				if c.first {
					xs, ws = []int{2, in, c.size[0], c.size[1]}, []int{out, in, 3, 3}
				}
				r := rand.New(rand.NewPCG(9, 0))
				at := []array{normal(r, xs...), normal(r, ws...)}
				for i := range at[1].values {
					at[1].values[i] /= math.Sqrt(float64(9 * in)) // the results are about 1
				}
				want := derivatives(t, testdevice.Open(t, goBackend), dtypes.Float64, c.apply, at...)
				for dtype, tolerance := range map[dtypes.DType]float64{dtypes.Float64: 1e-12, dtypes.Float32: 1e-5} {
					if dtype == dtypes.Float64 && out != outs[0] { // by products, or XLA
						continue
					}
					got := derivatives(t, testdevice.Open(t, "cpu"), dtype, c.apply, at...)
					for i := range want {
						if f := relativeError(got[i], want[i]); !(f < tolerance) {
							t.Errorf("%d channels, %s: value %d is off by %.2g", out, dtype, i, f)
						}
					}
				}
			}
		})
	}
}

// Products are for 3×3 kernels of many channels at every position, on XLA's CPU, not
// in half precision, and not where the device has code, which is for float32 and 16, 32, … channels in or out. A
// product is part of the convolution for which it stands.
func TestWhatIsShifted(t *testing.T) {
	single := 6
	if testdevice.Open(t, "cpu").(interface{ KernelGradient(kernel []int) bool }).KernelGradient([]int{3, 3, 16, 32}) {
		single = 0
	}
	for _, c := range []struct {
		name    string
		backend string
		dtype   dtypes.DType
		w       []int
		stride  int
		size    int
		want    int // products
	}{
		{"WRN-10-2", "cpu", dtypes.Float64, []int{3, 3, 16, 32}, 1, 8, 6},
		{"single precision", "cpu", dtypes.Float32, []int{3, 3, 16, 32}, 1, 8, single},
		{"single precision, odd channels", "cpu", dtypes.Float32, []int{3, 3, 17, 31}, 1, 8, 6},
		{"few channels", "cpu", dtypes.Float64, []int{3, 3, 16, 31}, 1, 8, 1},
		{"last tile mostly unused", "cpu", dtypes.Float64, []int{3, 3, 16, 32}, 1, 5, 1},
		{"pure Go", goBackend, dtypes.Float32, []int{3, 3, 16, 32}, 1, 8, 0},
		{"half precision", "cpu", dtypes.BFloat16, []int{3, 3, 16, 32}, 1, 8, 0},
		{"few channels in", "cpu", dtypes.Float64, []int{3, 3, 3, 16}, 1, 8, 0},
		{"few channels out", "cpu", dtypes.Float64, []int{3, 3, 16, 3}, 1, 8, 0},
		{"stride", "cpu", dtypes.Float64, []int{3, 3, 64, 64}, 2, 8, 2},
		{"stride, few channels", "cpu", dtypes.Float64, []int{3, 3, 63, 64}, 2, 8, 0},
		{"long stride", "cpu", dtypes.Float64, []int{3, 3, 64, 64}, 3, 8, 0},
		{"kernel", "cpu", dtypes.Float64, []int{5, 5, 16, 16}, 1, 8, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewGraph(testdevice.Open(t, c.backend), c.name)
			defer g.Finalize()
			x, w := Parameter(g, "x", shapes.Make(c.dtype, 2, c.size, c.size, c.w[2])), Parameter(g, "w", shapes.Make(c.dtype, c.w...))
			Gradient(ReduceAllSum(Convolve(x, w).Strides(c.stride).PadSame().Done()), w)
			products := 0
			for _, node := range g.Nodes() {
				if node.Type() == NodeTypeDotGeneral && convgrad.IsPart(node) {
					products++
				}
			}
			if products != c.want {
				t.Errorf("by %d products, want %d", products, c.want)
			}
		})
	}
}
