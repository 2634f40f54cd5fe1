package train

import (
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/internal/ckpt"
)

// averageWeights moves the averages to decay·average + (1-decay)·weight, with the
// weights as the step leaves them.
func averageWeights(store *model.Store, decay *Node) {
	for v := range store.RootScope().At(ckpt.NetworkScope).IterVariables() {
		average := store.GetVariable(averageOf(v.Path()))
		old, weight := average.NodeValue(decay.Graph()), v.NodeValue(decay.Graph())
		average.SetNodeValue(Add(Mul(decay, old), Mul(OneMinus(decay), weight)))
	}
}

// emaDecay is the decay at a step, counted from 0.
func emaDecay(decay float64, step int) float64 {
	return min(decay, float64(1+step)/float64(10+step))
}

// averageOf is the path of a weight's moving average.
func averageOf(path string) string {
	return "/" + ckpt.AverageScope + strings.TrimPrefix(path, "/"+ckpt.NetworkScope)
}
