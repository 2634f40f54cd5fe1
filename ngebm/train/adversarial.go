package train

import (
	"errors"
	"fmt"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/devmem"
	"ngebm/ngebm/internal/explain"
	"ngebm/ngebm/internal/innerloop"
	"ngebm/ngebm/internal/lp"
)

// adversary makes the examples of adversarial training.
type adversary struct {
	loop   *innerloop.Loop
	seed   uint64
	threat lp.ThreatModel
}

func newAdversary(m innerloop.Model, a ngebm.Adversarial, images bool, seed uint64) (*adversary, error) {
	norm, err := lp.Parse(a.Norm)
	v := &adversary{seed: seed, threat: lp.New(norm, a.Epsilon, images)}
	if err != nil {
		return v, fmt.Errorf("ngebm: adversarial: %w", err)
	}
	v.loop, err = innerloop.New(m, a.Steps, false, adversarialStep(v.threat, lp.Scale(images)*a.Step, m.Logits))
	return v, err
}

func (v *adversary) next(id stepID, x *tensors.Tensor, batch data.Batch) (extraInputs, error) {
	values, err := tensors.CopyFlatData[float32](x)
	if err != nil {
		return extraInputs{}, err
	}
	examples := len(batch.Labels)
	rng := rand.New(rand.NewPCG(v.seed, uint64(id.attempt)<<48|uint64(id.step)))
	size := len(values) / examples
	for i := range examples {
		v.threat.TrainingStart(rng, values[i*size:(i+1)*size])
	}
	start := tensors.FromFlatDataAndDimensions(values, x.Shape().Dimensions...)
	labels := tensors.FromFlatDataAndDimensions(batch.Labels, examples)
	end, watch, err := v.loop.Run(start, nil, x, labels)
	if err != nil {
		return extraInputs{}, fmt.Errorf("ngebm: adversarial examples: %w", explain.Error(err))
	}
	return extraInputs{x: end}, errors.Join(devmem.Free(start, labels, watch))
}

func (v *adversary) recorded() []string            { return nil }
func (v *adversary) state() *tensors.Tensor        { return nil }
func (v *adversary) restore(*tensors.Tensor) error { return nil }
func (v *adversary) close()                        { v.loop.Close() }

// adversarialStep is one step of projected gradient ascent on the cross-entropy, by size in
// the network's units. Its inputs that stay are the unperturbed examples and their labels.
func adversarialStep(threat lp.ThreatModel, size float64, logits func(*Node) *Node) innerloop.Step {
	return func(x, _ *Node, same []*Node) (next, watch *Node) {
		clean, labels := same[0], same[1]
		f := logits(x)
		// The sum, so that an example's gradient does not depend on the batch.
		loss := MulScalar(energy.CrossEntropy(f, labels, 0), float64(x.Shape().Dimensions[0]))
		return threat.TrainingStep(x, Gradient(loss, x)[0], clean, size)
	}
}
