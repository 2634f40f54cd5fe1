package attack

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm/internal/lp"
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
	// passes run in order, each on the images that are not broken yet: restarts, target
	// classes, attacks of an ensemble.
	passes() []pass
}

// pass searches adversarial examples for the given images. cost is its work for one image,
// in evaluations of the network, for progress.
type pass struct {
	cost   float64
	always bool // also runs if no image is left
	run    func(s *search, images []int) error
}

// builder builds a graph from its inputs and the model's logits.
type builder = func(logits func(x *graph.Node) *graph.Node, in []*graph.Node) []*graph.Node

// Options of an [Attacker].
type Options struct {
	Seed   uint64            // of every random choice
	Batch  int               // examples on the device at once, at most; 0 means 128
	Report progress.Reporter // nil shows nothing
}

const defaultBatch = 128

// Attacker runs attacks on one model and caches the compiled graphs. It is not safe for
// concurrent use.
type Attacker struct {
	model   Model
	options Options
	execs   map[string]*model.Exec
}

// New returns an Attacker of a model. Nothing is compiled before it is needed.
func New(m Model, options Options) (*Attacker, error) {
	if m == nil {
		return nil, errors.New("attack: the model is nil: pass a trained classifier")
	}
	if options.Batch < 0 {
		return nil, fmt.Errorf("attack: Batch is %d: use 1 or more, or 0 for %d", options.Batch, defaultBatch)
	}
	if options.Batch == 0 {
		options.Batch = defaultBatch
	}
	if options.Report == nil {
		options.Report = progress.Discard{}
	}
	return &Attacker{model: m, options: options, execs: map[string]*model.Exec{}}, nil
}

// Close frees the compiled graphs. The Attacker can still be used and recompiles.
func (a *Attacker) Close() {
	for _, exec := range a.execs {
		exec.Finalize()
	}
	clear(a.execs)
}

// Run attacks every example of d at every ε (ascending or not; see the package's
// Units) and returns the robust accuracy at each. If ctx ends, Run returns an error that
// wraps ctx's.
func (a *Attacker) Run(ctx context.Context, d *data.Dataset, attack Attack, epsilons []float64) (*Curve, error) {
	return a.Resume(ctx, d, attack, epsilons, nil, nil)
}

// Check returns the error that [Attacker.Run] would end with, of any set of a classifier with that
// many classes, because of the attack or of its list of ε.
func Check(attack Attack, epsilons []float64, classes int) error {
	if _, err := checkPlan(attack, epsilons); err != nil {
		return err
	}
	return attack.check(classes)
}

// checkPlan is what Check finds without the classes. It returns the list sorted and without
// repetitions.
func checkPlan(attack Attack, epsilons []float64) ([]float64, error) {
	epsilons, err := checkEpsilons(epsilons)
	if err != nil {
		return nil, err
	}
	if attack == nil {
		return nil, errors.New("attack: the attack is nil: use attack.FGSM, PGD, APGD, TargetedAPGD, TargetedFAB, Square, Ensemble or Standard")
	}
	return epsilons, checkNorm(attack.norm())
}

// checkEpsilons returns the list sorted and without repetitions.
func checkEpsilons(epsilons []float64) ([]float64, error) {
	if len(epsilons) == 0 {
		return nil, errors.New("attack: the list of ε is empty: give at least one, such as 8./255")
	}
	for _, e := range epsilons {
		if !(e >= 0 && e <= math.MaxFloat32/4) {
			return nil, fmt.Errorf("attack: ε = %v is invalid: use finite numbers of 0 or more, as fractions of the pixel range, such as 8./255", e)
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
	whole   int         // examples in a full batch
	batch   int         // examples in the current one
	logits  [][]float32 // of the unperturbed examples
	broken  []bool
	total   int // images times ε
	first   int // of these, done before this search began
	State
	keep func(*State) // is given the State now and then, unless nil
	kept time.Time
	// For the current ε.
	threat      lp.ThreatModel
	epsilon     float64
	offset      float64 // images times ε done before the current pass, or before what is left of it
	share       float64 // images times ε that it counts for
	cost        float64 // of the current pass, for one image
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
	whole := (n + batches - 1) / batches
	s := &search{
		Attacker: a, ctx: ctx, d: d, task: fmt.Sprintf("attack %s with %s", d.Name, task), started: time.Now(),
		whole: whole, batch: whole, broken: make([]bool, n), adversarial: map[int][]float32{},
	}
	x := make([]float32, s.batch*d.Size())
	for start := 0; start < n; start += s.batch {
		count := min(s.batch, n-start)
		clear(x)
		for k := range count {
			d.Example(start+k, s.at(x, k))
			if d.IsImages() && (slices.Min(s.at(x, k)) < -1 || slices.Max(s.at(x, k)) > 1) {
				return nil, fmt.Errorf("attack: example %d of %s has values outside of [-1,1], the range of pixels, in which an attack has to stay: attack the set without noise", start+k, d.Name)
			}
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

// run makes the attack, from where a State that is not nil says.
func (s *search) run(attack Attack, epsilons []float64, from *State) (*Curve, error) {
	if err := attack.check(len(s.logits[0])); err != nil {
		return nil, err
	}
	if err := s.begin(attack, len(epsilons), from); err != nil {
		return nil, err
	}
	d, n := s.d, s.d.Len()
	s.total = n * len(epsilons)
	for s.Epsilons < len(epsilons) {
		s.epsilon = epsilons[s.Epsilons]
		s.threat = newThreatModel(d, attack.norm(), s.epsilon)
		passes := attack.passes()
		cost, done := 0., 0.
		for k, pass := range passes {
			cost += pass.cost
			if k < s.Passes {
				done += pass.cost
			}
		}
		for s.Passes < len(passes) {
			pass := passes[s.Passes]
			images := s.left()
			tried := float64(len(s.Tried)) / float64(max(1, len(s.Tried)+len(images)))
			s.share, s.cost = float64(n)*pass.cost/cost*(1-tried), pass.cost
			s.offset = float64(n) * (float64(s.Epsilons) + (done+tried*pass.cost)/cost)
			if from != nil {
				s.first, from = int(s.offset), nil
			}
			if (len(images) > 0 || len(s.Tried) > 0 || pass.always) && s.threat.Radius > 0 {
				s.batch = s.whole
				if err := pass.run(s, images); err != nil {
					s.save()
					return nil, err
				}
			}
			done += pass.cost
			s.Passes, s.Tried, s.Found = s.Passes+1, nil, 0
		}
		s.Epsilons, s.Passes, s.ZeroGradients = s.Epsilons+1, 0, 0
	}
	if from != nil {
		s.first = s.total // it was done
	}
	if time.Since(s.started) >= time.Second {
		s.save()
	}
	s.report(1, true)
	c := &Curve{
		Attack: attack.String(), Kind: attack.kind(), Norm: attack.norm(), Seed: s.options.Seed, Dataset: d.Name, Split: d.Split, Checksum: d.Checksum,
		N: n, Broken: s.Broken, Warnings: s.Warnings, adversarial: s.adversarial,
	}
	c.count(epsilons)
	return c, nil
}

// fitting returns the size of the next batch of a pass with that cost, where these many images are
// left: a full batch, or a power of two below it, since what a network computes for empty slots is
// lost. Each size is compiled once, which takes as long as to evaluate some 1,500 images (WRN-10-2
// and its gradient at 32×32×3, XLA on two AMD Zen 4 cores), so that short attacks keep to full
// batches.
func fitting(whole, images int, cost float64) int {
	const smallest, compilation = 8, 1500
	if float64(whole-images)*cost < compilation {
		return whole
	}
	size := smallest
	for size < images {
		size *= 2
	}
	if half := size / 2; half > smallest && 4*images <= 3*min(size, whole) {
		size = half // and the rest in a smaller one
	}
	return min(size, whole)
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

// progress reports that a part of the pass, from 0 to 1, is done, and returns an
// error if the search is to stop.
func (s *search) progress(part float64) error {
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
		Done: done, Start: int64(s.first), Total: int64(s.total), Elapsed: time.Since(s.started),
		Terms: []progress.Term{{Name: "ε", Value: s.epsilon}, {Name: "robust accuracy", Value: float64(len(s.surviving())) / float64(s.d.Len())}},
	})
}
