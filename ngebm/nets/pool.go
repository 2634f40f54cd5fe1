package nets

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// MaxPool2D returns the largest value of each window of size×size pixels, channel by
// channel, of x shaped [batch, height, width, channels]: [batch, height/size,
// width/size, channels]. Windows do not overlap, and height and width must be multiples
// of size; it panics where they are not.
//
// It stands for graph.MaxPool, whose gradient GoMLX cannot differentiate, as NG-EBM's
// gradient norm needs. Values and gradients are the same: of equal values in a window
// the first, row by row, passes the gradient on, as in PyTorch. (The gradient of
// graph.ReduceMax goes to each of them whole, which after a ReLU is often to all.)
func MaxPool2D(x *Node, size int) *Node {
	s := x.Shape().Dimensions
	if len(s) != 4 {
		exceptions.Panicf("nets: MaxPool2D takes images, [batch, height, width, channels], but its input is shaped %v", s)
	}
	if size < 1 {
		exceptions.Panicf("nets: MaxPool2D has windows of %d pixels; they must have 1 or more", size)
	}
	if s[1]%size != 0 || s[2]%size != 0 {
		exceptions.Panicf("nets: MaxPool2D has windows of %dx%d pixels, which do not divide images of %dx%d; choose a size that divides both sides, or resize or pad the images", size, size, s[1], s[2])
	}
	var top *Node
	for i := range size {
		for j := range size {
			// One pixel of every window.
			y := Slice(x, AxisRange(), AxisRange(i).Stride(size), AxisRange(j).Stride(size), AxisRange())
			if top == nil {
				top = y
			} else {
				top = Where(GreaterThan(y, top), y, top)
			}
		}
	}
	return top
}

// AvgPool2D returns the mean of each window of size×size pixels, channel by channel, of x
// shaped [batch, height, width, channels], as nn.AvgPool2d(size) does: [batch, height/size,
// width/size, channels]. It panics where size does not divide both sides.
func AvgPool2D(x *Node, size int) *Node {
	s := x.Shape().Dimensions
	if len(s) != 4 {
		exceptions.Panicf("nets: AvgPool2D takes images, [batch, height, width, channels], but its input is shaped %v", s)
	}
	if size < 1 || s[1]%size != 0 || s[2]%size != 0 {
		exceptions.Panicf("nets: AvgPool2D has windows of %dx%d pixels, which do not divide images of %dx%d; choose a size that divides both sides, or resize or pad the images", size, size, s[1], s[2])
	}
	var sum *Node
	for i := range size {
		for j := range size {
			// One pixel of every window.
			y := Slice(x, AxisRange(), AxisRange(i).Stride(size), AxisRange(j).Stride(size), AxisRange())
			if sum == nil {
				sum = y
			} else {
				sum = Add(sum, y)
			}
		}
	}
	return MulScalar(sum, 1/float64(size*size))
}
