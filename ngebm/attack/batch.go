package attack

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
)

// batch is a batch of examples on the device. Unused slots hold zeros with label 0.
type batch struct {
	images       []int // indices in the dataset
	labels       []int32
	x            []float32
	lower, upper []float32
	// Inputs of every step, in the same buffers.
	x0, low, high, label, radius *tensors.Tensor
}

// batches calls do for every batch of the images. do reports the part of its batch that
// is done, from 0 to 1, and stops if report returns an error.
func (s *search) batches(images []int, do func(b *batch, report func(part float64) error) error) error {
	for start := 0; start < len(images); start += s.batch {
		s.batch = fitting(s.whole, len(images)-start, s.cost)
		b := s.newBatch(images[start:min(start+s.batch, len(images))])
		err := do(b, func(part float64) error {
			return s.progress((float64(start) + part*float64(len(b.images))) / float64(len(images)))
		})
		free(b.x0, b.low, b.high, b.label, b.radius)
		if err != nil {
			return err
		}
		s.tried(b.images...)
	}
	return nil
}

func (s *search) newBatch(images []int) *batch {
	values := s.batch * s.d.Size()
	b := &batch{images: images, labels: make([]int32, s.batch), x: make([]float32, values), lower: make([]float32, values), upper: make([]float32, values)}
	for k, i := range images {
		b.labels[k] = s.d.Labels[i]
		s.d.Example(i, s.at(b.x, k))
	}
	s.threat.Bounds(b.x, b.lower, b.upper)
	b.x0, b.low, b.high = s.upload(b.x), s.upload(b.lower), s.upload(b.upper)
	b.label = tensors.FromFlatDataAndDimensions(b.labels, s.batch)
	b.radius = tensors.FromScalar(s.threat.Radius)
	return b
}

// at returns the values of example k of a batch.
func (s *search) at(x []float32, k int) []float32 {
	size := s.d.Size()
	return x[k*size : (k+1)*size]
}

// starts returns the initial point of each example of b, the example itself if draw is
// nil.
func (s *search) starts(b *batch, draw func(slot, image int, x, y []float32)) *tensors.Tensor {
	start := append([]float32(nil), b.x...)
	if draw != nil {
		for k, i := range b.images {
			draw(k, i, s.at(b.x, k), s.at(start, k))
		}
	}
	return s.upload(start)
}

// evaluate projects the candidates for b into the threat model to the last bit, and records
// those that the classifier gets wrong.
func (s *search) evaluate(b *batch, candidates *tensors.Tensor) error {
	y, err := tensors.CopyFlatData[float32](candidates)
	if err != nil {
		return err
	}
	for k := range b.images {
		s.threat.Settle(s.at(b.x, k), s.at(y, k))
	}
	rows, err := s.forward(y, len(b.images))
	if err != nil {
		return err
	}
	for k, i := range b.images {
		candidate := s.at(y, k)
		if !s.threat.Contains(s.at(b.x, k), candidate) || !finite(rows[k]) {
			return fmt.Errorf("%s: at ε = %v example %d gives gradients or logits that are not finite (%v): the classifier's training may have diverged, or ε is far outside the data", s.task, s.epsilon, i, rows[k])
		}
		if argMax(rows[k]) != int(b.labels[k]) {
			s.found(i, candidate)
		}
	}
	return nil
}

// evaluateBest is evaluate of the best iterates. Where the last iterate of an example is not finite
// it takes the place of the best, so that evaluate reports it: NaN compares with nothing, and the
// best would be the example itself, which survives.
func (s *search) evaluateBest(b *batch, best []float32, last *tensors.Tensor) error {
	iterates, err := tensors.CopyFlatData[float32](last)
	if err != nil {
		return err
	}
	for k := range b.images {
		if !finite(s.at(iterates, k)) {
			copy(s.at(best, k), s.at(iterates, k))
		}
	}
	candidates := s.upload(best)
	defer free(candidates)
	return s.evaluate(b, candidates)
}

// found records an adversarial example of image i.
func (s *search) found(i int, x []float32) {
	s.broken[i] = true
	s.Broken[i], s.Found = s.Epsilons, s.Found+1
	s.adversarial[i] = append([]float32(nil), x...)
}
