package convgrad

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// XLA's compiler for the CPU has fast code for convolutions in one layout: batch,
// positions, channels, with kernels of positions, input channels, output channels.
// It brings others into this layout, but not in a loop on the device, where they run 10
// to 30 times slower (measured: the way back to the input of 16 to 32 channels on 64
// images of 32x32, 4 ms in a step, 130 ms in a loop). So gradients in a loop, such as a
// sampler's chain, are built in this layout. A kernel is reversed after it is
// transposed, since the compiler would undo a transposition that a convolution reads.

// inCPULoop reports whether a node is in a loop on XLA's CPU.
func inCPULoop(node *Node) bool { return onCPU(node) && node.Function().IsClosure() }

// onCPU reports whether a node is XLA's on the CPU.
func onCPU(node *Node) bool {
	xla, ok := node.Graph().Backend().(interface{ PluginName() string }) // "cpu", or the plugin's file
	return ok && strings.Contains(filepath.Base(xla.PluginName()), "cpu")
}

// byDevice reports whether a device has its own code for convolutions with such a kernel in the fast layout (package device).
func byDevice(x, kernel *Node) bool {
	d, ok := x.Graph().Backend().(interface{ Convolves(kernel []int) bool })
	return ok && x.DType() == dtypes.Float32 && d.Convolves(kernel.Shape().Dimensions)
}

// kernelGradient is K as a convolution in the one layout in which a device computes it (package device), or nil. The device
// knows a stride, but no dilation of the input. Without a stride, input and result can change their parts: a·n − j − i = −p
// is i − j' − a·n = −p' with the kernel reversed, j' = size−1−j, and p' = size−1−p. That makes a stride of the dilation that a
// way back through a stride has; and output channels, which the way back to the images has few of, of input channels.
func (f form) kernelGradient(out operand) *Node {
	x, y, w := f.tensors[X], f.tensors[Y], f.tensors[W]
	d, ok := x.node.Graph().Backend().(interface{ KernelGradient(kernel []int) bool })
	if !ok || out != W || len(w.spatial) != 2 || x.node.DType() != dtypes.Float32 || !slices.Equal(w.factor, []int{-1, -1}) {
		return nil
	}
	asked, in, result := w, X, Y
	dilations, strides, fronts := x.factor, magnitudes(y.factor), scaled(-1, f.offset)
	x, y, w = x.arrange(Y, W), y.arrange(X, W), w.arrangeKernel(X, Y)
	changed := slices.Max(strides) == 1 && (slices.Max(dilations) > 1 || !d.KernelGradient(w.node.Shape().Dimensions))
	if changed {
		x, y, w = y, x, asked.arrangeKernel(Y, X)
		in, result = Y, X
		dilations, strides = strides, dilations
		for axis := range fronts {
			fronts[axis] = w.size(axis) - 1 - fronts[axis]
		}
	}
	if slices.Max(dilations) > 1 || !d.KernelGradient(w.node.Shape().Dimensions) {
		return nil
	}
	var paddings [][2]int
	for axis, front := range fronts {
		paddings = append(paddings, [2]int{front, strides[axis]*(y.size(axis)-1) + w.size(axis) - x.size(axis) - front})
	}
	ones := []int{1, 1}
	dw := ConvGeneral(x.node, y.node, compute.ConvolveAxesConfig{
		InputBatch: 3, InputChannels: 0, InputSpatial: []int{1, 2},
		KernelInputChannels: 0, KernelOutputChannels: 3, KernelSpatial: []int{1, 2},
		OutputBatch: 2, OutputChannels: 3, OutputSpatial: []int{0, 1},
	}, ones, paddings, ones, strides, 1, 1)
	if changed {
		dw = Reverse(dw, 0, 1)
	}
	return w.back(dw, asked, in, result)
}

// byPhases reports whether a convolution of a node, with input dilation a, stride b and
// kernel dilation c, is computed by phases.
func byPhases(node *Node, a, b, c []int) bool {
	return onCPU(node) && slices.Max(a) > 1 && slices.Max(b) == 1 && slices.Max(c) == 1
}

// product is contract on XLA's CPU where the result has one position, as the gradient of
// a 1x1 kernel has, or of an input of one position: a matrix product of what the stride
// leaves. It is nil elsewhere. The compiler would transpose the whole input for a
// convolution with one result (5.6 ms of processor time from 16 to 32 channels for 64
// images of 32x32, the product 1.1).
func (f form) product(in, kernel, out operand) *Node {
	i, k, o := f.tensors[in], f.tensors[kernel], f.tensors[out]
	if o.positions() > 1 || !onCPU(i.node) {
		return nil
	}
	as, cs := magnitudes(i.factor), magnitudes(k.factor)
	for axis, offset := range f.offset {
		a, c := as[axis], cs[axis] // a·n = c·j
		if offset != 0 || min(a, c) > 1 {
			return nil
		}
		count := min((i.size(axis)+c-1)/c, (k.size(axis)+a-1)/a)
		if i.factor[axis]*k.factor[axis] > 0 { // a·n = −c·j
			count = 1
		}
		i, k = i.every(c, count, axis), k.every(a, count, axis)
	}
	y := DotGeneral(i.node, append([]int{i.shared[kernel]}, i.spatial...), nil, k.node, append([]int{k.shared[in]}, k.spatial...), nil)
	if o.shared[in] > o.shared[kernel] {
		y = Transpose(y, 0, 1)
	}
	return Reshape(y, o.node.Shape().Dimensions...)
}

// every keeps count positions of a spatial axis, each step-th from the first.
func (t tensor) every(step, count, axis int) tensor {
	t.node = SliceAxis(t.node, t.spatial[axis], AxisRange(0, (count-1)*step+1).Stride(step))
	return t
}

// arrange brings a convolution's input, or the layout of its result, into the fast
// layout; batch and channels are shared with these operands.
func (t tensor) arrange(batch, channels operand) tensor {
	n := len(t.spatial)
	return t.permute(slices.Concat([]int{t.shared[batch]}, t.spatial, []int{t.shared[channels]}), 1, batch, 0, channels, n+1)
}

// arrangeKernel is arrange for a kernel, whose input and output channels are shared
// with these operands.
func (t tensor) arrangeKernel(in, out operand) tensor {
	n := len(t.spatial)
	return t.permute(slices.Concat(t.spatial, []int{t.shared[in], t.shared[out]}), 0, in, n, out, n+1)
}

// permute puts the axes in an order in which the spatial ones begin at first, and
// those shared with the operands one and other are at atOne and atOther.
func (t tensor) permute(order []int, first int, one operand, atOne int, other operand, atOther int) tensor {
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
func (t tensor) back(y *Node, into tensor, batch, channels operand) *Node {
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
// have a remainder: a separate convolution with the undilated input, or
// none, whose results are then woven together. Measured on two cores with AVX-512, 64
// images: 4.5 ms of processor time for 8.5 with zeros (32x32, 32 channels), 3.6 for 4.1
// (16x16, 64), 3.0 for 3.4 (8x8, 128).
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

// inPlaceOf computes what plain is and leaves the gradient to it: through the phases it
// would be two convolutions for each of them, where plain has two in all. plain
// itself is not computed, since nothing reads it.
func (p phases) inPlaceOf(plain *Node) *Node {
	y, _ := InternalFusedOpCaller(p.convolve, func() *Node { return plain }, true)
	return y
}

func (p phases) convolve() *Node {
	rank := len(p.size)
	batch, out := p.x.Shape().Dimensions[0], p.w.Shape().Dimensions[rank+1]
	quotients, woven := []int{batch}, []int{batch}
	count := 1
	for axis, size := range p.size {
		q := (size + p.dilation[axis] - 1) / p.dilation[axis]
		quotients, woven = append(quotients, q), append(woven, q*p.dilation[axis])
		count *= p.dilation[axis]
	}
	// Woven axis by axis, the last first: (batch, q, r, q, r, …, out), then positions.
	side := make([]*Node, count)
	for n := range side {
		remainders, rest := make([]int, rank), n
		for axis := rank - 1; axis >= 0; axis-- {
			remainders[axis], rest = rest%p.dilation[axis], rest/p.dilation[axis]
		}
		split := []int{batch}
		for _, q := range quotients[1:] {
			split = append(split, q, 1)
		}
		side[n] = Reshape(p.one(remainders, quotients[1:]), append(split, out)...)
	}
	for axis := rank - 1; axis >= 0; axis-- {
		var next []*Node
		for a := p.dilation[axis]; len(side) > 0; side = side[a:] {
			next = append(next, Concatenate(side[:a], 2+2*axis))
		}
		side = next
	}
	y := Reshape(side[0], append(woven, out)...)
	crop := []SliceAxisSpec{AxisRange()}
	for _, n := range p.size {
		crop = append(crop, AxisRange(0, n))
	}
	return Slice(y, append(crop, AxisRange())...)
}

// one is the convolution of the remainders, for the quotients along each axis.
func (p phases) one(remainders, quotients []int) *Node {
	rank := len(remainders)
	var taps []SliceAxisSpec
	var paddings [][2]int
	for axis, r := range remainders {
		a, size := p.dilation[axis], p.w.Shape().Dimensions[axis]
		first := ((p.front[axis]-r)%a + a) % a // position of the kernel
		if first >= size {
			dims := slices.Concat([]int{p.x.Shape().Dimensions[0]}, quotients, []int{p.w.Shape().Dimensions[rank+1]})
			return Zeros(p.x.Graph(), shapes.Make(p.x.DType(), dims...))
		}
		count := (size - first + a - 1) / a
		meets := (r + first - p.front[axis]) / a // whole: tap t of quotient q meets the input at q + t + meets
		taps = append(taps, AxisRange(first, size).Stride(a))
		paddings = append(paddings, [2]int{-meets, quotients[axis] + count - 1 - p.x.Shape().Dimensions[1+axis] + meets})
	}
	return part(p.x, Slice(p.w, taps...), paddings)
}
