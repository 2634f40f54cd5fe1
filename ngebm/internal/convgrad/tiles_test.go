package convgrad_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors/images"

	"ngebm/ngebm/internal/convgrad"
	"ngebm/ngebm/internal/testdevice"
)

// A convolution by tiles on XLA is pure Go's, and so are its first two derivatives: for
// every number of rows that the last tile may have, every padding (negative, too) and
// columns of any number and kernel.
func TestTiles(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	for _, c := range []convolution{
		{size: []int{3, 3}, kernel: []int{3, 3}, pads: [][2]int{{0, 0}, {0, 0}}}, // one row
		{size: []int{4, 5}, kernel: []int{3, 1}, pads: [][2]int{{0, 0}, {0, 0}}},
		{size: []int{5, 4}, kernel: []int{3, 2}, pads: [][2]int{{0, 0}, {1, 0}}},
		{size: []int{6, 5}, kernel: []int{3, 3}, pads: [][2]int{{0, 0}, {1, 1}}}, // one tile
		{size: []int{5, 2}, kernel: []int{3, 3}, pads: [][2]int{{1, 1}, {2, 1}}},
		{size: []int{8, 3}, kernel: []int{3, 3}, pads: [][2]int{{1, 1}, {1, 1}}},
		{size: []int{7, 5}, kernel: []int{3, 5}, pads: [][2]int{{2, 2}, {2, 2}}},
		{size: []int{9, 4}, kernel: []int{3, 3}, pads: [][2]int{{-1, 1}, {0, -1}}},
		{size: []int{9, 4}, kernel: []int{3, 3}, pads: [][2]int{{3, -4}, {-1, 1}}},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			if testing.Short() && c.size[0] != 9 {
				t.Skip("SKIPPED with -short: XLA compiles two derivatives")
			}
			xs, ws := c.shapes()
			r := rand.New(rand.NewPCG(7, 0))
			in := []array{normal(r, xs...), normal(r, ws...)}
			want := derivatives(t, testdevice.Open(t, goBackend), dtypes.Float64, c.apply, in...)
			got := derivatives(t, backend, dtypes.Float64, func(x, w *Node) *Node { return convgrad.ByTiles(c.apply(x, w), x, w, c.pads) }, in...)
			for i := range want {
				if f := relativeError(got[i], want[i]); !(f < 1e-12) {
					t.Errorf("value %d is off by %.2g", i, f)
				}
			}
		})
	}
}

// What Tiled computes by tiles on XLA's CPU, and its derivatives, which take that way too,
// are pure Go's, in either layout.
func TestTiled(t *testing.T) {
	for _, first := range []bool{false, true} {
		c := convolution{size: []int{7, 4}, kernel: []int{3, 3}, pads: [][2]int{{1, 1}, {1, 1}}, first: first}
		xs, ws := []int{9, 7, 4, 64}, []int{3, 3, 64, 64}
		if first {
			xs, ws = []int{9, 64, 7, 4}, []int{64, 64, 3, 3}
		}
		tiled := func(x, w *Node) *Node { return convgrad.Tiled(c.apply(x, w)) }
		r := rand.New(rand.NewPCG(8, 0))
		in := []array{normal(r, xs...), normal(r, ws...)}
		for i := range in[1].values {
			in[1].values[i] /= 24 // the results are about 1
		}
		want := derivatives(t, testdevice.Open(t, goBackend), dtypes.Float64, tiled, in...)
		for _, run := range []struct {
			dtype     dtypes.DType
			tolerance float64
		}{{dtypes.Float64, 1e-12}, {dtypes.Float32, 1e-5}} {
			got := derivatives(t, testdevice.Open(t, "cpu"), run.dtype, tiled, in...)
			for i := range want {
				if f := relativeError(got[i], want[i]); !(f < run.tolerance) {
					t.Errorf("channels first: %v, %s: value %d is off by %.2g", first, run.dtype, i, f)
				}
			}
		}
	}
}

// Tiles are for many channels, kernels of 3x3, every position, and enough rows; on XLA's
// CPU only, not in half precision, and not where the device has code, which is for float32.
func TestWhatIsTiled(t *testing.T) {
	ours := testdevice.Open(t, "cpu").(interface{ Convolves(kernel []int) bool }).Convolves([]int{3, 3, 64, 128})
	for _, c := range []struct {
		name    string
		backend string
		dtype   dtypes.DType
		x, w    []int
		stride  int
		want    bool
	}{
		{"WRN-16-4", "cpu", dtypes.Float64, []int{9, 8, 8, 64}, []int{3, 3, 64, 128}, 1, true},
		{"single precision", "cpu", dtypes.Float32, []int{9, 8, 8, 64}, []int{3, 3, 64, 128}, 1, !ours},
		{"channels first", "cpu", dtypes.Float32, []int{9, 64, 8, 8}, []int{128, 64, 3, 3}, 1, true},
		{"pure Go", goBackend, dtypes.Float32, []int{9, 8, 8, 64}, []int{3, 3, 64, 128}, 1, false},
		{"half precision", "cpu", dtypes.BFloat16, []int{9, 8, 8, 64}, []int{3, 3, 64, 128}, 1, false},
		{"few channels in", "cpu", dtypes.Float64, []int{9, 8, 8, 63}, []int{3, 3, 63, 128}, 1, false},
		{"few channels out", "cpu", dtypes.Float64, []int{9, 8, 8, 64}, []int{3, 3, 64, 63}, 1, false},
		{"stride", "cpu", dtypes.Float64, []int{9, 8, 8, 64}, []int{3, 3, 64, 64}, 2, false},
		{"kernel", "cpu", dtypes.Float64, []int{9, 8, 8, 64}, []int{5, 5, 64, 64}, 1, false},
		{"a row too many for one tile", "cpu", dtypes.Float64, []int{9, 5, 8, 64}, []int{3, 3, 64, 64}, 1, false},
		{"one axis", "cpu", dtypes.Float64, []int{9, 8, 64}, []int{3, 64, 64}, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewGraph(testdevice.Open(t, c.backend), c.name)
			defer g.Finalize()
			x, w := Parameter(g, "x", shapes.Make(c.dtype, c.x...)), Parameter(g, "w", shapes.Make(c.dtype, c.w...))
			axes := images.ChannelsLast
			if c.w[0] > 9 { // output channels
				axes = images.ChannelsFirst
			}
			plain := Convolve(x, w).ChannelsAxis(axes).Strides(c.stride).PadSame().Done()
			y := convgrad.Tiled(plain)
			parts := 0
			for _, node := range g.Nodes() {
				if convgrad.IsPart(node) {
					parts++
				}
			}
			if got := y != plain; got != c.want || got && parts != 6 || !got && parts != 0 {
				t.Errorf("tiled: %v, want %v; %d parts", got, c.want, parts)
			}
		})
	}
}
