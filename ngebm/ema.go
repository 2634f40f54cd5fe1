package ngebm

import (
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// averageScope is where the moving average of the network's weights lives, by the
// same names as the weights.
const averageScope = "average"

// addAverages makes the averages' variables, equal to the weights.
func addAverages(store *model.Store) error {
	var weights []*model.Variable
	for v := range store.RootScope().At(networkScope).IterVariables() {
		weights = append(weights, v)
	}
	for _, v := range weights {
		value, err := v.Value()
		if err != nil {
			return err
		}
		start, err := value.LocalClone()
		if err != nil {
			return err
		}
		average, err := store.CreateVariable(averageOf(v.Path()), start)
		if err != nil {
			return err
		}
		average.SetTrainable(false)
	}
	return nil
}

func averageOf(path string) string {
	return "/" + averageScope + strings.TrimPrefix(path, "/"+networkScope)
}

// averageWeights moves the averages to decay·average + (1-decay)·weight, with the
// weights as the step leaves them.
func averageWeights(store *model.Store, decay *Node) {
	for v := range store.RootScope().At(networkScope).IterVariables() {
		average := store.GetVariable(averageOf(v.Path()))
		old, weight := average.NodeValue(decay.Graph()), v.NodeValue(decay.Graph())
		average.SetNodeValue(Add(Mul(decay, old), Mul(OneMinus(decay), weight)))
	}
}

// emaDecay is the decay at a step, counted from 0.
func emaDecay(decay float64, step int) float64 {
	return min(decay, float64(1+step)/float64(10+step))
}
