package nets

import (
	"fmt"
	"iter"
	"slices"
)

// Sized is a [Network] that knows its size without being built, for examples of the given
// shape.
type Sized interface {
	// Weights are the names of its weights within its scope, and their shapes.
	Weights(shape []int, classes int) iter.Seq2[string, []int]
	// Widest is the most numbers that a layer takes or computes for one example.
	Widest(shape []int, classes int) int
}

// Size is the number of values in a shape; it does not look for an overflow.
func Size(shape []int) int {
	size := 1
	for _, d := range shape {
		size *= d
	}
	return size
}

// layer yields a layer's two weights, and returns false if no more are wanted.
func layer(yield func(string, []int) bool, name string, dims ...int) bool {
	return yield(name+"/weight", dims) && yield(name+"/bias", dims[len(dims)-1:])
}

// Weights implements [Sized].
func (m MLP) Weights(shape []int, classes int) iter.Seq2[string, []int] {
	return func(yield func(string, []int) bool) {
		in := Size(shape)
		for i, width := range m.Hidden {
			if !layer(yield, fmt.Sprintf("fc%d", i), in, width) {
				return
			}
			in = width
		}
		layer(yield, fmt.Sprintf("fc%d", len(m.Hidden)), in, classes)
	}
}

// Widest implements [Sized].
func (m MLP) Widest(shape []int, classes int) int {
	return max(Size(shape), classes, slices.Max(append([]int{0}, m.Hidden...)))
}

// Weights implements [Sized].
func (c ConvNet) Weights(shape []int, classes int) iter.Seq2[string, []int] {
	return func(yield func(string, []int) bool) {
		in := shape[len(shape)-1]
		for i, channels := range c.Channels {
			if !layer(yield, fmt.Sprintf("conv%d", i), 3, 3, in, channels) || !c.Style.or(plainStyle).weights(yield, fmt.Sprintf("norm%d", i), channels) {
				return
			}
			in = channels
		}
		layer(yield, "linear", in, classes)
	}
}

// Widest implements [Sized]. Every convolution but the first halves both sides.
func (c ConvNet) Widest(shape []int, classes int) int {
	widest, positions := max(Size(shape), classes), Size(shape[:len(shape)-1])
	for i, channels := range c.Channels {
		if i > 0 {
			positions = (positions + 3) / 4
		}
		widest = max(widest, positions*channels)
	}
	return widest
}

// Weights implements [Sized].
func (w WideResNet) Weights(shape []int, classes int) iter.Seq2[string, []int] {
	return func(yield func(string, []int) bool) {
		in, s := 16, w.Style.or(plainStyle)
		if !layer(yield, "conv1", 3, 3, shape[len(shape)-1], in) {
			return
		}
		for stage := range 3 {
			channels := 16 * w.Width << stage
			for block := range (w.Depth - 4) / 6 {
				name := fmt.Sprintf("layer%d.%d/", stage+1, block)
				if !layer(yield, name+"conv1", 3, 3, in, channels) || !layer(yield, name+"conv2", 3, 3, channels, channels) ||
					!s.weights(yield, name+"bn1", in) || !s.weights(yield, name+"bn2", channels) {
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
		_ = s.weights(yield, "bn1", in) && layer(yield, "linear", in, classes)
	}
}

// Widest implements [Sized]. The second stage's first convolution has twice the channels of
// the first stage, at as many positions.
func (w WideResNet) Widest(shape []int, classes int) int {
	return max(Size(shape), classes, Size(shape[:len(shape)-1])*32*w.Width)
}
