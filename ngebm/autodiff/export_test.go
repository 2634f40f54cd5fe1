package autodiff

import . "github.com/gomlx/gomlx/core/graph"

// Library is GoMLX's own gradient of a convolution (variables come before init).
var Library = VJPRegistration[NodeTypeConvGeneral]

// Form is the stride, input dilation and kernel dilation along the first spatial
// axis of a convolution node.
func Form(node *Node) [3]int {
	p := parametersOf(node)
	return [3]int{p.strides[0], p.inputDilations[0], p.kernelDilations[0]}
}

// ByPhases is the convolution with input dilation in the fast layout, by phases.
func ByPhases(x, w *Node, paddings [][2]int, dilation []int) *Node {
	return newPhases(x, w, paddings, dilation).convolve()
}

// InPlaceOf is ByPhases, with the gradient of plain.
func InPlaceOf(plain, x, w *Node, paddings [][2]int, dilation []int) *Node {
	return newPhases(x, w, paddings, dilation).inPlaceOf(plain)
}
