package train

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
	"github.com/gomlx/gomlx/support/exceptions"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/ckpt"
	"ngebm/ngebm/internal/devmem"
	"ngebm/ngebm/internal/explain"
	"ngebm/ngebm/nets"
)

// compile builds the training step: the objective's terms, their gradients and
// the optimizer's update, in one executable that keeps weights on the device.
func (t *trainer) compile() error {
	cfg := t.run.Config
	objective := cfg.Objective(t.run.Train.Shape)
	var terms []energy.Term
	step := func(in stepInputs[*Node]) *Node {
		g := in.x.Graph()
		t.store.SetTraining(g, true)
		terms = objective.Terms(energy.Inputs{
			Directions: t.directions(g),
			Logits:     t.logits, X: in.x, Labels: in.labels, Partner: in.mixupPartner, Share: in.mixupLambda,
			Others: in.extra, OtherLabels: in.extraLabels,
		})
		for _, key := range addedLosses {
			if _, found := model.GetGraphParam(g, key); found {
				exceptions.Panicf("the network adds a loss, as regularizers do, which is no part of the loss that is trained here; leave it out")
			}
		}
		if cfg.TrainsEnergy() && nets.NormalizesByBatch(g) {
			exceptions.Panicf("the network has batch normalization, with which an example's energy depends on the other examples of its batch; use nets.GroupNorm, nets.LayerNorm, nets.InstanceNorm or nets.ActNorm, or the method cross-entropy")
		}
		loss := energy.Total(terms, in.ramp)
		scope := t.store.RootScope()
		optimizer.LearningRateVar(scope, in.x.DType(), cfg.LearningRate).SetNodeValue(in.learningRate)
		updateWeights(scope, loss, cfg)
		if in.emaDecay != nil {
			averageWeights(t.store, in.emaDecay)
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
	if t.auxiliary != nil {
		for _, name := range t.auxiliary.recorded() {
			terms = append(terms, energy.Term{Name: name})
		}
	}
	for _, term := range terms {
		t.terms = append(t.terms, energy.Term{Name: term.Name, Weight: term.Weight})
	}
	if err := ckpt.CheckVariables(t.store); err != nil { // the optimizer's, too
		return err
	}
	return t.fitHistory(t.run.LoadedFrom())
}

// addedLosses are where GoMLX's trainer keeps losses that a network adds.
var addedLosses = []string{"/trainer/trainer_main_loss", "/trainer/trainer_regularization_loss"}

// directions draws the unit vectors that the Jacobian's term projects on, from the store's
// random numbers, which a checkpoint keeps; nil where there is no such term.
func (t *trainer) directions(g *Graph) *Node {
	cfg := t.run.Config
	if cfg.Jacobian == 0 {
		return nil
	}
	drawn := t.store.RandomNormal(g, shapes.Make(dtypes.Float32, cfg.Batch, len(t.run.Train.Classes)))
	return Div(drawn, InsertAxes(energy.Norm(drawn), -1))
}

// logits builds the network being trained.
func (t *trainer) logits(x *Node) *Node {
	logits := func(x *Node) *Node {
		return t.run.Classifier.Network.Logits(t.store.RootScope().In("%s", ckpt.NetworkScope), x, len(t.run.Train.Classes))
	}
	if t.run.Config.Precision == ngebm.BFloat16 {
		return inBFloat16(t.store, ckpt.NetworkScope, x, logits)
	}
	return logits(x)
}

// build makes the executable of a step that was described.
func (t *trainer) build(step func(stepInputs[*Node]) *Node) (err error) {
	cfg := t.run.Config
	inputs := inputShapes(cfg, t.run.Train.Shape)
	if t.canLoop() {
		s, err := t.probe(step)
		if err != nil {
			return err
		}
		if t.stepsPerCall == 0 && s.short() {
			t.stepsPerCall = min(maxStepsPerCall, t.batches.StepsPerEpoch())
		}
		if t.stepsPerCall > 1 {
			return t.buildLoop(step, s)
		}
	}
	t.stepsPerCall = 1
	t.step, err = model.NewExec(t.backend, t.store, func(_ *model.Scope, nodes []*Node) *Node { return step(unpack(cfg, nodes)) })
	if err != nil {
		return err
	}
	if t.sharding != nil {
		t.sharding.apply(t.step, cfg)
		inputs = t.sharding.shapes(cfg, inputs)
	}
	_, err = t.step.Compile(inputs...)
	return err
}

// trainSteps takes the next steps, one for each batch, and records them.
func (t *trainer) trainSteps(batches []data.Batch) (err error) {
	h := t.run.History
	first := h.Steps()
	var values, recorded []float32
	if t.stepsPerCall > 1 {
		values, err = t.trainLoop(batches)
	} else {
		values, recorded, err = t.trainStep(batches[0])
	}
	if err != nil {
		return fmt.Errorf("ngebm: step %d: %w", first+1, explain.Error(err))
	}
	for i, size := 0, len(values)/len(batches); i < len(batches); i++ {
		of := values[i*size : (i+1)*size]
		h.Loss = append(h.Loss, of[0])
		h.LearningRate = append(h.LearningRate, t.scalars(first+i).learningRate)
		for k, v := range slices.Concat(of[1:], recorded) {
			h.Values[k] = append(h.Values[k], v)
		}
		if err := t.checkStep(); err != nil {
			return err
		}
	}
	return nil
}

// scalars are the inputs that follow from a step's number, counted from 0, in this attempt.
func (t *trainer) scalars(step int) stepInputs[float32] {
	cfg, perEpoch := t.run.Config, t.run.History.StepsPerEpoch
	rate := learningRate(cfg, step, t.total, perEpoch)
	if !cfg.JEM.Enabled() {
		rate *= t.shrink()
	}
	return stepInputs[float32]{learningRate: float32(rate), ramp: float32(ramp(cfg, step, t.total, perEpoch)), emaDecay: float32(emaDecay(cfg.EMA, step))}
}

// trainStep takes one step and returns the loss and its terms, and what the source of
// auxiliary inputs records.
func (t *trainer) trainStep(batch data.Batch) (values, recorded []float32, err error) {
	cfg, step := t.run.Config, t.run.History.Steps()
	x := tensors.FromFlatDataAndDimensions(batch.X, append([]int{cfg.Batch}, t.run.Train.Shape...)...)
	labels := tensors.FromFlatDataAndDimensions(batch.Labels, cfg.Batch)
	free := []*tensors.Tensor{x, labels}
	defer func() { err = errors.Join(err, devmem.Free(free...)) }()
	scalars := t.scalars(step)
	in := stepInputs[any]{x: x, labels: labels, learningRate: scalars.learningRate, ramp: scalars.ramp, emaDecay: scalars.emaDecay, mixupLambda: batch.Lambda}
	if batch.Partner != nil {
		partner := tensors.FromFlatDataAndDimensions(batch.Partner, cfg.Batch)
		in.mixupPartner, free = partner, append(free, partner)
	}
	var extra extraInputs
	if t.auxiliary != nil {
		if extra, err = t.auxiliary.next(stepID{step, t.attempt(), t.shrink()}, x, batch); err != nil {
			return nil, nil, err
		}
		if extra.x != nil {
			in.x, free = extra.x, append(free, extra.x)
		}
		if extra.more != nil {
			classes := tensors.FromFlatDataAndDimensions(extra.labels, len(extra.labels))
			in.extra, in.extraLabels, free = extra.more, classes, append(free, extra.more, classes)
		}
	}
	began := time.Now()
	out, err := t.execute(pack(cfg, in))
	if err != nil {
		return nil, nil, err
	}
	free = append(free, out)
	values, err = tensors.CopyFlatData[float32](out)
	devmem.AwaitRelease(time.Since(began))
	return values, extra.record, err
}

// execute runs the step's executable and returns the losses.
func (t *trainer) execute(args []any) (*tensors.Tensor, error) {
	if t.sharding != nil {
		return t.sharding.run(t.step, t.run.Config, args)
	}
	out, err := t.step.Exec(args...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}
