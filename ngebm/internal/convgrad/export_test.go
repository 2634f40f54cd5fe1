package convgrad

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Library is GoMLX's own gradient of a convolution (variables come before init).
var Library = VJPRegistration[NodeTypeConvGeneral]

// Form is the stride, input dilation and kernel dilation along the first spatial
// axis of a convolution node.
func Form(node *Node) [3]int {
	p := parametersOf(node)
	return [3]int{p.strides[0], p.inputDilations[0], p.kernelDilations[0]}
}

// InPlaceOf is plain with input dilation, in the fast layout, computed by phases.
func InPlaceOf(plain, x, w *Node, paddings [][2]int, dilation []int) *Node {
	return newPhases(x, w, paddings, dilation).inPlaceOf(plain)
}

// ByTiles is plain in the fast layout, computed by tiles.
func ByTiles(plain, x, w *Node, paddings [][2]int) *Node {
	y, _ := InternalFusedOpCaller(tiles{x, w, paddings}.convolve, func() *Node { return plain }, true)
	return y
}

// KernelGradient is K of a 3×3 kernel with padding 1, in the fast layout: as XLA computes it (by products
// where they are faster), or as it is computed.
func KernelGradient(x, dy *Node, stride int, byXLA bool) *Node {
	in, out := x.Shape().Dimensions[3], dy.Shape().Dimensions[3]
	w := Zeros(x.Graph(), shapes.Make(x.DType(), 3, 3, in, out))
	pad := [2]int{1, 1}
	y := Convolve(x, w).Strides(stride).PaddingPerDim([][2]int{pad, pad}).Done()
	f := parametersOf(y).form(x, w, dy)
	if byXLA {
		return f.byXLA(X, Y, W)
	}
	return f.contract(X, Y, W)
}
