package attack

import (
	"errors"
	"fmt"
)

// Transfer tries on a model the adversarial examples that an attack finds for another one,
// the source (Papernot et al. 2016): it sees no gradient and no logits of the model that is
// attacked. An image on which the source is wrong without a perturbation, or for which the
// attack finds nothing there, survives. A model that falls to this more than to attacks by
// its own gradients hides them.
type Transfer struct {
	From   Model
	Name   string // of the source, for descriptions
	Attack Attack // made on the source
}

// String implements [Attack].
func (t Transfer) String() string {
	return fmt.Sprintf("transfer from %s of %v", t.Name, t.Attack)
}

func (t Transfer) kind() Kind { return KindTransfer }

func (t Transfer) norm() Norm {
	if t.Attack == nil {
		return Linf // check reports what is wrong
	}
	return t.Attack.norm()
}

func (t Transfer) check(classes int) error {
	switch {
	case t.From == nil:
		return errors.New("attack: a transfer has no source: set From to the model on which examples are made")
	case t.Attack == nil:
		return errors.New("attack: a transfer has no attack: set Attack to the one that makes examples on the source")
	}
	return t.Attack.check(classes)
}

func (t Transfer) passes() []pass { return []pass{{cost: 1, run: t.run}} }

func (t Transfer) run(s *search, images []int) error {
	options := s.options
	options.Report = nil
	source, err := New(t.From, options)
	if err != nil {
		return err
	}
	defer source.Close()
	// The whole set, so that random choices are those of an attack on the source alone.
	curve, err := source.Run(s.ctx, s.d, t.Attack, []float64{s.epsilon})
	if err != nil {
		return fmt.Errorf("attack: the source of a transfer, %s: %w", t.Name, err)
	}
	return s.batches(images, func(b *batch, _ func(float64) error) error {
		y := append([]float32(nil), b.x...)
		for k, i := range b.images {
			if x, ok := curve.Adversarial(i); ok {
				copy(s.at(y, k), x)
			}
		}
		candidates := s.upload(y)
		defer free(candidates)
		return s.evaluate(b, candidates)
	})
}
