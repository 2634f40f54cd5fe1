package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm"
)

// Stepper takes training steps outside of a run, all on the first batch of a set: what
// benchmarks time.
type Stepper struct {
	trainer *trainer
	batches []data.Batch // one for each of the steps that are taken at once, the same
	ready   bool         // the step is compiled
}

// NewStepper makes a stepper of the configuration, whose steps are shared by N of
// the backend's devices (see [Options]), and taken in a loop on the device, stepsPerCall
// in each call, if that is more than 1; 0 leaves that to the library, as in a run. The
// weights are those that a run would start from. The step is compiled when it is first
// taken. Outliers, another run's weights and the average of weights are only for runs: a
// configuration with margin.outliers, start or ema is refused.
func NewStepper(backend compute.Backend, cfg ngebm.Config, train *data.Dataset, devices, stepsPerCall int) (*Stepper, error) {
	cfg, net, err := cfg.Resolve(nil)
	if err != nil {
		return nil, err
	}
	for _, s := range []struct {
		name  string
		value any
		given bool
	}{
		{"margin.outliers", fmt.Sprintf("%q", cfg.Margin.Outliers), cfg.Margin.Outliers != ""},
		{"start", fmt.Sprintf("%q", cfg.InitFrom), cfg.InitFrom != ""},
		{"ema", cfg.EMA, cfg.EMA != 0},
	} {
		if s.given {
			return nil, fmt.Errorf("ngebm: %s is %v, which only a run has; leave it out of a stepper's configuration", s.name, s.value)
		}
	}
	if train == nil {
		return nil, errors.New("ngebm: the dataset is nil; open one with data.Open, or make one with data.New")
	}
	batches, err := newBatches(train, cfg, 0)
	if err != nil {
		return nil, err
	}
	c, err := ngebm.NewClassifier(backend, net, cfg.Seed, train.Shape, train.Classes)
	if err != nil {
		return nil, err
	}
	r := &ngebm.Run{Config: cfg, History: &ngebm.History{}, Train: train, Classifier: c}
	t := &trainer{run: r, backend: backend, store: c.Store(), total: math.MaxInt, opts: Options{Progress: progress.Discard{}}, stepsPerCall: stepsPerCall}
	t.sharding, err = newSharding(backend, devices, cfg)
	return &Stepper{trainer: t, batches: []data.Batch{batches.At(0)}}, err
}

// Step takes the steps of one call and returns the loss before the last of them.
func (s *Stepper) Step() (loss float64, err error) {
	if err := s.prepare(); err != nil {
		return 0, err
	}
	h := s.trainer.run.History
	if err := s.trainer.trainSteps(s.batches); err != nil {
		return 0, err
	}
	return float64(h.Loss[h.Steps()-1]), nil
}

func (s *Stepper) prepare() error {
	if s.ready {
		return nil
	}
	if err := s.trainer.prepare(context.Background()); err != nil {
		return err
	}
	s.batches = slices.Repeat(s.batches, s.trainer.stepsPerCall)
	s.ready = true
	return nil
}

// Batch is what every step is taken on: values, shaped [batch, …], and labels.
func (s *Stepper) Batch() (x []float32, labels []int32) { return s.batches[0].X, s.batches[0].Labels }

// Classifier has the weights as the steps leave them.
func (s *Stepper) Classifier() *ngebm.Classifier { return s.trainer.run.Classifier }

// Close frees what was compiled for the steps.
func (s *Stepper) Close() {
	if s.ready {
		s.trainer.close()
	}
}
