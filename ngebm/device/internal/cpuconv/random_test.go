package cpuconv_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// drawConvolution returns a convolution of any kind that there is code for, of at most some million multiplications.
func drawConvolution(r *rand.Rand) convolution {
	for {
		kernels := [][2]int{{3, 3}, {3, 3}, {1, 1}, {2, 2}, {1 + r.IntN(3), 1 + r.IntN(3)}, {1, 1 + r.IntN(9)}, {1 + r.IntN(9), 1}}
		c := convolution{
			images: 1 + r.IntN(12), in: 1 + r.IntN(40), out: 16 * (1 + r.IntN(6)),
			size:    [2]int{1 + r.IntN(24), 1 + r.IntN(24)},
			kernel:  kernels[r.IntN(len(kernels))],
			steps:   [2]int{1, 1},
			pads:    [2][2]int{{1, 1}, {1, 1}},
			swapped: r.IntN(4) == 0,
		}
		if r.IntN(2) == 0 {
			c.steps = [2]int{1 + r.IntN(3), 1 + r.IntN(3)}
		}
		if r.IntN(2) == 0 {
			for i := range c.pads {
				c.pads[i] = [2]int{r.IntN(6) - 2, r.IntN(6) - 2}
			}
		}
		if r.IntN(4) == 0 {
			c.out = 1 + r.IntN(70)
		}
		y := c.y()
		rows, columns := c.size[0]+c.pads[0][0]+c.pads[0][1]-c.kernel[0], c.size[1]+c.pads[1][0]+c.pads[1][1]-c.kernel[1]
		if rows >= 0 && columns >= 0 && y[0]*y[1]*y[2]*y[3]*c.kernel[0]*c.kernel[1]*c.in < 1<<22 {
			return c
		}
	}
}

// Convolutions and gradients of kernels of any shape are the sums of their definitions.
func TestDrawnShapes(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 40 {
		c := drawConvolution(r)
		t.Run(strings.ReplaceAll(fmt.Sprint(c), " ", ","), func(t *testing.T) {
			x, w, y := normal(r, c.x()), normal(r, c.w()), normal(r, c.y())
			in := w
			if c.swapped {
				in = swapped(w, c.in, c.out)
			}
			compare(t, compiled(t, oneCall(t, c.program(t)), c.x(), c.programW()), c.reference(x, w), x, in)
			if c.out%16 == 0 {
				compare(t, compiled(t, oneCall(t, c.gradient(t, 1)), c.x(), c.y()), c.gradientReference(x, y), x, y)
			}
		})
	}
}
