package cpuconv_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/go-xla/stablehlo"
	"github.com/gomlx/go-xla/types"
	"github.com/gomlx/go-xla/types/shapes"

	"ngebm/ngebm/device/internal/cpuconv"
)

// dilated puts zeros between the pixels of images.
func dilated(x []float32, shape []int, by int) ([]float32, []int) {
	to := []int{shape[0], (shape[1]-1)*by + 1, (shape[2]-1)*by + 1, shape[3]}
	out := make([]float32, to[0]*to[1]*to[2]*to[3])
	for i, v := range x {
		n, h, w, c := i/shape[3]/shape[2]/shape[1], i/shape[3]/shape[2]%shape[1], i/shape[3]%shape[2], i%shape[3]
		out[((n*to[1]+h*by)*to[2]+w*by)*to[3]+c] = v
	}
	return out, to
}

// channelsFirst moves the last axis to the second place.
func channelsFirst(x []float32, shape []int) []float32 {
	out := make([]float32, len(x))
	size := shape[1] * shape[2]
	for i, v := range x {
		n, at, c := i/shape[3]/size, i/shape[3]%size, i%shape[3]
		out[(n*shape[3]+c)*size+at] = v
	}
	return out
}

// XLA's own convolutions with negative padding are the sums of their definition: of kernels with more positions than there is code
// for, in two layouts, with padding that leaves part of the input, a part between two of its pixels, and none.
func TestNegativePadding(t *testing.T) {
	for _, pads := range [][2][2]int{
		{{-1, 1}, {0, 0}}, {{0, 0}, {-1, 1}}, {{-1, -1}, {-2, -1}}, {{1, -1}, {3, -2}}, {{-2, 1}, {0, -2}}, {{-3, 4}, {-4, 3}}, {{-12, 9}, {0, 0}}, {{4, -9}, {0, 0}},
	} {
		for _, dilation := range []int{1, 2, 3} {
			for _, first := range []bool{false, true} {
				t.Run(fmt.Sprint(pads, " dilation ", dilation, " channels first ", first), func(t *testing.T) {
					c := convolution{3, 4, 5, [2]int{9, 8}, [2]int{4, 4}, [2]int{1, 1}, pads, dilation, false}
					r := rand.New(rand.NewPCG(7, 8))
					x, w := normal(r, c.x()), normal(r, c.w())
					far, shape := dilated(x, c.x(), dilation)
					wide := c
					wide.size = [2]int{shape[1], shape[2]}
					want, y := wide.reference(far, w), wide.y()
					in, layout, axes, channels := x, c.x(), []int{1, 2}, 3
					if first {
						in, layout, axes, channels = channelsFirst(x, c.x()), []int{c.images, c.in, c.size[0], c.size[1]}, []int{2, 3}, 1
					}
					b := stablehlo.New("test")
					main := b.Main()
					xs, err := main.NamedInput("x", shapes.Make(dtypes.Float32, layout...))
					check(t, err)
					ws, err := main.NamedInput("w", shapes.Make(dtypes.Float32, c.w()...))
					check(t, err)
					v, err := stablehlo.Convolution(xs, ws, c.steps[:], c.pads[:], []int{dilation, dilation}, []int{1, 1},
						0, channels, axes, 2, 3, []int{0, 1}, 0, 3, []int{1, 2}, 1, 1, types.DotGeneralPrecisionDefault, types.DotGeneralPrecisionDefault)
					check(t, err)
					check(t, main.Return(v))
					program, err := b.Build()
					check(t, err)
					if len(want) != y[0]*y[1]*y[2]*y[3] {
						t.Fatal("the reference has another shape")
					}
					compare(t, compiled(t, cpuconv.Crop(program), layout, c.w()), want, in, w)
				})
			}
		}
	}
}

// A program without negative padding stays as it is.
func TestCropLeavesOthers(t *testing.T) {
	c := convolution{3, 4, 5, [2]int{9, 8}, [2]int{4, 4}, [2]int{1, 1}, [2][2]int{{1, 1}, {0, 2}}, 0, false}
	if program := c.program(t); string(cpuconv.Crop(program)) != string(program) {
		t.Error("changed")
	}
}
