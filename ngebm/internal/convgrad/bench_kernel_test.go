package convgrad_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	_ "ngebm/ngebm/device/heap"
	"ngebm/ngebm/internal/convgrad"
	"ngebm/ngebm/internal/cputime"
	"ngebm/ngebm/internal/testdevice"
)

// BenchmarkKernelGradient is K of 3×3 kernels in float32 on the CPU: by XLA's products
// and as it is computed, in turns. It reports the best GFLOP/s of each, by the clock and by
// processor time (for two cores), which other load on the machine distorts less. The table
// is in the package comment.
//
//	go test -run - -bench KernelGradient -benchtime 10x ./ngebm/internal/convgrad
func BenchmarkKernelGradient(b *testing.B) {
	backend := testdevice.Open(b, "cpu")
	for _, s := range []struct{ batch, size, in, out, stride int }{
		{64, 32, 16, 16, 1}, {64, 32, 16, 32, 1}, {64, 32, 32, 32, 1}, {64, 32, 32, 64, 1}, {64, 32, 64, 64, 2},
		{64, 16, 64, 64, 1}, {64, 16, 64, 128, 1}, {64, 16, 128, 128, 2}, {64, 8, 128, 128, 1},
		{32, 32, 64, 64, 1}, {32, 16, 128, 128, 1}, {32, 8, 256, 256, 1}, {16, 8, 256, 256, 1}, {128, 16, 32, 32, 1},
	} {
		b.Run(fmt.Sprintf("%dx%dx%d-%d-stride%d", s.batch, s.size, s.in, s.out, s.stride), func(b *testing.B) {
			random := func(size, channels int) *tensors.Tensor {
				r := rand.New(rand.NewPCG(1, 0))
				t := tensors.FromShape(shapes.Make(dtypes.Float32, s.batch, size, size, channels))
				tensors.MustMutableFlatData(t, func(flat []float32) {
					for i := range flat {
						flat[i] = 2*r.Float32() - 1
					}
				})
				return t
			}
			x, dy := random(s.size, s.in), random(s.size/s.stride, s.out)
			flop := 2 * 9 * float64(dy.Shape().Size()*s.in)
			var runs [2]func() (clock, processor float64)
			for i := range runs {
				exec := MustNewExec(backend, func(x, dy *Node) *Node { return convgrad.KernelGradient(x, dy, s.stride, i == 0) })
				runs[i] = func() (float64, float64) {
					start, used := time.Now(), cputime.Process()
					dw := exec.MustCall(x, dy)[0]
					tensors.MustConstFlatData(dw, func([]float32) {}) // waits for it
					clock, processor := time.Since(start).Seconds(), cputime.Process()-used
					dw.FinalizeAll()
					return clock, processor
				}
				runs[i]() // compiles
			}
			var best [2][2]float64
			for b.Loop() {
				for i, run := range runs {
					clock, processor := run()
					best[i][0], best[i][1] = math.Max(best[i][0], flop/clock/1e9), math.Max(best[i][1], 2*flop/processor/1e9)
				}
			}
			b.ReportMetric(best[0][0], "XLA-GFLOP/s")
			b.ReportMetric(best[1][0], "GFLOP/s")
			b.ReportMetric(best[0][1], "XLA-GFLOP/s-by-processor-time")
			b.ReportMetric(best[1][1], "GFLOP/s-by-processor-time")
			b.ReportMetric(0, "ns/op")
		})
	}
}
