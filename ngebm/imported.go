package ngebm

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/nets"
)

// FromWeights returns a classifier of a network that was trained elsewhere, for
// examples of the given shape. The weights are float32, in the network's own layouts,
// by their path in it, "layer1.0/conv1/weight"; there must be one for each of the
// network's and none besides.
func FromWeights(backend compute.Backend, net nets.Network, weights map[string]*tensors.Tensor, shape []int, classes []string) (*Classifier, error) {
	if len(classes) < 2 {
		return nil, fmt.Errorf("ngebm: %d classes are named; a classifier has 2 or more", len(classes))
	}
	store := model.NewStore()
	c, err := newClassifier(backend, net, store, networkScope, shape, classes, evaluationBatch)
	if err != nil {
		return nil, err
	}
	left := maps.Clone(weights)
	var wrong []error
	for name, v := range weightsOf(store, networkScope) {
		w, ok := left[name]
		delete(left, name)
		switch {
		case !ok:
			wrong = append(wrong, fmt.Errorf("%s is missing", name))
		case !w.Shape().Equal(v.Shape()):
			wrong = append(wrong, fmt.Errorf("%s is %s, not %s", name, w.Shape(), v.Shape()))
		default:
			if err := v.SetValue(w); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		wrong = append(wrong, fmt.Errorf("%s belongs to no layer", name))
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("ngebm: the weights are not those of %s with %d classes for examples of shape %v: %w", net, len(classes), shape, errors.Join(wrong...))
	}
	return c, nil
}
