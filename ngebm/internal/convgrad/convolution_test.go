package convgrad_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data/progress"
	"ngebm/ngebm/device"
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

// goBackend is the pure-Go backend, one operation at a time: compute v0.1.6 runs
// operations side by side, and those that are convolutions then wait for each
// other's workers for ever.
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
	g := NewGraph(open(t, goBackend), "shape")
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
			b := open(t, run.backend)
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
					if f := far(out[2*j], out[2*j+1]); !(f <= run.tolerance) {
						t.Errorf("%v: %s is off by %.2g, more than %.0g", c, name, f, run.tolerance)
					}
				}
				exec.Finalize()
			}
		})
	}
}

// Every first, second and third derivative with respect to x and w, mixed ones
// included, agrees with finite differences of the derivative below it. With S = ⟨a,
// sin C(x, w)⟩, level k holds the 2^k scalars ⟨∂s/∂x, p_k⟩ and ⟨∂s/∂w, q_k⟩ of the
// scalars s of level k-1, p and q being random.
func TestThreeOrders(t *testing.T) {
	const orders, step, tolerance = 3, 1e-3, 1e-8
	for _, run := range []struct {
		backend string
		every   int
	}{{goBackend, 1}, {"cpu", 53}} {
		t.Run(run.backend, func(t *testing.T) {
			b := open(t, run.backend)
			for number, c := range convolutions() {
				if number%run.every != 0 {
					continue
				}
				exec := MustNewExec(b, func(in []*Node) []*Node {
					x, w, a := in[0], in[1], in[2]
					level := []*Node{dot(Sin(c.apply(x, w)), a)}
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
				})
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
					if f := far(got[start+width:start+3*width], want); !(f <= tolerance) {
						t.Errorf("%v: order %d is off by %.2g, more than %.0g", c, k+1, f, tolerance)
					}
					start, width = start+width, 2*width
				}
				exec.Finalize()
			}
		})
	}
}

// far is max|got-want| / max|want|.
func far(got, want []float64) float64 {
	worst, scale := 0., 0.
	for i := range want {
		worst, scale = max(worst, math.Abs(got[i]-want[i])), max(scale, math.Abs(want[i]))
	}
	if worst == 0 {
		return 0
	}
	return worst / scale
}

func dot(a, b *Node) *Node { return ReduceAllSum(Mul(a, b)) }

func open(t testing.TB, spec string) compute.Backend {
	t.Helper()
	d, err := device.Open(spec, progress.Discard{})
	if err != nil {
		t.Fatal(err)
	}
	return d.Backend
}

// array is numbers with a shape, to be fed in either precision.
type array struct {
	values []float64
	shape  []int
}

func normal(r *rand.Rand, shape ...int) array {
	a := array{make([]float64, shapeOf(shape).Size()), shape}
	for i := range a.values {
		a.values[i] = r.NormFloat64()
	}
	return a
}

// plus returns a + h·b.
func (a array) plus(h float64, b array) array {
	sum := array{slices.Clone(a.values), a.shape}
	for i := range sum.values {
		sum.values[i] += h * b.values[i]
	}
	return sum
}

// call runs a graph on arrays; the results come flat.
func call(t testing.TB, exec *Exec, dtype dtypes.DType, args ...array) [][]float64 {
	t.Helper()
	in := make([]any, len(args))
	for i, a := range args {
		if dtype == dtypes.Float64 {
			in[i] = tensors.FromFlatDataAndDimensions(a.values, a.shape...)
			continue
		}
		single := make([]float32, len(a.values))
		for j, v := range a.values {
			single[j] = float32(v)
		}
		in[i] = tensors.FromFlatDataAndDimensions(single, a.shape...)
	}
	out, err := exec.Call(in...)
	if err != nil {
		t.Fatal(err)
	}
	flat := make([][]float64, len(out))
	for i, o := range out {
		if dtype == dtypes.Float64 {
			flat[i] = tensors.MustCopyFlatData[float64](o)
			continue
		}
		for _, v := range tensors.MustCopyFlatData[float32](o) {
			flat[i] = append(flat[i], float64(v))
		}
	}
	return flat
}
