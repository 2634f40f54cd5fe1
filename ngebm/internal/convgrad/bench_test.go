package convgrad_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// BenchmarkStep is the gradient of the loss with respect to the weights of
// WRN-10-2, for 32 images of 32×32 in float32 on XLA's CPU: for cross-entropy and
// for NG-EBM in turn, so that a busy machine slows both. It reports the fastest of
// each and their ratio, 1.95 on two cores (242 and 472 ms).
//
//	go test -run - -bench Step -benchtime 20x ./ngebm/internal/convgrad
func BenchmarkStep(b *testing.B) {
	const images, classes = 32, 10
	r := rand.New(rand.NewPCG(1, 0))
	x, labels := tensors.FromShape(shapes.Make(dtypes.Float32, images, 32, 32, 3)), make([]int32, images)
	tensors.MustMutableFlatData(x, func(flat []float32) {
		for i := range flat {
			flat[i] = 2*r.Float32() - 1
		}
	})
	for i := range labels {
		labels[i] = r.Int32N(classes)
	}
	backend := testdevice.Open(b, "cpu")
	prepare := func(objective energy.NGEBM) (step func() float64) {
		store := model.NewStore()
		exec, err := model.NewExec(backend, store, func(_ *model.Scope, x, labels *Node) []*Node {
			logits := func(x *Node) *Node {
				return nets.WideResNet{Depth: 10, Width: 2}.Logits(store.RootScope().In("net"), x, classes)
			}
			loss := energy.Total(objective.Terms(energy.Inputs{Logits: logits, X: x, Labels: labels}), nil)
			var weights []*Node
			for v := range store.IterVariables() {
				if v.Shape().DType == dtypes.Float32 {
					weights = append(weights, v.NodeValue(x.Graph()))
				}
			}
			return Gradient(loss, weights...)
		})
		if err != nil {
			b.Fatal(err)
		}
		return func() float64 {
			start := time.Now()
			out, err := exec.Exec(x, labels)
			if err != nil {
				b.Fatal(err)
			}
			tensors.MustCopyFlatData[float32](out[0]) // waits for it
			return float64(time.Since(start).Milliseconds())
		}
	}
	crossEntropy, ngebm := prepare(energy.NGEBM{Alpha: 1}), prepare(energy.NGEBM{Alpha: 1, Beta: 1, Gamma: 1})
	crossEntropy() // compiles
	ngebm()
	one, other := math.Inf(1), math.Inf(1)
	for b.Loop() {
		one, other = min(one, crossEntropy()), min(other, ngebm())
	}
	b.ReportMetric(one, "cross-entropy-ms")
	b.ReportMetric(other, "NG-EBM-ms")
	b.ReportMetric(other/one, "times")
}
