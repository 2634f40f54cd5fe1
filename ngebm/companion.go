package ngebm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data"
	"ngebm/ngebm/internal/explain"
	"ngebm/ngebm/internal/innerloop"
	"ngebm/ngebm/jem"
)

// moment is a training step, counted from 0, in the present attempt at it.
type moment struct {
	step    int
	attempt int     // how often the run was set back
	shrink  float64 // of steps of the method's own
}

// beside is what a companion adds to a step. The trainer frees it.
type beside struct {
	x      *tensors.Tensor // in place of the batch's examples; nil leaves those
	others *tensors.Tensor // examples from elsewhere, and their classes
	labels []int32
	watch  []float32 // values for the history, one for each of the companion's watched terms
}

// companion makes what a step needs beside its batch: samples of the model, outliers,
// adversarial examples.
type companion interface {
	next(m moment, x *tensors.Tensor, batch data.Batch) (beside, error)
	// watched names the values that next returns for the history.
	watched() []string
	// state is what a checkpoint must hold for the run to go on exactly; nil if
	// nothing.
	state() *tensors.Tensor
	restore(*tensors.Tensor) error
	close()
}

// newCompanion returns the one that the configuration asks for, or nil.
func (t *trainer) newCompanion() (companion, error) {
	cfg := t.run.Config
	m := innerloop.Model{Backend: t.backend, Store: t.store, Scope: networkScope, Logits: t.logits}
	if t.sharing != nil {
		m.Mesh = t.sharing.part.Mesh
	}
	switch {
	case cfg.JEM.Enabled():
		s, err := jem.NewSampler(m, cfg.JEM, t.run.Train, cfg.Batch, cfg.Seed)
		return &sampling{s}, err
	case cfg.Margin.Outliers != "":
		b, err := data.NewBatches(t.run.outliers, cfg.Batch, cfg.Seed, data.Augment{})
		if err != nil {
			return nil, fmt.Errorf("ngebm: margin.outliers is %q: %w", cfg.Margin.Outliers, err)
		}
		return &outliers{b, t.run.outliers.Shape}, nil
	case cfg.Adversarial.Epsilon > 0:
		return newAdversary(m, cfg.Adversarial, t.run.Train.IsImages(), cfg.Seed)
	}
	return nil, nil
}

// openOutliers finds the outliers that the configuration names.
func (r *Run) openOutliers(ctx context.Context, opts Options) (err error) {
	name := r.Config.Margin.Outliers
	if name == "" {
		return nil
	}
	if kinds := r.Train.OODKinds(); slices.Contains(kinds, data.CanonicalOODKind(name)) {
		r.outliers, err = r.Train.SynthesizeOOD(name, r.Config.Seed)
		return err
	}
	r.outliers, _, err = data.Open(ctx, name, data.Options{Seed: r.Config.Seed, Cache: opts.Cache, Offline: opts.Offline, Progress: opts.Progress})
	if err != nil {
		return fmt.Errorf("ngebm: margin.outliers is %q, neither a kind of synthetic OOD set (%s) nor a dataset: %w", name, strings.Join(r.Train.OODKinds(), ", "), err)
	}
	if slices.Equal(r.outliers.Shape, r.Train.Shape) {
		return nil
	}
	if !r.Train.IsImages() || !r.outliers.IsImages() {
		return fmt.Errorf("ngebm: margin.outliers is %q, whose examples are shaped %v, not %v as the training set's; name a set like it", name, r.outliers.Shape, r.Train.Shape)
	}
	r.outliers, err = r.outliers.Resize(r.Train.Shape[0], r.Train.Shape[1], r.Train.Shape[2])
	return err
}

// outliersChecksum is what the outliers add to the checksum of the training data.
func (r *Run) outliersChecksum() string {
	if r.outliers == nil {
		return ""
	}
	return "+" + r.outliers.Checksum
}

// sampling is JEM's companion.
type sampling struct{ *jem.Sampler }

func (s *sampling) next(m moment, _ *tensors.Tensor, _ data.Batch) (beside, error) {
	drawn, err := s.Next(m.step, uint64(m.attempt), m.shrink)
	if err != nil {
		return beside{}, err
	}
	return beside{others: drawn.X, labels: drawn.Labels, watch: []float32{float32(drawn.Slope)}}, nil
}

func (s *sampling) watched() []string               { return []string{jem.NameSlope} }
func (s *sampling) state() *tensors.Tensor          { return s.Buffer() }
func (s *sampling) restore(t *tensors.Tensor) error { return s.SetBuffer(t) }
func (s *sampling) close()                          { s.Close() }

// outliers is the companion of energy-bounded learning.
type outliers struct {
	batches *data.Batches
	shape   []int
}

func (o *outliers) next(m moment, _ *tensors.Tensor, _ data.Batch) (beside, error) {
	b := o.batches.At(m.step)
	x := tensors.FromFlatDataAndDimensions(b.X, append([]int{len(b.Labels)}, o.shape...)...)
	return beside{others: x, labels: b.Labels}, nil
}

func (o *outliers) watched() []string             { return nil }
func (o *outliers) state() *tensors.Tensor        { return nil }
func (o *outliers) restore(*tensors.Tensor) error { return nil }
func (o *outliers) close()                        {}

// adversary is the companion of adversarial training.
type adversary struct {
	loop *innerloop.Loop
	seed uint64
	ball ball
}

func newAdversary(m innerloop.Model, a Adversarial, images bool, seed uint64) (*adversary, error) {
	v := &adversary{seed: seed, ball: ballOf(a, images)}
	var err error
	v.loop, err = innerloop.New(m, a.Steps, false, v.ball.step(m.Logits))
	return v, err
}

func (v *adversary) next(m moment, x *tensors.Tensor, batch data.Batch) (beside, error) {
	values, err := tensors.CopyFlatData[float32](x)
	if err != nil {
		return beside{}, err
	}
	examples := len(batch.Labels)
	rng := rand.New(rand.NewPCG(v.seed, uint64(m.attempt)<<48|uint64(m.step)))
	size := len(values) / examples
	for i := range examples {
		v.ball.start(rng, values[i*size:(i+1)*size])
	}
	start := tensors.FromFlatDataAndDimensions(values, x.Shape().Dimensions...)
	labels := tensors.FromFlatDataAndDimensions(batch.Labels, examples)
	end, watch, err := v.loop.Run(start, nil, x, labels)
	if err != nil {
		return beside{}, fmt.Errorf("ngebm: adversarial examples: %w", explain.Error(err))
	}
	return beside{x: end}, errors.Join(release(start, labels, watch))
}

func (v *adversary) watched() []string             { return nil }
func (v *adversary) state() *tensors.Tensor        { return nil }
func (v *adversary) restore(*tensors.Tensor) error { return nil }
func (v *adversary) close()                        { v.loop.Close() }
