package autodiff

import (
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
)

// XLA's compiler for the CPU has fast code for convolutions in one layout: batch,
// positions, channels, with kernels of positions, input channels, output channels.
// It brings others into this layout, but not in a loop on the device, where they run 10
// to 30 times slower (measured: the way back to the input of 16 to 32 channels on 64
// images of 32x32, 4 ms in a step, 130 ms in a loop). So gradients in a loop, such as a
// sampler's chain, are built in this layout. A kernel is reversed after it is
// transposed, since the compiler would undo a transposition that a convolution reads.
//
// In a loop a gradient is followed and not differentiated again, so it may also be
// computed in a way whose own gradient would be slower: see phases.

// inCPULoop tells whether a node is in a loop on XLA's CPU.
func inCPULoop(node *Node) bool {
	xla, ok := node.Graph().Backend().(interface{ PluginName() string }) // "cpu", or the plugin's file
	return ok && strings.Contains(filepath.Base(xla.PluginName()), "cpu") && node.Function().IsClosure()
}

// arrange brings a convolution's input, or the layout of its result, into the fast
// layout; batch and channels are shared with the tensors in these places.
func (t tensor) arrange(batch, channels place) tensor {
	n := len(t.spatial)
	return t.permute(slices.Concat([]int{t.shared[batch]}, t.spatial, []int{t.shared[channels]}), 1, batch, 0, channels, n+1)
}

// arrangeKernel is arrange for a kernel, whose input and output channels are shared
// with the tensors in these places.
func (t tensor) arrangeKernel(in, out place) tensor {
	n := len(t.spatial)
	return t.permute(slices.Concat(t.spatial, []int{t.shared[in], t.shared[out]}), 0, in, n, out, n+1)
}

// permute puts the axes in an order in which the spatial ones begin at first, and
// those shared with the places one and other lie at atOne and atOther.
func (t tensor) permute(order []int, first int, one place, atOne int, other place, atOther int) tensor {
	t.node = TransposeAllAxes(t.node, order...)
	t.shared[one], t.shared[other] = atOne, atOther
	spatial := make([]int, len(t.spatial))
	for i := range spatial {
		spatial[i] = first + i
	}
	t.spatial = spatial
	return t
}

// back brings a result in t's layout into another's.
func (t tensor) back(y *Node, into tensor, batch, channels place) *Node {
	order := make([]int, y.Rank())
	order[into.shared[batch]], order[into.shared[channels]] = t.shared[batch], t.shared[channels]
	for i, axis := range into.spatial {
		order[axis] = t.spatial[i]
	}
	return TransposeAllAxes(y, order...)
}

// layout is the fast one.
func layout(rank int) compute.ConvolveAxesConfig {
	var positions, kernel []int
	for axis := range rank {
		positions, kernel = append(positions, 1+axis), append(kernel, axis)
	}
	return compute.ConvolveAxesConfig{
		InputBatch: 0, InputChannels: 1 + rank, InputSpatial: positions,
		KernelInputChannels: rank, KernelOutputChannels: rank + 1, KernelSpatial: kernel,
		OutputBatch: 0, OutputChannels: 1 + rank, OutputSpatial: positions,
	}
}

// phases computes a convolution with input dilation, the way back through a stride,
// without the dilation's zeros. Along an axis of dilation a
//
//	y[n] = Σ_j w[j]·x[m]   over  m·a = n + j − padding
//
// and n = a·q + r leaves to each remainder r the positions j of the kernel that
// have a remainder of their own: a kernel of its own on the undilated input. All
// these small kernels make one convolution with a times the channels, whose result
// is then woven together.
type phases struct {
	x, w     *Node
	dilation []int
	front    []int // padding in front, for each spatial axis
	size     []int // positions of the result
}

func newPhases(x, w *Node, paddings [][2]int, dilation []int) phases {
	p := phases{x: x, w: w, dilation: dilation}
	for axis, pad := range paddings {
		dilated := (x.Shape().Dimensions[1+axis]-1)*dilation[axis] + 1
		p.front = append(p.front, pad[0])
		p.size = append(p.size, pad[0]+dilated+pad[1]-w.Shape().Dimensions[axis]+1)
	}
	return p
}

// A step of NG-EBM with phases in it takes a tenth longer: the gradient of the small
// kernels' convolution has 16 products for the 9 of a 3x3 kernel.

// phasesFrom is the number of positions in the result from which phases are faster
// than zeros, on two cores with AVX-512: 32x32 took a half to a third of the time
// with 16 to 64 channels, 28x28 and less up to 1.4 times as long.
const phasesFrom = 32 * 32

func (p phases) pay(strides, kernelDilations []int) bool {
	positions := 1
	for _, n := range p.size {
		positions *= n
	}
	plain := slices.Max(strides) == 1 && slices.Max(kernelDilations) == 1
	return plain && slices.Max(p.dilation) > 1 && positions >= phasesFrom
}

func (p phases) convolve() *Node {
	rank := len(p.size)
	kernel := p.w
	var taps, paddings = make([]int, rank), make([][2]int, rank)
	for axis := range rank {
		var first int
		kernel, taps[axis], first = p.splitKernel(kernel, axis)
		quotients := (p.size[axis] + p.dilation[axis] - 1) / p.dilation[axis]
		paddings[axis] = [2]int{-first, quotients - 1 + taps[axis] - 1 - (p.x.Shape().Dimensions[1+axis] - 1) + first}
	}
	// The kernel's axes are (tap, phase) for each spatial axis, then in, out.
	in, out := kernel.Shape().Dimensions[2*rank], kernel.Shape().Dimensions[2*rank+1]
	var order, dims []int
	for axis := range rank {
		order = append(order, 2*axis)
	}
	order = append(order, 2*rank)
	for axis := range rank {
		order = append(order, 2*axis+1)
	}
	dims = append(append(dims, taps...), in, -1)
	kernel = Reshape(TransposeAllAxes(kernel, append(order, 2*rank+1)...), dims...)
	ones := slices.Repeat([]int{1}, rank)
	y := ConvGeneral(p.x, kernel, layout(rank), ones, paddings, ones, ones, 1, 1)

	// Weave: (batch, q…, r…, out) to (batch, q, r, q, r, …, out) to positions.
	batch := y.Shape().Dimensions[0]
	split, woven := []int{batch}, []int{batch}
	weave := []int{0}
	for axis := range rank {
		split = append(split, y.Shape().Dimensions[1+axis])
		woven = append(woven, y.Shape().Dimensions[1+axis]*p.dilation[axis])
		weave = append(weave, 1+axis, 1+rank+axis)
	}
	y = Reshape(y, append(append(split, p.dilation...), out)...)
	y = Reshape(TransposeAllAxes(y, append(weave, 1+2*rank)...), append(woven, out)...)
	crop := []SliceAxisSpec{AxisRange()}
	for _, n := range p.size {
		crop = append(crop, AxisRange(0, n))
	}
	return Slice(y, append(crop, AxisRange())...)
}

// splitKernel splits a spatial axis of the kernel, of which the ones before are
// split already, into taps and phases. first is where the taps begin: tap t of the
// result's quotient q meets the input at q + t + first.
func (p phases) splitKernel(kernel *Node, axis int) (split *Node, taps, first int) {
	at, a, front := 2*axis, p.dilation[axis], p.front[axis]
	size := kernel.Shape().Dimensions[at]
	start, shift := make([]int, a), make([]int, a) // of each phase: its first position j, and where that meets the input
	last := math.MinInt
	for r := range a {
		start[r] = ((front-r)%a + a) % a
		shift[r] = (r + start[r] - front) / a // whole
		count := (max(size-start[r], 0) + a - 1) / a
		last = max(last, shift[r]+max(count, 1))
	}
	first = slices.Min(shift)
	taps = last - first
	ends := make([]PadAxis, kernel.Rank())
	ends[at].End = 1 // one position of zeros, for taps that a phase does not have
	padded := Pad(kernel, ScalarZero(kernel.Graph(), kernel.DType()), ends...)
	var parts []*Node
	for t := range taps {
		for r := range a {
			j := start[r] + a*(t+first-shift[r])
			if j < 0 || j >= size {
				j = size
			}
			parts = append(parts, SliceAxis(padded, at, AxisRange(j, j+1)))
		}
	}
	dims := slices.Clone(kernel.Shape().Dimensions)
	dims = slices.Replace(dims, at, at+1, taps, a)
	return Reshape(Concatenate(parts, at), dims...), taps, first
}
