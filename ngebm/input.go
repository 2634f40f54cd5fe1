package ngebm

import (
	"errors"
	"fmt"

	"ngebm/data"
	"ngebm/ngebm/nets"
)

// ready tells whether a set can be run through a network: a set that data.New did not make
// may lack pixels, or what scales them.
func ready(d *data.Dataset) error {
	if d == nil {
		return errors.New("ngebm: the data set is nil; open one with data.Open, or make one with data.New")
	}
	values, wanted := len(d.Points), d.Len()*sizeOf(d.Shape)
	if d.IsImages() {
		values = len(d.Pixels)
	}
	if d.Checksum == "" || values != wanted || d.IsImages() && d.MaxPixel == 0 {
		return fmt.Errorf("ngebm: the set %q has %d values for %d examples of shape %v, and was not made by data.New, which checks it; make it with data.New", d.Name, values, d.Len(), d.Shape)
	}
	return nil
}

// maxWeights is the most weights of a network with a name: with Adam's moments and an
// average, a checkpoint of them is as large as one may be.
const maxWeights = maxCheckpoint / 16

// fitsCheckpoint refuses a network that is larger than its checkpoints may be, before its
// weights are drawn.
func fitsCheckpoint(net nets.Network, shape []int, classes int) error {
	known, ok := net.(nets.Sized)
	if !ok {
		return nil
	}
	numbers := 0
	for _, dims := range known.Weights(shape, classes) {
		if numbers += sizeOf(dims); numbers > maxWeights {
			return fmt.Errorf("ngebm: %s has more than %d weights for examples of shape %v, and its checkpoints would be larger than they may be; choose a smaller network", net, maxWeights, shape)
		}
	}
	return nil
}

// examplesAtOnce is how many of so many examples are evaluated in one batch: as many as a
// device is busy with, and so few that the activations of one layer fit a memory. The
// network may be a stranger's, so what cannot be evaluated is refused before it is built.
func examplesAtOnce(net nets.Network, shape []int, classes, examples int) (int, error) {
	if classes > maxClasses {
		return 0, fmt.Errorf("ngebm: there are %d classes, more than %d; merge some", classes, maxClasses)
	}
	widest := max(sizeOf(shape), classes)
	if known, ok := net.(nets.Sized); ok && len(shape) > 0 {
		widest = known.Widest(shape, classes)
	}
	if widest > maxActivations {
		return 0, fmt.Errorf("ngebm: a layer of %s has %d numbers for one example of shape %v, more than %d; use smaller examples, as data@64 gives, or a narrower network", net, widest, shape, maxActivations)
	}
	return max(1, min(evaluationBatch, examples, maxActivations/max(1, widest))), nil
}
