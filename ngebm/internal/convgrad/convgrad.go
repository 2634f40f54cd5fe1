package convgrad

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

func init() { VJPRegistration[NodeTypeConvGeneral] = gradients }

// gradients returns I(v, w) and K(x, v), where v arrives at the node C(x, w).
func gradients(node *Node, vs []*Node, _ shapes.Shape) []*Node {
	p := parametersOf(node)
	x, w, v := node.Inputs()[0], node.Inputs()[1], vs[0]
	inputAxis, groups := p.axes.InputChannels, p.channelGroups
	if p.batchGroups > 1 {
		inputAxis, groups = p.axes.InputBatch, p.batchGroups
	}
	if groups == 1 {
		return p.backward(x, w, v)
	}
	xs := Split(x, inputAxis, groups)
	ws := Split(w, p.axes.KernelOutputChannels, groups)
	for i, v := range Split(v, p.axes.OutputChannels, groups) {
		back := p.backward(xs[i], ws[i], v)
		xs[i], ws[i] = back[0], back[1]
	}
	return []*Node{Concatenate(xs, inputAxis), Concatenate(ws, p.axes.KernelOutputChannels)}
}

// backward is gradients without groups.
func (p parameters) backward(x, w, v *Node) []*Node {
	f := p.form(x, w, v)
	return []*Node{f.contract(Y, W, X), f.contract(X, Y, W)}
}

// The three tensors of the form.
type operand int

const (
	X operand = iota // the input
	W                // the kernel
	Y                // the result, or what arrives there
)

// form is T(x, w, y) of the package comment.
type form struct {
	tensors [3]tensor // by operand
	offset  []int     // right side of the condition Σ factor·position = offset, for each spatial axis
}

// tensor is one of the form's three.
type tensor struct {
	node    *Node
	shared  [3]int // the axis shared with another operand
	spatial []int  // spatial axes
	factor  []int  // of the position in the condition, for each spatial axis
}

// form puts the tensors of a convolution, or others of their shapes, into its form.
func (p parameters) form(x, w, y *Node) form {
	a := p.axes
	f := form{tensors: [3]tensor{
		X: {x, [3]int{Y: a.InputBatch, W: a.InputChannels}, a.InputSpatial, p.inputDilations},
		W: {w, [3]int{X: a.KernelInputChannels, Y: a.KernelOutputChannels}, a.KernelSpatial, scaled(-1, p.kernelDilations)},
		Y: {y, [3]int{X: a.OutputBatch, W: a.OutputChannels}, a.OutputSpatial, scaled(-1, p.strides)},
	}}
	for _, pad := range p.paddings {
		f.offset = append(f.offset, -pad[0])
	}
	return f
}

// contract sums the form over the operands in and kernel, which leaves
// the operand out, of which only the shape matters.
func (f form) contract(in, kernel, out operand) *Node {
	if y := f.product(in, kernel, out); y != nil {
		return y
	}
	if y := f.kernelGradient(out); y != nil {
		return y
	}
	return f.byXLA(in, kernel, out)
}

// byXLA is contract as a convolution. On XLA's CPU products of matrices take its place where they are faster.
func (f form) byXLA(in, kernel, out operand) *Node {
	y := f.convolve(in, kernel, out)
	if s := newShifts(f, out); s != nil {
		y = s.inPlaceOf(y)
	}
	return y
}

// convolve is contract as one convolution, in which in and kernel change their parts where
// that is cheaper.
//
// With n, i and j the positions in in, out and kernel, a convolution takes
//
//	a·n + padding = b·i + c·j    a, b, c > 0: input dilation, stride, kernel dilation
//
// so in's factors need one sign and the two others the other; padding may be
// negative, which crops.
func (f form) convolve(in, kernel, out operand) *Node {
	if f.tensors[kernel].positions() > f.tensors[in].positions() {
		in, kernel = kernel, in
	}
	sign := 1
	if f.tensors[in].factor[0] < 0 {
		sign = -1
	}
	i, k, o := f.tensors[in], f.tensors[kernel], f.tensors[out]
	asked := o // the layout of the result
	a, b, c := magnitudes(i.factor), magnitudes(o.factor), magnitudes(k.factor)
	split := byPhases(i.node, a, b, c)
	fast := split || inCPULoop(i.node)
	if fast {
		i, k, o = i.arrange(out, kernel), k.arrangeKernel(in, out), o.arrange(in, kernel)
	}
	offset := f.offset
	if k.factor[0]*sign > 0 {
		offset = k.reverse(offset)
		k.node = Reverse(k.node, k.spatial...)
	}
	reversed := o.factor[0]*sign > 0
	if reversed {
		offset = o.reverse(offset)
	}
	paddings := make([][2]int, len(offset))
	for axis := range paddings {
		last := func(t tensor) int { return t.size(axis) - 1 }
		front := -sign * offset[axis]
		paddings[axis] = [2]int{front, b[axis]*last(o) + c[axis]*last(k) - a[axis]*last(i) - front}
	}
	y := ConvGeneral(i.node, k.node, compute.ConvolveAxesConfig{
		InputBatch: i.shared[out], InputChannels: i.shared[kernel], InputSpatial: i.spatial,
		KernelInputChannels: k.shared[in], KernelOutputChannels: k.shared[out], KernelSpatial: k.spatial,
		OutputBatch: o.shared[in], OutputChannels: o.shared[kernel], OutputSpatial: o.spatial,
	}, b, paddings, a, c, 1, 1)
	if split {
		y = newPhases(i.node, k.node, paddings, a).inPlaceOf(y)
	}
	y = Tiled(y)
	if reversed {
		y = Reverse(y, o.spatial...)
	}
	if fast {
		y = o.back(y, asked, in, kernel)
	}
	return y
}

func (t tensor) size(axis int) int { return t.node.Shape().Dimensions[t.spatial[axis]] }

func (t tensor) positions() int {
	n := 1
	for axis := range t.spatial {
		n *= t.size(axis)
	}
	return n
}

// reverse counts the tensor's positions from the other end: changes the signs of
// its factors and returns the offset that the condition has then.
func (t *tensor) reverse(offset []int) []int {
	moved := make([]int, len(offset))
	for axis, f := range t.factor {
		moved[axis] = offset[axis] - f*(t.size(axis)-1)
	}
	t.factor = scaled(-1, t.factor)
	return moved
}

func magnitudes(values []int) []int {
	out := make([]int, len(values))
	for i, v := range values {
		out[i] = max(v, -v)
	}
	return out
}

func scaled(by int, values []int) []int {
	out := make([]int, len(values))
	for i, v := range values {
		out[i] = by * v
	}
	return out
}
