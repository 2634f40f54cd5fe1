package convgrad_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"ngebm/ngebm/internal/testdevice"
)

// drawn is a convolution of images.
type drawn struct {
	images, in, out        int
	size, kernel           [2]int
	strides, dilation      []int
	pads                   [][2]int
	first                  bool // channels first, else last
	axes                   compute.ConvolveAxesConfig
	shapeX, shapeW, shapeY []int
}

// draw returns a convolution of any kind, with numbers of channels as networks have them.
func draw(r *rand.Rand) drawn {
	for {
		kernels := [][2]int{{3, 3}, {3, 3}, {1, 1}, {2, 2}, {5, 5}, {1 + r.IntN(7), 1 + r.IntN(7)}}
		channels := []int{1, 3, 5, 16, 16, 20, 32, 38}
		d := drawn{
			images: 1 + r.IntN(4), in: channels[r.IntN(len(channels))], out: channels[r.IntN(len(channels))],
			size: [2]int{1 + r.IntN(12), 1 + r.IntN(12)}, kernel: kernels[r.IntN(len(kernels))],
			strides: []int{1, 1}, dilation: []int{1, 1}, pads: [][2]int{{1, 1}, {1, 1}}, first: r.IntN(3) == 0,
		}
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
		d.axes = layoutOf(d.first)
		d.shapeX, d.shapeW, d.shapeY = []int{d.images, d.size[0], d.size[1], d.in}, []int{d.kernel[0], d.kernel[1], d.in, d.out}, []int{d.images, y[0], y[1], d.out}
		if d.first {
			d.shapeX, d.shapeW, d.shapeY = []int{d.images, d.in, d.size[0], d.size[1]}, []int{d.out, d.in, d.kernel[0], d.kernel[1]}, []int{d.images, d.out, y[0], y[1]}
		}
		return d
	}
}

func layoutOf(first bool) compute.ConvolveAxesConfig {
	if first {
		return compute.ConvolveAxesConfig{
			InputBatch: 0, InputChannels: 1, InputSpatial: []int{2, 3},
			KernelOutputChannels: 0, KernelInputChannels: 1, KernelSpatial: []int{2, 3},
			OutputBatch: 0, OutputChannels: 1, OutputSpatial: []int{2, 3},
		}
	}
	return compute.ConvolveAxesConfig{
		InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
		KernelSpatial: []int{0, 1}, KernelInputChannels: 2, KernelOutputChannels: 3,
		OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
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
			y := ConvGeneral(x, w, d.axes, d.strides, d.pads, []int{1, 1}, d.dilation, 1, 1)
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
				t.Errorf("%s: %s is off by %.2g", fmt.Sprintf("%+v", d), name, f)
			}
		}
		single.Finalize()
		exact.Finalize()
	}
}
