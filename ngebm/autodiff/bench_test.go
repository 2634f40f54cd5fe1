package autodiff_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/nets"
)

// BenchmarkStep is the gradient of the loss with respect to the weights of
// WRN-10-2, for 32 images of 32×32 in float32 on XLA's CPU: cross-entropy, then
// with the variance and the gradient norm, and the ratio of the two times.
//
//	go test -run - -bench Step -benchtime 5x ./ngebm/autodiff
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
	var seconds [2]float64
	for i, objective := range []energy.NGEBM{{Alpha: 1}, {Alpha: 1, Beta: 1, Gamma: 1}} {
		b.Run([]string{"cross-entropy", "NG-EBM"}[i], func(b *testing.B) {
			store := model.NewStore()
			exec, err := model.NewExec(open(b, "cpu"), store, func(_ *model.Scope, x, labels *Node) []*Node {
				logits := func(x *Node) *Node {
					return nets.WideResNet{Depth: 10, Width: 2}.Logits(store.RootScope().In("net"), x, classes)
				}
				loss := energy.Total(objective.Terms(logits, x, labels))
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
			step := func() {
				out, err := exec.Exec(x, labels)
				if err != nil {
					b.Fatal(err)
				}
				tensors.MustCopyFlatData[float32](out[0]) // waits for it
			}
			step() // compiles
			b.ResetTimer()
			for b.Loop() {
				step()
			}
			seconds[i] = b.Elapsed().Seconds() / float64(b.N)
			if i == 1 {
				b.ReportMetric(seconds[1]/seconds[0], "times-cross-entropy")
			}
		})
	}
}
