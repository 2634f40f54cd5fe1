package cpuconv_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/go-xla/stablehlo"
	"github.com/gomlx/go-xla/types"
	"github.com/gomlx/go-xla/types/shapes"

	"ngebm/ngebm/device/internal/cpuconv"
)

// gradient is the program of the gradient of its kernel, with LeakyReLU of the input if the slope is not 1.
func (c convolution) gradient(t testing.TB, slope float32) []byte {
	t.Helper()
	b := stablehlo.New("test")
	main := b.Main()
	x, err := main.NamedInput("x", shapes.Make(dtypes.Float32, c.x()...))
	check(t, err)
	y, err := main.NamedInput("y", shapes.Make(dtypes.Float32, c.y()...))
	check(t, err)
	if slope != 1 {
		a := &around{t: t, c: c, main: main}
		x = a.leaky(x, slope, types.CompareGT)
	}
	pads := c.pads // the gradient's end where the last row and column of x do
	for i := range pads {
		pads[i][1] = (c.y()[1+i]-1)*c.steps[i] + c.kernel[i] - c.size[i] - pads[i][0]
	}
	w, err := stablehlo.Convolution(x, y, []int{1, 1}, pads[:], []int{1, 1}, c.steps[:],
		3, 0, []int{1, 2}, 0, 3, []int{1, 2}, 2, 3, []int{0, 1}, 1, 1,
		types.DotGeneralPrecisionDefault, types.DotGeneralPrecisionDefault)
	check(t, err)
	check(t, main.Return(w))
	program, err := b.Build()
	check(t, err)
	return program
}

// gradientReference computes it in float64 from its definition.
func (c convolution) gradientReference(x, y []float32) []float64 {
	xs, ws, ys := c.x(), c.w(), c.y()
	out := make([]float64, ws[0]*ws[1]*ws[2]*ws[3])
	for n := range ys[0] {
		for i := range ys[1] {
			for j := range ys[2] {
				for a := range ws[0] {
					for b := range ws[1] {
						h, v := i*c.steps[0]+a-c.pads[0][0], j*c.steps[1]+b-c.pads[1][0]
						if h < 0 || h >= xs[1] || v < 0 || v >= xs[2] {
							continue
						}
						for k := range ws[2] {
							for o := range ys[3] {
								out[((a*ws[1]+b)*ws[2]+k)*ws[3]+o] += float64(x[((n*xs[1]+h)*xs[2]+v)*xs[3]+k]) * float64(y[((n*ys[1]+i)*ys[2]+j)*ys[3]+o])
							}
						}
					}
				}
			}
		}
	}
	return out
}

// The gradient of a kernel is the sum of its definition, whatever the shapes: chunks and groups of images that are not
// full, one row in several, kernels of many channels.
func TestKernelGradients(t *testing.T) {
	for _, c := range convolutions() {
		if c.swapped || c.out%16 != 0 {
			continue
		}
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			program := oneCall(t, c.gradient(t, 1))
			r := rand.New(rand.NewPCG(1, 2))
			x, y := normal(r, c.x()), normal(r, c.y())
			compare(t, compiled(t, program, c.x(), c.y()), c.gradientReference(x, y), x, y)
		})
	}
}

// LeakyReLU of the input becomes part of the call.
func TestKernelGradientOfLeakyReLU(t *testing.T) {
	one, two, same := [2]int{1, 1}, [2]int{2, 2}, [2][2]int{{1, 1}, {1, 1}}
	for _, c := range []convolution{
		{3, 16, 16, [2]int{9, 8}, [2]int{3, 3}, one, same, 0, false},
		{3, 32, 16, [2]int{9, 8}, [2]int{3, 3}, two, same, 0, false},
	} {
		program := cpuconv.Rewrite(c.gradient(t, .2))
		if live := alive(string(program)); strings.Contains(live, "select") || !strings.Contains(live, "custom_call") {
			t.Errorf("LeakyReLU is left in\n%s", live)
		}
		r := rand.New(rand.NewPCG(1, 2))
		x, y := normal(r, c.x()), normal(r, c.y())
		leaky := make([]float32, len(x))
		for i, v := range x {
			leaky[i] = max(v, .2*v)
		}
		compare(t, compiled(t, program, c.x(), c.y()), c.gradientReference(leaky, y), x, y)
	}
}

// Gradients for which there is no code stay as they are.
func TestOtherGradientsStay(t *testing.T) {
	fits := convolution{8, 16, 16, [2]int{8, 8}, [2]int{3, 3}, [2]int{1, 1}, [2][2]int{{1, 1}, {1, 1}}, 0, false}
	for name, change := range map[string]func(c *convolution){
		"10 output channels": func(c *convolution) { c.out = 10 },
		"a kernel of 4x4":    func(c *convolution) { c.kernel = [2]int{4, 4} },
	} {
		c := fits
		change(&c)
		if program := c.gradient(t, 1); string(cpuconv.Rewrite(program)) != string(program) {
			t.Errorf("%s: rewritten", name)
		}
	}
	dilated := strings.Replace(string(fits.gradient(t, 1)), "lhs_dilation = array<i64: 1, 1>", "lhs_dilation = array<i64: 2, 2>", 1)
	if string(cpuconv.Rewrite([]byte(dilated))) != dilated {
		t.Error("dilation of the input: rewritten")
	}
}
