package train

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/ckpt"
	"ngebm/ngebm/internal/innerloop"
	"ngebm/ngebm/jem"
)

// stepID is a training step, counted from 0, in the present attempt at it.
type stepID struct {
	step    int
	attempt int     // how often the run was rolled back
	shrink  float64 // of steps of the method's own
}

// extraInputs are what a source adds to a step. The trainer frees them.
type extraInputs struct {
	x      *tensors.Tensor // in place of the batch's examples; nil leaves those
	more   *tensors.Tensor // samples or outliers, and their classes
	labels []int32
	record []float32 // values for the history, one for each of the source's recorded terms
}

// inputSource makes what a step needs besides its batch: samples of the model, outliers,
// or adversarial examples.
type inputSource interface {
	next(id stepID, x *tensors.Tensor, batch data.Batch) (extraInputs, error)
	// recorded names the values that next returns for the history.
	recorded() []string
	// state is what a checkpoint must hold for the run to resume exactly; nil if nothing.
	state() *tensors.Tensor
	restore(*tensors.Tensor) error
	close()
}

// newInputSource returns the one that the configuration asks for, or nil. ctx ends what takes
// long.
func (t *trainer) newInputSource(ctx context.Context) (inputSource, error) {
	cfg := t.run.Config
	m := innerloop.Model{Backend: t.backend, Store: t.store, Scope: ckpt.NetworkScope, Logits: t.logits}
	if t.sharding != nil {
		m.Mesh = t.sharding.part.Mesh
	}
	switch {
	case cfg.JEM.Enabled():
		s, err := jem.NewSampler(m, cfg.JEM, t.run.Train, cfg.Batch, cfg.Seed)
		if err != nil || t.run.AuxState() != nil { // which has the buffer
			return &sgldSamples{s}, err
		}
		if err := s.Fill(ctx); err != nil {
			s.Close()
			return nil, err
		}
		return &sgldSamples{s}, nil
	case cfg.Margin.Outliers != "":
		b, err := data.NewBatches(t.outliers, cfg.Batch, cfg.Seed, data.Augment{})
		if err != nil {
			return nil, fmt.Errorf("ngebm: margin.outliers is %q: %w", cfg.Margin.Outliers, err)
		}
		return &outliers{b, t.outliers.Shape}, nil
	case cfg.Adversarial.Epsilon > 0:
		return newAdversary(m, cfg.Adversarial, t.run.Train.IsImages(), cfg.Seed)
	}
	return nil, nil
}

// restoreAuxiliary gives the source its state in the checkpoint that was read last.
func (t *trainer) restoreAuxiliary(from ngebm.Checkpoint) error {
	if t.auxiliary == nil || t.run.History.Steps() == 0 && t.run.AuxState() == nil {
		return nil
	}
	if t.run.AuxState() == nil {
		if t.run.Config.JEM.Enabled() {
			return t.cannotResume(from, "it lacks the replay buffer")
		}
		return nil
	}
	if err := t.auxiliary.restore(t.run.AuxState()); err != nil {
		return t.cannotResume(from, err.Error())
	}
	return nil
}

func (t *trainer) cannotResume(from ngebm.Checkpoint, why string) error {
	return fmt.Errorf("ngebm: cannot resume from checkpoint %s: %s; delete it to restart training", filepath.Join(t.run.Dir, string(from)), why)
}

// sgldSamples are JEM's samples of the model.
type sgldSamples struct{ *jem.Sampler }

func (s *sgldSamples) next(id stepID, _ *tensors.Tensor, _ data.Batch) (extraInputs, error) {
	drawn, err := s.Next(id.step, uint64(id.attempt), id.shrink)
	if err != nil {
		return extraInputs{}, err
	}
	return extraInputs{more: drawn.X, labels: drawn.Labels, record: []float32{float32(drawn.Slope)}}, nil
}

func (s *sgldSamples) recorded() []string              { return []string{jem.NameSlope} }
func (s *sgldSamples) state() *tensors.Tensor          { return s.Buffer() }
func (s *sgldSamples) restore(t *tensors.Tensor) error { return s.SetBuffer(t) }
func (s *sgldSamples) close()                          { s.Close() }

// outliers are those of energy-bounded learning.
type outliers struct {
	batches *data.Batches
	shape   []int
}

func (o *outliers) next(id stepID, _ *tensors.Tensor, _ data.Batch) (extraInputs, error) {
	b := o.batches.At(id.step)
	x := tensors.FromFlatDataAndDimensions(b.X, append([]int{len(b.Labels)}, o.shape...)...)
	return extraInputs{more: x, labels: b.Labels}, nil
}

func (o *outliers) recorded() []string            { return nil }
func (o *outliers) state() *tensors.Tensor        { return nil }
func (o *outliers) restore(*tensors.Tensor) error { return nil }
func (o *outliers) close()                        {}
