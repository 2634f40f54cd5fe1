package nets

import (
	"fmt"
	"iter"
)

// Sized is a [Network] that knows its weights without being built: their names within its
// scope and their shapes, for examples of the given shape.
type Sized interface {
	Weights(shape []int, classes int) iter.Seq2[string, []int]
}

// layer yields a layer's two weights, and returns false if no more are wanted.
func layer(yield func(string, []int) bool, name string, dims ...int) bool {
	return yield(name+"/weight", dims) && yield(name+"/bias", dims[len(dims)-1:])
}

// Weights implements [Sized].
func (m MLP) Weights(shape []int, classes int) iter.Seq2[string, []int] {
	return func(yield func(string, []int) bool) {
		in := 1
		for _, d := range shape {
			in *= d
		}
		for i, width := range m.Hidden {
			if !layer(yield, fmt.Sprintf("fc%d", i), in, width) {
				return
			}
			in = width
		}
		layer(yield, fmt.Sprintf("fc%d", len(m.Hidden)), in, classes)
	}
}

// Weights implements [Sized].
func (c ConvNet) Weights(shape []int, classes int) iter.Seq2[string, []int] {
	return func(yield func(string, []int) bool) {
		in := shape[len(shape)-1]
		for i, channels := range c.Channels {
			if !layer(yield, fmt.Sprintf("conv%d", i), 3, 3, in, channels) {
				return
			}
			in = channels
		}
		layer(yield, "linear", in, classes)
	}
}

// Weights implements [Sized].
func (w WideResNet) Weights(shape []int, classes int) iter.Seq2[string, []int] {
	return func(yield func(string, []int) bool) {
		in := 16
		if !layer(yield, "conv1", 3, 3, shape[len(shape)-1], in) {
			return
		}
		for stage := range 3 {
			channels := 16 * w.Width << stage
			for block := range (w.Depth - 4) / 6 {
				name := fmt.Sprintf("layer%d.%d/", stage+1, block)
				if !layer(yield, name+"conv1", 3, 3, in, channels) || !layer(yield, name+"conv2", 3, 3, channels, channels) {
					return
				}
				if stage > 0 && block == 0 || in != channels {
					if !layer(yield, name+"shortcut", 1, 1, in, channels) {
						return
					}
				}
				in = channels
			}
		}
		layer(yield, "linear", in, classes)
	}
}
