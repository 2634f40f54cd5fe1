package convgrad_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"ngebm/ngebm/internal/testdevice"
)

// convolution is one case of the tables. Fields that are nil are not asked for.
type convolution struct {
	size, kernel             []int // spatial
	strides, dilation, input []int
	pads                     [][2]int
	first                    bool // channels first, else last
	channelGroups            int  // 0 is 1
	batchGroups              int  // 0 is 1
}

// goBackend is the pure-Go backend, one operation at a time: with concurrent operations
// the convolutions of compute v0.1.6 deadlock on each other's workers.
const goBackend = "go:ops_sequential"

// Sizes that the groups of all cases divide.
const batchSize, channelsIn, channelsOut = 2, 2, 4

func (c convolution) String() string {
	s := fmt.Sprintf("%v*%v", c.size, c.kernel)
	for _, p := range []struct {
		name  string
		value []int
	}{{"strides", c.strides}, {"dilation", c.dilation}, {"input dilation", c.input}} {
		if p.value != nil {
			s += fmt.Sprintf(" %s %v", p.name, p.value)
		}
	}
	if c.pads != nil {
		s += fmt.Sprintf(" pads %v", c.pads)
	}
	if c.first {
		s += " channels first"
	}
	if c.channelGroups > 1 {
		s += fmt.Sprintf(" channel groups %d", c.channelGroups)
	}
	if c.batchGroups > 1 {
		s += fmt.Sprintf(" batch groups %d", c.batchGroups)
	}
	return s
}

func (c convolution) apply(x, w *Node) *Node {
	n := len(c.size)
	spatial := make([]int, n)
	for i := range spatial {
		spatial[i] = i + 1
	}
	axes := compute.ConvolveAxesConfig{ // Convolve's ChannelsLast
		InputBatch: 0, InputSpatial: spatial, InputChannels: n + 1,
		OutputBatch: 0, OutputSpatial: spatial, OutputChannels: n + 1,
		KernelInputChannels: n, KernelOutputChannels: n + 1,
	}
	for i := range n {
		axes.KernelSpatial = append(axes.KernelSpatial, i)
	}
	if c.first { // Convolve's ChannelsFirst
		for i := range spatial {
			spatial[i] = i + 2
		}
		axes.InputChannels, axes.OutputChannels = 1, 1
		axes.KernelOutputChannels, axes.KernelInputChannels, axes.KernelSpatial = 0, 1, spatial
	}
	return ConvGeneral(x, w, axes, c.strides, c.pads, c.input, c.dilation, max(1, c.channelGroups), max(1, c.batchGroups))
}

// shapes returns those of x and w.
func (c convolution) shapes() (x, w []int) {
	in := channelsIn / max(1, c.channelGroups)
	if c.first {
		return append([]int{batchSize, channelsIn}, c.size...), append([]int{channelsOut, in}, c.kernel...)
	}
	return append(append([]int{batchSize}, c.size...), channelsIn), append(slices.Clone(c.kernel), in, channelsOut)
}

// shape returns that of the result.
func (c convolution) shape(t *testing.T) []int {
	t.Helper()
	g := NewGraph(testdevice.Open(t, goBackend), "shape")
	defer g.Finalize()
	x, w := c.shapes()
	return c.apply(Parameter(g, "x", shapeOf(x)), Parameter(g, "w", shapeOf(w))).Shape().Dimensions
}

// convolutions is the table: strides or dilation × padding × size and kernel, odd
// and even, in one and two dimensions, then what Convolve does not let one ask for
// but its gradients do, then groups. The layouts take turns.
func convolutions() []convolution {
	var all []convolution
	add := func(c convolution) {
		c.first = len(all)%2 == 1
		all = append(all, c)
	}
	for _, s := range []struct{ size, kernel, mixed []int }{
		{[]int{6}, []int{2}, []int{3}},
		{[]int{6}, []int{3}, []int{3}},
		{[]int{7}, []int{2}, []int{4}},
		{[]int{7}, []int{3}, []int{4}},
		{[]int{6, 5}, []int{3, 3}, []int{2, 1}},
		{[]int{5, 6}, []int{2, 3}, []int{1, 3}},
		{[]int{5, 5}, []int{4, 1}, []int{3, 2}},
		{[]int{4, 4}, []int{4, 4}, []int{2, 2}},
	} {
		n := len(s.size)
		for _, step := range [][2][]int{
			{nil, nil}, {same(n, 1), nil}, {same(n, 2), nil}, {s.mixed, nil}, {nil, same(n, 1)}, {nil, same(n, 2)},
		} {
			c := convolution{size: s.size, kernel: s.kernel, strides: step[0], dilation: step[1]}
			fit, uneven, wide := make([][2]int, n), make([][2]int, n), make([][2]int, n)
			for i, k := range s.kernel {
				if c.dilation != nil {
					k = (k-1)*c.dilation[i] + 1
				}
				fit[i] = [2]int{(k - 1) / 2, k / 2} // as PadSame
				uneven[i] = [2]int{2 * (k / 3), k - 1}
				wide[i] = [2]int{k + 1, k + 2} // some windows see padding only
			}
			for _, c.pads = range [][][2]int{nil, fit, uneven, wide} {
				if c.pads == nil && c.dilation != nil && c.dilation[0] == 2 && n == 2 {
					continue // larger than the input
				}
				add(c)
			}
		}
	}
	add(convolution{size: []int{9}, kernel: []int{3}, strides: []int{2}, dilation: []int{3}, pads: [][2]int{{1, 0}}})
	add(convolution{size: []int{5}, kernel: []int{4}, strides: []int{3}, dilation: []int{2}, input: []int{4}, pads: [][2]int{{2, -1}}})
	add(convolution{size: []int{5, 4}, kernel: []int{2, 3}, strides: []int{1, 2}, dilation: []int{2, 1}, input: []int{2, 3}})
	add(convolution{size: []int{3}, kernel: []int{5}, pads: [][2]int{{4, 4}}}) // the kernel is the larger one
	for _, groups := range [][2]int{{channelsIn, 1}, {1, batchSize}} {
		for _, c := range []convolution{
			{size: []int{6}, kernel: []int{3}},
			{size: []int{6}, kernel: []int{3}},
			{size: []int{5, 6}, kernel: []int{3, 2}, strides: []int{2, 2}, pads: [][2]int{{1, 1}, {0, 1}}},
			{size: []int{5, 6}, kernel: []int{3, 2}, strides: []int{2, 2}, pads: [][2]int{{1, 1}, {0, 1}}},
		} {
			c.channelGroups, c.batchGroups = groups[0], groups[1]
			add(c)
		}
	}
	// Shortcuts of residual networks: 1x1 kernels with strides.
	add(convolution{size: []int{6}, kernel: []int{1}, strides: []int{2}})
	add(convolution{size: []int{5, 7}, kernel: []int{1, 1}, strides: []int{2, 3}})
	add(convolution{size: []int{6, 6}, kernel: []int{1, 1}, strides: []int{2, 2}})
	add(convolution{size: []int{5, 4}, kernel: []int{1, 1}, strides: []int{2, 2}, pads: [][2]int{{1, 0}, {1, 1}}})
	return all
}

// shapeOf is a float64 shape.
func shapeOf(dims []int) shapes.Shape { return shapes.Make(dtypes.Float64, dims...) }

func same(n, value int) []int { return slices.Repeat([]int{value}, n) }

// The three maps are adjoint to each other, and the gradients of the two that are
// gradients themselves are the maps that the package comment says.
func TestThreeMaps(t *testing.T) {
	for _, run := range []struct {
		backend   string
		dtype     dtypes.DType
		tolerance float64
		every     int // XLA takes its time to compile: so many cases a time
	}{
		{goBackend, dtypes.Float64, 1e-12, 1},
		{"cpu", dtypes.Float64, 1e-12, 17},
		{"cpu", dtypes.Float32, 1e-5, 17},
	} {
		t.Run(fmt.Sprintf("%s/%s", run.backend, run.dtype), func(t *testing.T) {
			if testing.Short() && run.backend == "cpu" {
				t.Skip("SKIPPED with -short: XLA compiles every case")
			}
			b := testdevice.Open(t, run.backend)
			for i, c := range convolutions() {
				if i%run.every != 0 {
					continue
				}
				exec := MustNewExec(b, func(in []*Node) []*Node {
					x, w, y, x2, w2 := in[0], in[1], in[2], in[3], in[4]
					mapI := func(y, w *Node) *Node { return Gradient(dot(c.apply(x, w), y), x)[0] }
					mapK := func(x, y *Node) *Node { return Gradient(dot(c.apply(x, w), y), w)[0] }
					i, k := mapI(y, w), mapK(x, y)
					byI, byK := Gradient(dot(i, x2), y, w), Gradient(dot(k, w2), x, y)
					return []*Node{
						dot(c.apply(x, w), y), dot(i, x),
						dot(c.apply(x, w), y), dot(k, w),
						byI[0], c.apply(x2, w),
						byI[1], mapK(x2, y),
						byK[0], mapI(y, w2),
						byK[1], c.apply(x, w2),
					}
				})
				r := rand.New(rand.NewPCG(3, uint64(i)))
				x, w := c.shapes()
				out := call(t, exec, run.dtype, normal(r, x...), normal(r, w...), normal(r, c.shape(t)...), normal(r, x...), normal(r, w...))
				for j, name := range []string{"<I,x> = <y,C>", "<K,w> = <y,C>", "dI/dy = C", "dI/dw = K", "dK/dx = I", "dK/dy = C"} {
					if f := relativeError(out[2*j], out[2*j+1]); !(f <= run.tolerance) {
						t.Errorf("%v: %s is off by %.2g, more than %.0g", c, name, f, run.tolerance)
					}
				}
				exec.Finalize()
			}
		})
	}
}
