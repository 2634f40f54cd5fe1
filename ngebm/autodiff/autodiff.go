// Package autodiff makes GoMLX's convolutions differentiable any number of
// times. It is imported for its effect:
//
//	import _ "ngebm/ngebm/autodiff"
//
// # Why
//
// The NG-EBM loss holds ‖∂E/∂x‖, so training differentiates a gradient. In GoMLX
// v0.28.8 that panics for every convolution that was given strides, 1 included:
// its gradient is a convolution with input dilation, and "gradient of Convolve
// with input dilation [is] not defined".
//
// # How
//
// A convolution y = C(x, w) is bilinear, so its derivative with respect to one
// argument depends on the other argument only, and linearly:
//
//	dx = I(dy, w)   the gradient's way back to the input
//	dw = K(x, dy)   the gradient's way back to the kernel
//
// The three maps are three views of one trilinear form,
//
//	⟨dy, C(x, w)⟩ = ⟨I(dy, w), x⟩ = ⟨K(x, dy), w⟩
//
// and so differentiating any of them gives the other two. If v is what arrives
// from above (the cotangent of the result), then
//
//	C(x, w)   has  ∂x  = I(v, w)    ∂w  = K(x, v)
//	I(dy, w)  has  ∂dy = C(v, w)    ∂w  = K(v, dy)
//	K(x, dy)  has  ∂x  = I(dy, v)   ∂dy = C(x, v)
//
// The library knows the first line. The other two are the first line again, for
// the convolution in which v takes the place of the argument that its gradient
// was computed for: C(v, w) or C(x, v), with dy arriving from above. So nothing
// needs computing here; it is enough to remember which convolution a gradient
// came from, and that is all this package does. It holds for every order, since
// C(v, w) is again a convolution of the first line.
//
// # Which forms run
//
// C runs as the forward pass does, with its stride s and kernel dilation d; I
// stretches dy (input dilation s) and has stride 1; K strides by d over x with dy
// as a kernel dilated by s. Gradients of any order are made of these three forms
// alone, which are those that training by first derivatives runs already. A
// gradient norm adds to each convolution, with g the gradient that came down to
// it: one C(v, w), one K(v, g) for the norm itself, and the first line once more
// for what flows back into the forward pass.
//
// # Scope
//
// All that [graph.Convolve] can build and the library can differentiate once: any
// number of axes, any layout, kernel dilation or strides, padding below the
// kernel's size; also through gradient checkpointing ([graph.Node.Checkpoint]).
// Convolutions in channel or batch groups keep what the library gives them, which
// is the first derivative, and those above it where strides and dilation were left
// alone; else the message says so.
//
// First derivatives are left as they are, to the last operation.
//
// # Process-wide effect
//
// The library's table of gradients ([graph.VJPRegistration]) is one map for the
// process, read without a lock by whoever builds a graph. It is changed once, in
// this package's init: initialisation ends before main begins, so no graph can be
// under construction, and programs may build graphs in any number of goroutines.
// A function to call would leave each caller to see that nobody builds a graph
// meanwhile, which is why there is none.
//
// What is remembered lives in the graph itself, as numbers of nodes, and goes when
// the graph goes.
//
// # When to delete
//
// GoMLX v0.28.11 differentiates input dilation itself. With it this folder and the
// import above can go, nothing else depends on it; TestStillNeeded fails as soon as
// go.mod names a GoMLX that does.
package autodiff

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// library is GoMLX's own gradient of a convolution; it is right for C, not for I and K.
var library = graph.VJPRegistration[graph.NodeTypeConvGeneral]

func init() { graph.VJPRegistration[graph.NodeTypeConvGeneral] = vjp }

// vjp is the gradient of any convolution node: one of the program's, or one that
// came about as the gradient of another.
func vjp(node *graph.Node, v []*graph.Node, shape shapes.Shape) []*graph.Node {
	memory := memoryOf(node.Graph())
	from, found := memory.recall(node)
	if !found {
		return memory.first(node, v[0], shape)
	}
	forward := node.Graph().NodeById(from.convolution)
	switch args := node.Inputs(); from.role {
	case toInput: // node is I(dy, w); its second argument is w with its spatial axes reversed
		dy, reversed := args[0], args[1]
		w := reversed.Inputs()[0]
		c := forward.CloneWithInputs(v[0], w)
		return []*graph.Node{c, reversed.CloneWithInputs(memory.first(c, dy, shape)[1])}
	case toKernel: // node is K(x, dy)
		x, dy := args[0], args[1]
		c := forward.CloneWithInputs(x, v[0])
		return []*graph.Node{memory.first(c, dy, shape)[0], c}
	default:
		return grouped(node, v, shape)
	}
}

// role says what a convolution node computes for the one that it came from.
type role int

const (
	toInput  role = iota // I(dy, w)
	toKernel             // K(x, dy)
	inGroup              // a part of one of them, for one group of a grouped convolution
)

// origin tells what a node is a gradient of, and which.
type origin struct {
	convolution graph.NodeId
	role        role
}

// memory is what is known of a graph's nodes. It names them by number, which does
// not keep them alive.
type memory map[graph.NodeId]origin

// memoryKey is the key under which a graph holds its memory.
type memoryKey struct{}

func memoryOf(g *graph.Graph) memory {
	m, ok := g.State(memoryKey{}).(memory)
	if !ok {
		m = memory{}
		g.AttachState(memoryKey{}, m)
	}
	return m
}

// first returns the library's gradients [I(v, w), K(x, v)] of c = C(x, w), and
// remembers what they are.
func (m memory) first(c, v *graph.Node, shape shapes.Shape) []*graph.Node {
	before := len(c.Graph().Nodes())
	grads := library(c, []*graph.Node{v}, shape)
	if grads[0].Type() == graph.NodeTypeConvGeneral {
		m.note(grads[0], origin{c.Id(), toInput})
		m.note(grads[1], origin{c.Id(), toKernel})
		return grads
	}
	for _, n := range c.Graph().Nodes()[before:] { // one convolution a group, and a concatenation of them
		if n.Type() == graph.NodeTypeConvGeneral {
			m.note(n, origin{c.Id(), inGroup})
		}
	}
	return grads
}

// note remembers a node. A gradient through checkpoints works on copies of nodes,
// which have nothing in common with the original that can be seen from outside but
// the alias: so each gets one.
func (m memory) note(n *graph.Node, o origin) {
	m[n.Id()] = o
	if n.GetAlias() == "" {
		n.WithAlias(n.Graph().UniqueName("/ngebm/autodiff"))
	}
}

// recall finds what is known of a node or of the node that it is a copy of.
func (m memory) recall(n *graph.Node) (origin, bool) {
	if o, ok := m[n.Id()]; ok {
		return o, true
	}
	if original := n.Graph().GetNodeByAlias(n.GetAlias()); original != nil {
		n = original
	}
	o, ok := m[n.Id()]
	return o, ok
}

// grouped leaves a part of a grouped convolution's gradient to the library and
// explains its refusal. The argument above would hold, but the convolution of one
// group alone cannot be had from the grouped one.
func grouped(node *graph.Node, v []*graph.Node, shape shapes.Shape) (grads []*graph.Node) {
	if err := exceptions.TryCatch[error](func() { grads = library(node, v, shape) }); err != nil {
		exceptions.Panicf("autodiff: second derivatives of a convolution in groups (ChannelGroupCount, BatchGroupCount) "+
			"with strides or dilation are not supported; convolve each group on its own and concatenate: %v", err)
	}
	return grads
}
