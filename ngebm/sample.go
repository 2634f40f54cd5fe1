package ngebm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm/internal/devmem"
	"ngebm/ngebm/internal/innerloop"
	"ngebm/ngebm/jem"
)

// Sampling says how [Classifier.Sample] draws examples from a classifier's p(x) by
// SGLD (see package jem). The samples are a function of it and the weights.
type Sampling struct {
	Count int // chains, each of which gives one sample
	// Steps is the length of a chain. Every keeps what the chains are at that many
	// steps and its multiples too; 0 keeps the start and the end.
	Steps, Every int
	Step         float64 // size of a step; 0 is the paper's 1
	Noise        float64 // standard deviation of its noise; 0 is the paper's .01
	Start        string  // where chains begin, as jem.Settings.Start
	// Conditional draws as many samples of each class as of the others, in turn, from
	// p(x|y).
	Conditional bool
	Seed        uint64
	Progress    progress.Reporter // nil shows nothing
}

// Samples are SGLD chains at some of their steps.
type Samples struct {
	Shape  []int       // of one sample
	Labels []int32     // the class that each chain followed; 0 if it followed none
	Steps  []int       // of what is kept, in increasing order, the first of them 0
	X      [][]float32 // at each of them: the samples in the network's units, one after the other
	Energy [][]float64 // at each of them: E of each sample

	like data.Dataset // what to call the samples as a set, without examples
}

// maxNoise bounds the numbers of noise that are drawn at once: 1 GiB.
const maxNoise = 1 << 28

// Sample draws from the classifier's p(x). train is the set that it was trained on, or
// one like it: it gives the starts of the chains. If the classifier is closed meanwhile, the error
// wraps [ErrClosed].
func (c *Classifier) Sample(ctx context.Context, train *data.Dataset, o Sampling) (*Samples, error) {
	if train == nil {
		return nil, errors.New("ngebm: no dataset is given to start chains from: a loaded run comes without its data; train its configuration again (it will be loaded), or open the set")
	}
	if err := c.Fits(train); err != nil {
		return nil, err
	}
	settings := jem.Settings{Weight: 1, Conditional: o.Conditional, Step: o.Step, Noise: o.Noise, Start: o.Start}.WithDefaults()
	if err := settings.Validate(); err != nil {
		return nil, fmt.Errorf("ngebm: sampling: %w", err)
	}
	if o.Count < 1 || o.Steps < 1 || o.Every < 0 {
		return nil, fmt.Errorf("ngebm: %d samples of chains of %d steps, kept every %d: give 1 or more of the first two, and 0 or more of the last", o.Count, o.Steps, o.Every)
	}
	if o.Every == 0 || o.Every > o.Steps {
		o.Every = o.Steps
	}
	if o.Steps%o.Every != 0 {
		return nil, fmt.Errorf("ngebm: chains of %d steps cannot be kept every %d; give a multiple", o.Steps, o.Every)
	}
	if settings.Start == "data" && len(train.Classes) != len(c.Classes) {
		return nil, fmt.Errorf("ngebm: chains cannot start from %s, which has %d classes, while this classifier has %d: give a set of the same classes", train.Name, len(train.Classes), len(c.Classes))
	}
	if most := maxNoise / train.Size(); o.Count > most {
		return nil, fmt.Errorf("ngebm: the noise of one step of %d chains does not fit into memory: draw %d samples at a time at most (Sampling.Count)", o.Count, most)
	}
	if most := maxNoise / train.Size() / o.Count; o.Every > most {
		return nil, fmt.Errorf("ngebm: the noise of %d steps of %d chains does not fit into memory: keep samples more often, every %d steps at most (Sampling.Every)", o.Every, o.Count, most)
	}
	if o.Progress == nil {
		o.Progress = progress.Discard{}
	}
	if err := c.calls.begin(); err != nil {
		return nil, err
	}
	defer c.calls.end()
	model := innerloop.Model{Backend: c.backend, Store: c.store, Scope: c.scope, Logits: c.logits}
	chain, err := jem.NewChain(model, o.Every, o.Conditional)
	if err != nil {
		return nil, err
	}
	defer chain.Close()

	s := &Samples{Shape: slices.Clone(c.Shape), Labels: make([]int32, o.Count), like: data.Dataset{Info: train.Info, Shape: train.Shape, MaxPixel: train.MaxPixel}}
	size := train.Size()
	start := make([]float32, o.Count*size)
	starter, rng := jem.NewStarter(train, settings.Start), rand.New(rand.NewPCG(o.Seed, 1))
	for i := range o.Count {
		class := i % len(c.Classes)
		if o.Conditional {
			s.Labels[i] = int32(class)
		}
		starter.Draw(rng, class, start[i*size:(i+1)*size])
	}
	began, dims := time.Now(), append([]int{o.Count}, c.Shape...)
	for step := 0; ; {
		if err := s.keep(ctx, c, step, start); err != nil {
			return nil, err
		}
		o.Progress.Report(progress.Report{Task: "sample", Unit: "SGLD steps", Done: int64(step), Total: int64(o.Steps), Elapsed: time.Since(began), Finished: step >= o.Steps})
		if step >= o.Steps {
			return s, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		noise := make([]float32, o.Every*len(start))
		for i := range noise {
			noise[i] = float32(rng.NormFloat64())
		}
		x := tensors.FromFlatDataAndDimensions(start, dims...)
		end, slopes, err := chain.Run(x, settings.Step, settings.Noise, noise, s.Labels)
		if err != nil {
			return nil, err
		}
		start, err = tensors.CopyFlatData[float32](end)
		if err := errors.Join(err, devmem.Free(x, end, slopes)); err != nil {
			return nil, err
		}
		step += o.Every
	}
}

// keep notes the samples at a step, and their energies.
func (s *Samples) keep(ctx context.Context, c *Classifier, step int, x []float32) error {
	if i := slices.IndexFunc(x, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }); i >= 0 {
		return fmt.Errorf("ngebm: sampling broke out: a value of sample %d is %v after %d steps; lower the step size", i*len(s.Labels)/len(x), x[i], step)
	}
	f, err := c.LogitsAt(ctx, x)
	if err != nil {
		return err
	}
	s.Steps, s.X, s.Energy = append(s.Steps, step), append(s.X, x), append(s.Energy, energiesOf(f))
	return nil
}

// At returns the samples at Steps[k] as a set: points as they are, images with values
// rounded to those of pixels, and clipped to their range.
func (s *Samples) At(k int) (*data.Dataset, error) {
	d := s.like
	d.Name, d.Split, d.Source, d.Lossy = "samples for "+d.Name, fmt.Sprintf("after %d SGLD steps", s.Steps[k]), "drawn from a classifier", false
	d.Labels = slices.Clone(s.Labels)
	if len(s.Shape) == 1 {
		d.Points = slices.Clone(s.X[k])
		return data.New(d)
	}
	d.Pixels = make([]uint8, len(s.X[k]))
	for i, v := range s.X[k] {
		p := (float64(v) + 1) / 2 * float64(d.MaxPixel)
		d.Pixels[i] = uint8(math.Round(min(max(p, 0), float64(d.MaxPixel))))
	}
	return data.New(d)
}

// ReplayBuffer returns the samples that a JEM run keeps in its replay buffer as they
// were at its last checkpoint: the longest chains there are. Other runs have no chains.
func (r *Run) ReplayBuffer(ctx context.Context) (*Samples, error) {
	if r.auxState == nil {
		return nil, fmt.Errorf("ngebm: %s has no replay buffer: it was not trained with jem.weight", r.Dir)
	}
	values, err := tensors.CopyFlatData[float32](r.auxState)
	if err != nil {
		return nil, fmt.Errorf("ngebm: the replay buffer: %w", err)
	}
	s := &Samples{Shape: slices.Clone(r.Classifier.Shape), Labels: make([]int32, r.Config.JEM.Buffer), like: data.Dataset{Shape: r.Classifier.Shape, MaxPixel: 255}}
	if r.Train != nil {
		s.like.Info, s.like.MaxPixel = r.Train.Info, r.Train.MaxPixel
	} else {
		s.like.Classes = r.Classifier.Classes
	}
	if r.Config.JEM.Conditional {
		for i := range s.Labels {
			s.Labels[i] = int32(i * len(s.like.Classes) / len(s.Labels))
		}
	}
	return s, s.keep(ctx, r.Classifier, r.History.Steps(), values)
}

// Refined is a classifier that moves its inputs by SGLD before it classifies them. It
// is a model that attacks can take (attack.Model), and their gradients go through the
// refinement; see [jem.Refinement] for what to beware of.
type Refined struct {
	Refinement jem.Refinement

	classifier *Classifier
	forward    *model.Exec
}

// Refine returns the classifier with a refinement before it. Nothing is compiled
// before it is needed.
func (c *Classifier) Refine(r jem.Refinement) (*Refined, error) {
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("ngebm: %w", err)
	}
	refined := &Refined{Refinement: r, classifier: c}
	var err error
	refined.forward, err = refined.NewExec(func(logits func(*Node) *Node, in []*Node) []*Node {
		return []*Node{logits(in[0])}
	})
	return refined, err
}

// NewExec is [Classifier.NewExec] with the refined logits.
func (r *Refined) NewExec(build func(logits func(x *Node) *Node, inputs []*Node) []*Node) (*model.Exec, error) {
	return r.classifier.NewExec(func(logits func(*Node) *Node, in []*Node) []*Node {
		return build(func(x *Node) *Node { return r.Refinement.Logits(logits, x) }, in)
	})
}

// Logits returns the refined logits, [examples][classes].
func (r *Refined) Logits(ctx context.Context, d *data.Dataset) ([][]float64, error) {
	out, err := r.classifier.Apply(ctx, r.forward, d, nil)
	if err != nil {
		return nil, err
	}
	return slices.Collect(slices.Chunk(out[0], len(r.classifier.Classes))), nil
}

// Close frees what was compiled.
func (r *Refined) Close() { r.forward.Finalize() }
