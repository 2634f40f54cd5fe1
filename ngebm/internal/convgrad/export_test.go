package convgrad

import . "github.com/gomlx/gomlx/core/graph"

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
