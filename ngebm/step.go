package ngebm

import (
	"errors"
	"fmt"
	"slices"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
	"github.com/gomlx/gomlx/support/exceptions"

	"ngebm/data"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/explain"
)

// addedLosses are where GoMLX's trainer keeps losses that a network adds.
var addedLosses = []string{"/trainer/trainer_main_loss", "/trainer/trainer_regularization_loss"}

// compile builds the training step: the objective's terms, their gradients and
// Adam's update, in one executable that keeps weights on the device.
func (t *trainer) compile() error {
	cfg := t.run.Config
	objective := cfg.Objective(t.run.Train.Shape)
	adam := optimizer.Adam().Betas(.9, .999).Epsilon(1e-8).Done()
	var terms []energy.Term
	step := func(in inputs[*Node]) *Node {
		g := in.x.Graph()
		t.store.SetTraining(g, true)
		terms = objective.Terms(energy.Inputs{
			Logits: t.logits, X: in.x, Labels: in.labels, Partner: in.partner, Share: in.share,
			Others: in.others, OtherLabels: in.otherLabels,
		})
		for _, key := range addedLosses {
			if _, found := model.GetGraphParam(g, key); found {
				exceptions.Panicf("the network adds a loss, as regularizers do, which is no part of the loss that is trained here; leave it out")
			}
		}
		loss := energy.Total(terms, in.ramp)
		scope := t.store.RootScope()
		optimizer.LearningRateVar(scope, in.x.DType(), cfg.LearningRate).SetNodeValue(in.rate)
		adam.UpdateGraph(scope, g, loss)
		if in.decay != nil {
			averageWeights(t.store, in.decay)
		}
		values := []*Node{loss}
		for _, term := range terms {
			values = append(values, term.Value)
		}
		return Stack(values, 0)
	}
	t.report(false)
	if err := t.build(step); err != nil {
		return fmt.Errorf("ngebm: cannot build the training step of %s: %w", cfg.Net, explain.Error(err))
	}
	if t.run.History.Steps() == 0 {
		t.nameTerms(terms)
	}
	return nil
}

// build makes the executable of a step that was described.
func (t *trainer) build(step func(inputs[*Node]) *Node) (err error) {
	cfg := t.run.Config
	shapes := shapesOf(cfg, t.run.Train.Shape)
	if t.loops() {
		s, err := t.survey(step)
		if err != nil {
			return err
		}
		if t.atOnce == 0 && s.short() {
			t.atOnce = min(stepsAtOnce, t.batches.StepsPerEpoch())
		}
		if t.atOnce > 1 {
			return t.buildLoop(step, s)
		}
	}
	t.atOnce = 1
	t.step, err = model.NewExec(t.backend, t.store, func(_ *model.Scope, nodes []*Node) *Node { return step(named(cfg, nodes)) })
	if err != nil {
		return err
	}
	if t.sharing != nil {
		t.sharing.apply(t.step, cfg)
		shapes = t.sharing.shapes(cfg, shapes)
	}
	_, err = t.step.Compile(shapes...)
	return err
}

// take takes the next steps, one for each batch, and records them.
func (t *trainer) take(batches []data.Batch) (err error) {
	h := t.run.History
	first := h.Steps()
	var values, watched []float32
	if t.atOnce > 1 {
		values, err = t.several(batches)
	} else {
		values, watched, err = t.one(batches[0])
	}
	if err != nil {
		return fmt.Errorf("ngebm: step %d: %w", first+1, explain.Error(err))
	}
	for i, size := 0, len(values)/len(batches); i < len(batches); i++ {
		of := values[i*size : (i+1)*size]
		h.Loss = append(h.Loss, of[0])
		h.LearningRate = append(h.LearningRate, t.numbers(first+i).rate)
		for k, v := range slices.Concat(of[1:], watched) {
			h.Values[k] = append(h.Values[k], v)
		}
		if err := t.checkStep(); err != nil {
			return err
		}
	}
	return nil
}

// numbers are those of a step's inputs that follow from its number, counted from 0, in
// this attempt.
func (t *trainer) numbers(step int) inputs[float32] {
	cfg, perEpoch := t.run.Config, t.run.History.StepsPerEpoch
	rate := cfg.rate(step, t.total, perEpoch)
	if !cfg.JEM.Enabled() {
		rate *= t.shrink()
	}
	return inputs[float32]{rate: float32(rate), ramp: float32(cfg.ramp(step, t.total, perEpoch)), decay: float32(emaDecay(cfg.EMA, step))}
}

// one takes one step and returns the loss and its terms, and what the companion
// watched.
func (t *trainer) one(batch data.Batch) (values, watched []float32, err error) {
	cfg, step := t.run.Config, t.run.History.Steps()
	x := tensors.FromFlatDataAndDimensions(batch.X, append([]int{cfg.Batch}, t.run.Train.Shape...)...)
	labels := tensors.FromFlatDataAndDimensions(batch.Labels, cfg.Batch)
	free := []*tensors.Tensor{x, labels}
	defer func() { err = errors.Join(err, release(free...)) }()
	numbers := t.numbers(step)
	in := inputs[any]{x: x, labels: labels, rate: numbers.rate, ramp: numbers.ramp, decay: numbers.decay, share: batch.Lambda}
	if batch.Partner != nil {
		partner := tensors.FromFlatDataAndDimensions(batch.Partner, cfg.Batch)
		in.partner, free = partner, append(free, partner)
	}
	var extra beside
	if t.companion != nil {
		if extra, err = t.companion.next(moment{step, t.attempt(), t.shrink()}, x, batch); err != nil {
			return nil, nil, err
		}
		if extra.x != nil {
			in.x, free = extra.x, append(free, extra.x)
		}
		if extra.others != nil {
			classes := tensors.FromFlatDataAndDimensions(extra.labels, len(extra.labels))
			in.others, in.otherLabels, free = extra.others, classes, append(free, extra.others, classes)
		}
	}
	began := time.Now()
	out, err := t.execute(list(cfg, in))
	if err != nil {
		return nil, nil, err
	}
	free = append(free, out)
	values, err = tensors.CopyFlatData[float32](out)
	// XLA's thread on the CPU hands over the results and only then frees the step's other
	// tensors. Were the next step begun before, both steps' would be in memory at once.
	time.Sleep(time.Since(began) / 1000)
	return values, extra.watch, err
}

// execute runs the step's executable and returns the losses.
func (t *trainer) execute(args []any) (*tensors.Tensor, error) {
	if t.sharing != nil {
		return t.sharing.run(t.step, t.run.Config, args)
	}
	out, err := t.step.Exec(args...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}
