package attack

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/data/progress"
)

// Model is what an attack sees of a classifier; *ngebm.Classifier is one.
type Model interface {
	// NewExec returns an executable of the graph that build builds from its
	// inputs and from the model's logits: a function that turns examples shaped
	// [batch, …] into logits shaped [batch, classes], with the model's weights.
	// An example's logits must depend on that example only.
	NewExec(build func(logits func(x *graph.Node) *graph.Node, inputs []*graph.Node) []*graph.Node) (*model.Exec, error)
}

// Attack is one of this package's attacks, with its parameters.
type Attack interface {
	String() string // name and parameters
	kind() Kind
	norm() Norm
	check(classes int) error
	// passes are run one after the other, each on the images that are not
	// broken yet: restarts, target classes, attacks of a sequence.
	passes() []pass
}

// pass searches adversarial examples for the given images.
type pass func(s *search, images []int) error

// builder builds a graph from its inputs and the model's logits.
type builder = func(logits func(x *graph.Node) *graph.Node, in []*graph.Node) []*graph.Node

// Options of an [Attacker].
type Options struct {
	Seed   uint64            // of every random choice
	Batch  int               // examples on the device at once, at most; 0 means 128
	Report progress.Reporter // nil shows nothing
}

const defaultBatch = 128

// Attacker runs attacks on one model, and keeps what it compiled for them. It is
// for one goroutine at a time.
type Attacker struct {
	model   Model
	options Options
	execs   map[string]*model.Exec
}

// New returns an Attacker of a model. Nothing is compiled before it is needed.
func New(m Model, options Options) (*Attacker, error) {
	if m == nil {
		return nil, errors.New("attack: there is no model: pass a trained classifier")
	}
	if options.Batch < 0 {
		return nil, fmt.Errorf("attack: a batch of %d examples is not possible: use 1 or more, or 0 for %d", options.Batch, defaultBatch)
	}
	if options.Batch == 0 {
		options.Batch = defaultBatch
	}
	if options.Report == nil {
		options.Report = progress.Discard{}
	}
	return &Attacker{model: m, options: options, execs: map[string]*model.Exec{}}, nil
}

// Close frees what was compiled. The Attacker can still be used, and compiles
// again.
func (a *Attacker) Close() {
	for _, exec := range a.execs {
		exec.Finalize()
	}
	clear(a.execs)
}

// Run attacks every example of d at every ε (ascending or not; see the package's
// Units) and returns what is left of the accuracy. If ctx ends, so does Run, with
// an error that wraps ctx's.
func (a *Attacker) Run(ctx context.Context, d *data.Dataset, attack Attack, epsilons []float64) (*Curve, error) {
	epsilons, err := checkEpsilons(epsilons)
	if err != nil {
		return nil, err
	}
	if attack == nil {
		return nil, errors.New("attack: there is no attack: use attack.FGSM, PGD, APGD, TargetedAPGD, Square or Ensemble")
	}
	if err := attack.norm().check(); err != nil {
		return nil, err
	}
	s, err := a.newSearch(ctx, d, attack.String())
	if err != nil {
		return nil, err
	}
	return s.run(attack, epsilons)
}

// checkEpsilons returns the list sorted and without repetitions.
func checkEpsilons(epsilons []float64) ([]float64, error) {
	if len(epsilons) == 0 {
		return nil, errors.New("attack: the list of ε is empty: give at least one, such as 8./255")
	}
	for _, e := range epsilons {
		if !(e >= 0 && e <= math.MaxFloat32/4) {
			return nil, fmt.Errorf("attack: ε = %v is not a size: use finite numbers of 0 or more, as fractions of the pixel range, such as 8./255", e)
		}
	}
	epsilons = slices.Clone(epsilons)
	slices.Sort(epsilons)
	return slices.Compact(epsilons), nil
}

// search is one run of an attack over a dataset.
type search struct {
	*Attacker
	ctx     context.Context
	d       *data.Dataset
	task    string
	started time.Time
	batch   int         // examples in every batch, so that one shape is compiled
	logits  [][]float32 // of the unperturbed examples
	broken  []bool
	total   int // images times ε
	// Of the ε at hand.
	ball        ball
	epsilon     float64
	offset      float64 // images times ε done before the pass at hand
	share       float64 // images times ε that the pass at hand is worth
	adversarial map[int][]float32
}

// newSearch evaluates the classifier on the unperturbed examples.
func (a *Attacker) newSearch(ctx context.Context, d *data.Dataset, task string) (*search, error) {
	if d == nil || d.Len() == 0 {
		return nil, errors.New("attack: the dataset is empty: give at least one example")
	}
	n, values := d.Len(), len(d.Pixels)
	if !d.IsImages() {
		values = len(d.Points)
	}
	if values != n*d.Size() {
		return nil, fmt.Errorf("attack: %s has %d values, but %d labels of examples shaped %v need %d: build it with data.New", d.Name, values, n, d.Shape, n*d.Size())
	}
	batches := (n + a.options.Batch - 1) / a.options.Batch
	s := &search{
		Attacker: a, ctx: ctx, d: d, task: fmt.Sprintf("attack %s with %s", d.Name, task), started: time.Now(),
		batch: (n + batches - 1) / batches, broken: make([]bool, n), adversarial: map[int][]float32{},
	}
	x := make([]float32, s.batch*d.Size())
	for start := 0; start < n; start += s.batch {
		count := min(s.batch, n-start)
		clear(x)
		for k := range count {
			d.Example(start+k, x[k*d.Size():(k+1)*d.Size()])
		}
		rows, err := s.forward(x, count)
		if err != nil {
			return nil, err
		}
		s.logits = append(s.logits, rows...)
	}
	classes := len(s.logits[0])
	for i, label := range d.Labels {
		if label < 0 || int(label) >= classes {
			return nil, fmt.Errorf("attack: example %d of %s has label %d, but the classifier's labels go from 0 to %d: use the classes it was trained on", i, d.Name, label, classes-1)
		}
		if row := s.logits[i]; !finite(row) {
			return nil, fmt.Errorf("attack: the classifier gives example %d of %s the logits %v, which are not finite: its training may have diverged, or its weights are damaged", i, d.Name, row)
		}
		s.broken[i] = argMax(s.logits[i]) != int(label)
	}
	return s, nil
}

func (s *search) run(attack Attack, epsilons []float64) (*Curve, error) {
	if err := attack.check(len(s.logits[0])); err != nil {
		return nil, err
	}
	d, n := s.d, s.d.Len()
	c := &Curve{
		Attack: attack.String(), Kind: attack.kind(), Norm: attack.norm(), Seed: s.options.Seed, Dataset: d.Name, Split: d.Split, Checksum: d.Checksum,
		N: n, Broken: make([]int, n), adversarial: s.adversarial,
	}
	for i := range c.Broken {
		c.Broken[i] = len(epsilons)
		if s.broken[i] {
			c.Broken[i] = -1
		}
	}
	s.total = n * len(epsilons)
	for j, epsilon := range epsilons {
		s.epsilon, s.ball = epsilon, newBall(d, attack.norm(), epsilon)
		before := slices.Clone(s.broken)
		passes := attack.passes()
		for p, pass := range passes {
			s.share = float64(n) / float64(len(passes))
			s.offset = float64(j*n) + float64(p)*s.share
			if images := s.surviving(); len(images) > 0 && s.ball.radius > 0 {
				if err := pass(s, images); err != nil {
					return nil, err
				}
			}
		}
		for i := range before {
			if s.broken[i] && !before[i] {
				c.Broken[i] = j
			}
		}
	}
	s.report(1, true)
	c.count(epsilons)
	return c, nil
}

// surviving lists the images that are not broken yet.
func (s *search) surviving() []int {
	var images []int
	for i, broken := range s.broken {
		if !broken {
			images = append(images, i)
		}
	}
	return images
}

// tell reports that a part of the pass, from 0 to 1, is done, and returns an
// error if the search is to stop.
func (s *search) tell(part float64) error {
	if err := s.ctx.Err(); err != nil {
		return fmt.Errorf("%s: stopped at ε = %v: %w", s.task, s.epsilon, err)
	}
	s.report(part, false)
	return nil
}

func (s *search) report(part float64, finished bool) {
	done := int64(s.offset + part*s.share)
	if finished {
		done = int64(s.total) // rounding may have lost one
	}
	s.options.Report.Report(progress.Report{
		Task: s.task, Unit: "images", Finished: finished,
		Done: done, Total: int64(s.total), Elapsed: time.Since(s.started),
		Terms: []progress.Term{{Name: "ε", Value: s.epsilon}, {Name: "robust accuracy", Value: float64(len(s.surviving())) / float64(s.d.Len())}},
	})
}

// forward returns the logits of the first count examples of a batch.
func (s *search) forward(x []float32, count int) ([][]float32, error) {
	in := s.upload(x)
	defer free(in)
	out, err := s.call("forward", func(logits func(*graph.Node) *graph.Node, in []*graph.Node) []*graph.Node {
		return []*graph.Node{logits(in[0])}
	}, in)
	if err != nil {
		return nil, err
	}
	defer free(out...)
	flat, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		return nil, err
	}
	rows, classes := make([][]float32, count), len(flat)/s.batch
	for k := range rows {
		rows[k] = flat[k*classes : (k+1)*classes]
	}
	return rows, nil
}

// call runs a graph, which is built once for each name.
func (s *search) call(name string, build builder, in ...*tensors.Tensor) ([]*tensors.Tensor, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: stopped: %w", s.task, err)
	}
	exec, ok := s.execs[name]
	if !ok {
		var err error
		exec, err = s.model.NewExec(func(logits func(*graph.Node) *graph.Node, in []*graph.Node) []*graph.Node {
			return build(func(x *graph.Node) *graph.Node {
				f := logits(x)
				if f.Rank() != 2 || f.Shape().Dimensions[0] != x.Shape().Dimensions[0] {
					panic(fmt.Errorf("its logits are shaped %s for a batch of %d, want [batch, classes]", f.Shape(), x.Shape().Dimensions[0]))
				}
				return graph.ConvertDType(f, dtypes.Float32)
			}, in)
		})
		if err != nil {
			return nil, s.fault(err)
		}
		s.execs[name] = exec
	}
	args := make([]any, len(in))
	for i, t := range in {
		args[i] = t
	}
	out, err := exec.Exec(args...)
	if err != nil {
		return nil, s.fault(err)
	}
	return out, nil
}

// fault makes one line of GoMLX's errors, which carry stacks of calls.
func (s *search) fault(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Errorf("%s: the classifier cannot take examples of shape %v (use a dataset of the shape it was trained on): %s", s.task, s.d.Shape, line)
}

// upload makes a tensor of one batch of examples.
func (s *search) upload(x []float32) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(x, append([]int{s.batch}, s.d.Shape...)...)
}

// free releases tensors here and on the device at once: the garbage collector
// does not see the device's memory. There is nothing to do about an error.
func free(ts ...*tensors.Tensor) {
	for _, t := range ts {
		_ = t.FinalizeAll()
	}
}

func finite(values []float32) bool {
	for _, v := range values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return false
		}
	}
	return true
}

// argMax returns the index of the largest value, the first of equals.
func argMax(row []float32) int {
	best := 0
	for k, f := range row {
		if f > row[best] {
			best = k
		}
	}
	return best
}
