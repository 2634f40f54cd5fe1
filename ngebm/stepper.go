package ngebm

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm/internal/convgrad"
	"ngebm/ngebm/internal/explain"
)

// Stepper takes training steps outside of a run, all on the first batch of a set: what
// benchmarks time.
type Stepper struct {
	trainer *trainer
	batches []data.Batch // one for each of the steps that are taken at once, the same
	ready   bool         // the step is compiled
}

// NewStepper makes a stepper of the configuration, whose steps are shared by so many of
// the backend's devices (see [Options]), and taken in a loop on the device, so many at
// once, if that is more than 1; 0 leaves that to the library, as in a run. The weights are
// those that a run would start from. The step is compiled when it is first taken.
func NewStepper(backend compute.Backend, cfg Config, train *data.Dataset, devices, atOnce int) (*Stepper, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	net, err := networkFor(cfg, nil)
	if err != nil {
		return nil, err
	}
	batches, err := newBatches(train, cfg, 0)
	if err != nil {
		return nil, err
	}
	r := &Run{Config: cfg, History: &History{}, Train: train}
	store := newStore(cfg)
	if r.Classifier, err = newClassifier(backend, net, store, networkScope, train.Shape, train.Classes, train.Len()); err != nil {
		return nil, err
	}
	t := &trainer{run: r, backend: backend, store: store, total: math.MaxInt, opts: Options{Progress: progress.Discard{}}, atOnce: atOnce}
	t.sharing, err = newSharing(backend, devices, cfg)
	return &Stepper{trainer: t, batches: []data.Batch{batches.At(0)}}, err
}

// Step takes a step, or as many as are taken at once, and returns the loss before the
// last.
func (s *Stepper) Step() (loss float64, err error) {
	if err := s.prepare(); err != nil {
		return 0, err
	}
	h := s.trainer.run.History
	if err := s.trainer.take(s.batches); err != nil {
		return 0, err
	}
	return float64(h.Loss[h.Steps()-1]), nil
}

func (s *Stepper) prepare() error {
	if s.ready {
		return nil
	}
	if err := s.trainer.prepare(); err != nil {
		return err
	}
	s.batches = slices.Repeat(s.batches, s.trainer.atOnce)
	s.ready = true
	return nil
}

// Batch is what every step is taken on: values, shaped [batch, …], and labels.
func (s *Stepper) Batch() (x []float32, labels []int32) { return s.batches[0].X, s.batches[0].Labels }

// Classifier has the weights as the steps leave them.
func (s *Stepper) Classifier() *Classifier { return s.trainer.run.Classifier }

// Close frees what was compiled for the steps.
func (s *Stepper) Close() {
	if s.ready {
		s.trainer.close()
	}
}

// Weights calls do with each of the network's weights and its name: "conv1/weight",
// shaped as package nets says. The tensor is valid during the call.
func (c *Classifier) Weights(do func(name string, value *tensors.Tensor) error) error {
	for name, v := range weightsOf(c.store, c.scope) {
		value, err := v.Value()
		if err != nil {
			return fmt.Errorf("ngebm: weight %s cannot be read: %w", v.Path(), err)
		}
		if err := do(name, value); err != nil {
			return err
		}
	}
	return nil
}

// weightsOf are a network's weights, by their path in its scope.
func weightsOf(store *model.Store, scope string) iter.Seq2[string, *model.Variable] {
	return func(yield func(string, *model.Variable) bool) {
		for v := range store.RootScope().At("%s", scope).IterVariables() {
			if !yield(strings.TrimPrefix(v.Path(), "/"+scope+"/"), v) {
				return
			}
		}
	}
}

// Operations is the number of multiplications and additions of convolutions and matrix
// products that the logits of one example take: those of the network, also where a device
// computes convolutions in fewer. A training step takes 3 times as many for cross-entropy
// and 6 times for NG-EBM.
func (c *Classifier) Operations() (float64, error) {
	g, err := c.forward.Compile(shapes.Make(dtypes.Float32, append([]int{c.batch}, c.Shape...)...))
	if err != nil {
		return 0, fmt.Errorf("ngebm: %w", explain.Error(err))
	}
	total, _ := operations(g.Nodes())
	return total / float64(c.batch), nil
}

// operations counts the multiplications and additions of a graph's convolutions and
// matrix products, and tells whether there are convolutions.
func operations(nodes []*Node) (total float64, convolves bool) {
	for _, node := range nodes {
		if convgrad.IsPart(node) {
			continue
		}
		out := float64(node.Shape().Size())
		switch node.Type() {
		case NodeTypeConvGeneral:
			convolves = true
			kernel := node.Inputs()[1].Shape() // [positions…, in, out]
			total += 2 * out * float64(kernel.Size()/kernel.Dimensions[kernel.Rank()-1])
		case NodeTypeDotGeneral:
			// [m,k]·[k,n] has m·n results: k is what is left of m·k·k·n.
			a, b := float64(node.Inputs()[0].Shape().Size()), float64(node.Inputs()[1].Shape().Size())
			total += 2 * out * math.Sqrt(a*b/out)
		}
	}
	return total, convolves
}
