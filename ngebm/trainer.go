package ngebm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"ngebm/data"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/progress"
)

// trainer takes a run from the step it is at to its end.
type trainer struct {
	run     *Run
	backend compute.Backend
	store   *model.Store
	batches *data.Batches
	total   int // steps
	opts    Options

	step      *model.Exec // one step: inputs to (loss, terms…)
	sharing   *sharing    // nil where one device takes a step
	companion companion   // nil where a step needs nothing beside its batch

	began     time.Time     // of this process
	process   float64       // processor time of this process at its beginning, in seconds
	prepared  time.Duration // since then, when the first step was done
	spent     Cost          // by processes before
	waited    time.Duration // for batches, by this process
	first     int           // steps done before this process
	lastSave  time.Time     // when the last checkpoint was begun
	saveTook  time.Duration // how long it took
	evaluated float64       // accuracy on the validation set when it was last evaluated, or NaN
}

// logits builds the network being trained.
func (t *trainer) logits(x *Node) *Node {
	logits := func(x *Node) *Node {
		return logitsOf(t.run.Classifier.Network, t.store, networkScope, x, len(t.run.Train.Classes))
	}
	if t.run.Config.Precision == bfloat16 {
		return inBFloat16(t.store, networkScope, x, logits)
	}
	return logits(x)
}

// prepare makes ready for the first step: what goes on beside it, and its executable.
func (t *trainer) prepare() (err error) {
	t.evaluated = math.NaN()
	if t.batches, err = newBatches(t.run.Train, t.run.Config, t.attempt()); err != nil {
		return err
	}
	if t.companion, err = t.newCompanion(); err != nil {
		return err
	}
	if err := t.restoreCompanion(t.run.file); err != nil {
		return err
	}
	return t.compile()
}

func (t *trainer) close() {
	if t.companion != nil {
		t.companion.close()
	}
	t.step.Finalize()
}

// compile builds the training step: the objective's terms, their gradients and
// Adam's update, in one executable that keeps weights on the device.
func (t *trainer) compile() error {
	cfg := t.run.Config
	objective := cfg.Objective(t.run.Train.Shape)
	adam := optimizer.Adam().Betas(.9, .999).Epsilon(1e-8).Done()
	var terms []energy.Term
	var err error
	t.step, err = model.NewExec(t.backend, t.store, func(scope *model.Scope, nodes []*Node) *Node {
		in := named(cfg, nodes)
		g := in.x.Graph()
		t.store.SetTraining(g, true)
		terms = objective.Terms(energy.Inputs{
			Logits: t.logits, X: in.x, Labels: in.labels, Partner: in.partner, Share: in.share,
			Others: in.others, OtherLabels: in.otherLabels,
		})
		loss := energy.Total(terms, in.ramp)
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
	})
	if err != nil {
		return err
	}
	t.report(false)
	shapes := shapesOf(cfg, t.run.Train.Shape)
	if t.sharing != nil {
		t.sharing.apply(t.step, cfg)
		shapes = t.sharing.shapes(cfg, shapes)
	}
	if _, err = t.step.Compile(shapes...); err != nil {
		return fmt.Errorf("ngebm: cannot build the training step of %s: %s", cfg.Net, firstLine(err))
	}
	if t.run.History.Steps() == 0 {
		t.nameTerms(terms)
	}
	return nil
}

// nameTerms gives a history that begins its curves.
func (t *trainer) nameTerms(terms []energy.Term) {
	h := t.run.History
	h.StepsPerEpoch = t.batches.StepsPerEpoch()
	if t.companion != nil {
		for _, name := range t.companion.watched() {
			terms = append(terms, energy.Term{Name: name})
		}
	}
	h.Terms, h.Weights, h.Values = nil, nil, nil
	for _, term := range terms {
		h.Terms = append(h.Terms, term.Name)
		h.Weights = append(h.Weights, term.Weight)
		h.Values = append(h.Values, nil)
	}
}

// loop is training.
func (t *trainer) loop(ctx context.Context) error {
	h := t.run.History
	t.lastSave = time.Now()
	err := t.toTheEnd(ctx)
	for errors.Is(err, ErrDiverged) && t.attempt() < t.run.Config.Recover.Times {
		if err = t.setBack(); err == nil {
			err = t.toTheEnd(ctx)
		}
	}
	switch {
	case ctx.Err() != nil:
		if err := t.save(); err != nil {
			return err
		}
		t.report(true)
		return fmt.Errorf("ngebm: %w at step %d of %d and saved in %s; train the same configuration to go on", ErrStopped, h.Steps(), t.total, t.run.Dir)
	case errors.Is(err, ErrDiverged):
		t.report(true)
		return errors.Join(err, t.backToCheckpoint())
	case err != nil:
		return err
	}
	if err := t.save(); err != nil {
		return err
	}
	_ = os.Remove(filepath.Join(t.run.Dir, goodFile)) // if it cannot be removed it only takes room
	return h.writeCSV(filepath.Join(t.run.Dir, historyFile))
}

// toTheEnd takes the steps that are left and evaluates the test set.
func (t *trainer) toTheEnd(ctx context.Context) error {
	if err := t.steps(ctx); err != nil {
		return err
	}
	return t.evaluate(ctx, t.run.Test)
}

// steps takes the steps that are left, and evaluates and saves in between. It
// returns early, without an error of its own, if ctx ends.
func (t *trainer) steps(ctx context.Context) error {
	if t.run.History.Steps() < t.total {
		asked := time.Now()
		for step, batch := range t.batches.From(ctx, t.run.History.Steps()) {
			t.waited += time.Since(asked)
			if err := t.evaluateIfDue(ctx); err != nil {
				return err
			}
			if err := t.keepIfDue(); err != nil {
				return err
			}
			if err := t.one(step, batch); err != nil {
				return err
			}
			t.watch()
			if ctx.Err() != nil || step+1 == t.total {
				break
			}
			if since := time.Since(t.lastSave); since >= t.opts.SaveEvery && since > 20*t.saveTook {
				if err := t.save(); err != nil {
					return err
				}
			}
			t.report(false)
			asked = time.Now()
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t.report(true)
	return t.evaluateIfDue(ctx)
}

// one takes one step, counted from 0, and records it.
func (t *trainer) one(step int, batch data.Batch) (err error) {
	cfg, h := t.run.Config, t.run.History
	rate, shrink := cfg.rate(step, t.total, h.StepsPerEpoch), t.shrink()
	if !cfg.JEM.On() {
		rate *= shrink
	}
	x := tensors.FromFlatDataAndDimensions(batch.X, append([]int{cfg.Batch}, t.run.Train.Shape...)...)
	labels := tensors.FromFlatDataAndDimensions(batch.Labels, cfg.Batch)
	free := []*tensors.Tensor{x, labels}
	defer func() { err = errors.Join(err, release(free...)) }()
	in := inputs[any]{
		x: x, labels: labels, rate: float32(rate), share: batch.Lambda,
		ramp: float32(cfg.ramp(step, t.total, h.StepsPerEpoch)), decay: float32(emaDecay(cfg.EMA, step)),
	}
	if batch.Partner != nil {
		partner := tensors.FromFlatDataAndDimensions(batch.Partner, cfg.Batch)
		in.partner, free = partner, append(free, partner)
	}
	var extra beside
	if t.companion != nil {
		if extra, err = t.companion.next(moment{step, t.attempt(), shrink}, x, batch); err != nil {
			return fmt.Errorf("ngebm: step %d: %s", step+1, firstLine(err))
		}
		if extra.x != nil {
			in.x, free = extra.x, append(free, extra.x)
		}
		if extra.others != nil {
			classes := tensors.FromFlatDataAndDimensions(extra.labels, len(extra.labels))
			in.others, in.otherLabels, free = extra.others, classes, append(free, extra.others, classes)
		}
	}
	out, err := t.execute(list(cfg, in))
	if err != nil {
		return fmt.Errorf("ngebm: step %d: %s", step+1, firstLine(err))
	}
	free = append(free, out)
	values, err := tensors.CopyFlatData[float32](out)
	if err != nil {
		return err
	}
	h.Loss = append(h.Loss, values[0])
	h.LearningRate = append(h.LearningRate, float32(rate))
	for i, v := range append(values[1:], extra.watch...) {
		h.Values[i] = append(h.Values[i], v)
	}
	return t.checkStep()
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

// watch lets Options.Watch look at the end of an epoch.
func (t *trainer) watch() {
	if t.opts.Watch == nil || t.run.History.Steps()%t.run.History.StepsPerEpoch != 0 {
		return
	}
	asked, took := time.Now(), ProcessTime()
	t.opts.Watch(t.run)
	t.began = t.began.Add(time.Since(asked))
	t.process += ProcessTime() - took
}

func (t *trainer) save() error {
	t.lastSave = time.Now()
	t.run.Cost.Seconds = t.spent.Seconds + time.Since(t.began).Seconds()
	t.run.Cost.DataWait = t.spent.DataWait + t.waited.Seconds()
	t.run.Cost.Process = t.spent.Process + ProcessTime() - t.process
	err := t.saveAs(checkpointFile)
	t.saveTook = time.Since(t.lastSave)
	return err
}

// saveAs writes the run's state into a file of its folder, unless it is past saving.
func (t *trainer) saveAs(file string) error {
	if err := t.checkWeights(); err != nil {
		return err
	}
	if t.companion != nil {
		t.run.kept = t.companion.state()
	}
	return t.run.save(t.store, t.run.kept, file)
}

// restoreCompanion gives the companion what the checkpoint in that file, which was read
// last, kept of it.
func (t *trainer) restoreCompanion(file string) error {
	if t.companion == nil || t.run.History.Steps() == 0 && t.run.kept == nil {
		return nil
	}
	bad := func(why string) error {
		return fmt.Errorf("ngebm: checkpoint %s cannot be gone on with: %s; delete it to train the run anew", filepath.Join(t.run.Dir, file), why)
	}
	if t.run.kept == nil {
		if t.run.Config.JEM.On() {
			return bad("it lacks the replay buffer")
		}
		return nil
	}
	if err := t.companion.restore(t.run.kept); err != nil {
		return bad(err.Error())
	}
	return nil
}

// report says how far training is.
func (t *trainer) report(finished bool) {
	h := t.run.History
	r := progress.Report{
		Task: "train " + filepath.Base(t.run.Dir), Unit: "steps",
		Done: int64(h.Steps()), Total: int64(t.total), Start: int64(t.first),
		Elapsed: time.Since(t.began), Finished: finished, Preparing: "compiling",
	}
	if t.prepared == 0 && h.Steps() > t.first {
		t.prepared = r.Elapsed
	}
	r.Prepared = t.prepared
	if n := h.Steps(); n > 0 {
		r.Terms = append(r.Terms, progress.Term{Name: "loss", Value: float64(h.Loss[n-1])})
		for i, name := range h.Terms {
			r.Terms = append(r.Terms, progress.Term{Name: name, Value: float64(h.Values[i][n-1])})
		}
	}
	if !math.IsNaN(t.evaluated) && h.Steps() > t.first {
		r.Terms = append(r.Terms, progress.Term{Name: "validation accuracy", Value: t.evaluated})
	}
	t.opts.Progress.Report(r)
}
