package convgrad_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"ngebm/ngebm/internal/testdevice"
)

// drawn is a convolution of images, with numbers of channels as networks have them.
type drawn struct {
	convolution
	shapeX, shapeW, shapeY []int
}

// draw returns one of any kind.
func draw(r *rand.Rand) drawn {
	for {
		kernels := [][2]int{{3, 3}, {3, 3}, {1, 1}, {2, 2}, {5, 5}, {1 + r.IntN(7), 1 + r.IntN(7)}}
		channels := []int{1, 3, 5, 16, 16, 20, 32, 38}
		n, in, out := 1+r.IntN(4), channels[r.IntN(len(channels))], channels[r.IntN(len(channels))]
		size, kernel := []int{1 + r.IntN(12), 1 + r.IntN(12)}, kernels[r.IntN(len(kernels))]
		d := drawn{convolution: convolution{
			size: size, kernel: kernel[:],
			strides: []int{1, 1}, dilation: []int{1, 1}, pads: [][2]int{{1, 1}, {1, 1}}, first: r.IntN(3) == 0,
		}}
		if r.IntN(2) == 0 {
			d.strides = []int{1 + r.IntN(3), 1 + r.IntN(3)}
		}
		if r.IntN(2) == 0 {
			d.pads = [][2]int{{r.IntN(4), r.IntN(4)}, {r.IntN(4), r.IntN(4)}}
		}
		if r.IntN(6) == 0 {
			d.dilation = []int{1 + r.IntN(2), 1 + r.IntN(2)}
		}
		var y [2]int
		fits := true
		for i := range y {
			room := d.size[i] + d.pads[i][0] + d.pads[i][1] - (d.kernel[i]-1)*d.dilation[i] - 1
			y[i] = room/d.strides[i] + 1
			fits = fits && room >= 0
		}
		if !fits {
			continue
		}
		d.shapeX, d.shapeW, d.shapeY = []int{n, size[0], size[1], in}, []int{kernel[0], kernel[1], in, out}, []int{n, y[0], y[1], out}
		if d.first {
			d.shapeX, d.shapeW, d.shapeY = []int{n, in, size[0], size[1]}, []int{out, in, kernel[0], kernel[1]}, []int{n, out, y[0], y[1]}
		}
		return d
	}
}

// Convolutions of float32 on XLA's CPU, their gradients and those of the gradients are those of the pure-Go backend
// in float64, whatever their shapes.
func TestDrawnShapes(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: XLA compiles every case")
	}
	cpu, pure := testdevice.Open(t, "cpu"), testdevice.Open(t, goBackend)
	for i := range 24 {
		r := rand.New(rand.NewPCG(1, uint64(i)))
		d := draw(r)
		derivatives := func(in []*Node) []*Node {
			x, w, a, p, q := in[0], in[1], in[2], in[3], in[4]
			y := d.apply(x, w)
			g := Gradient(dot(Sin(y), a), x, w)
			return append(append([]*Node{y, g[0], g[1]}, Gradient(dot(g[0], p), x, w)...), Gradient(dot(g[1], q), x, w)...)
		}
		in := []array{normal(r, d.shapeX...), normal(r, d.shapeW...), normal(r, d.shapeY...), normal(r, d.shapeX...), normal(r, d.shapeW...)}
		for k := range in[1].values {
			in[1].values[k] /= 10
		}
		single, exact := MustNewExec(cpu, derivatives), MustNewExec(pure, derivatives)
		got, want := call(t, single, dtypes.Float32, in...), call(t, exact, dtypes.Float64, in...)
		for j, name := range []string{"y", "dx", "dw", "dx dx", "dx dw", "dw dx", "dw dw"} {
			if f := relativeError(got[j], want[j]); !(f <= 2e-5) {
				t.Errorf("%v, %v by %v: %s is off by %.2g", d, d.shapeX, d.shapeW, name, f)
			}
		}
		single.Finalize()
		exact.Finalize()
	}
}
