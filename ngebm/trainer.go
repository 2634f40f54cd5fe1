package ngebm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
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
	store   *model.Store
	batches *data.Batches
	total   int // steps
	opts    Options

	step *model.Exec // one step: (x, labels, rate) → (loss, terms…)

	began     time.Time     // of this process
	spent     float64       // seconds, by processes before
	first     int           // steps done before this process
	lastSave  time.Time     // when the last checkpoint was begun
	saveTook  time.Duration // how long it took
	evaluated float64       // accuracy of the last evaluation, or NaN
}

// compile builds the training step: the objective's terms, their gradients and
// Adam's update, in one executable that keeps weights on the device.
func (t *trainer) compile(backend compute.Backend) error {
	cfg, h := t.run.Config, t.run.History
	objective := cfg.Objective()
	adam := optimizer.Adam().Betas(.9, .999).Epsilon(1e-8).Done()
	var terms []energy.Term
	var err error
	t.step, err = model.NewExec(backend, t.store, func(scope *model.Scope, x, labels, rate *Node) *Node {
		g := x.Graph()
		t.store.SetTraining(g, true)
		terms = objective.Terms(func(x *Node) *Node {
			return logitsOf(t.run.Classifier.Network, t.store, x, len(t.run.Classifier.Classes))
		}, x, labels)
		loss := energy.Total(terms)
		optimizer.LearningRateVar(scope, x.DType(), cfg.LearningRate).SetNodeValue(rate)
		adam.UpdateGraph(scope, g, loss)
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
	_, err = t.step.Compile(
		shapes.Make(dtypes.Float32, append([]int{cfg.Batch}, t.run.Train.Shape...)...),
		shapes.Make(dtypes.Int32, cfg.Batch),
		shapes.Make(dtypes.Float32))
	if err != nil {
		return fmt.Errorf("ngebm: cannot build the training step of %s: %s", cfg.Net, firstLine(err))
	}
	if h.Steps() > 0 {
		return nil
	}
	h.StepsPerEpoch = t.batches.StepsPerEpoch()
	for _, term := range terms {
		h.Terms = append(h.Terms, term.Name)
		h.Weights = append(h.Weights, term.Weight)
		h.Values = append(h.Values, nil)
	}
	return nil
}

// loop is training.
func (t *trainer) loop(ctx context.Context) error {
	h := t.run.History
	t.lastSave, t.evaluated = time.Now(), math.NaN()
	err := t.steps(ctx)
	if err == nil {
		err = t.evaluate(ctx, t.run.Test)
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
	return h.writeCSV(filepath.Join(t.run.Dir, historyFile))
}

// steps takes the steps that are left, and evaluates and saves in between. It
// returns early, without an error of its own, if ctx ends.
func (t *trainer) steps(ctx context.Context) error {
	if t.run.History.Steps() < t.total {
		for step, batch := range t.batches.From(ctx, t.run.History.Steps()) {
			if err := t.evaluateIfDue(ctx); err != nil {
				return err
			}
			if err := t.one(step, batch); err != nil {
				return err
			}
			if ctx.Err() != nil || step+1 == t.total {
				break
			}
			if since := time.Since(t.lastSave); since >= t.opts.SaveEvery && since > 20*t.saveTook {
				if err := t.save(); err != nil {
					return err
				}
			}
			t.report(false)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t.report(true)
	return t.evaluateIfDue(ctx)
}

// one takes one step, counted from 0, and records it.
func (t *trainer) one(step int, batch data.Batch) error {
	cfg, h := t.run.Config, t.run.History
	rate := cfg.rate(step, t.total, t.batches.StepsPerEpoch())
	x := tensors.FromFlatDataAndDimensions(batch.X, append([]int{cfg.Batch}, t.run.Train.Shape...)...)
	labels := tensors.FromFlatDataAndDimensions(batch.Labels, cfg.Batch)
	out, err := t.step.Exec(x, labels, float32(rate))
	if err != nil {
		return fmt.Errorf("ngebm: step %d: %s", step+1, firstLine(err))
	}
	values, err := tensors.CopyFlatData[float32](out[0])
	if err := errors.Join(err, release(x, labels, out[0])); err != nil {
		return err
	}
	h.Loss = append(h.Loss, values[0])
	h.LearningRate = append(h.LearningRate, float32(rate))
	for i := range h.Terms {
		h.Values[i] = append(h.Values[i], values[1+i])
	}
	return t.check("loss", float64(values[0]))
}

// check notes why the run cannot go on, if it cannot.
func (t *trainer) check(name string, loss float64) error {
	reason := divergence(name, loss)
	if reason == "" {
		return nil
	}
	t.run.History.Stopped = fmt.Sprintf("%s at step %d", reason, t.run.History.Steps())
	return fmt.Errorf("ngebm: the run %w: %s; lower learning_rate, beta or gamma", ErrDiverged, t.run.History.Stopped)
}

// backToCheckpoint ends a run that cannot go on. The last good checkpoint stays
// and the classifier goes back to it; the history on the way to the end is
// written for people to look at.
func (t *trainer) backToCheckpoint() error {
	reached := *t.run.History
	found, err := t.run.restore(t.store)
	if !found {
		t.run.Classifier = nil
	}
	*t.run.History = reached
	return errors.Join(err, reached.writeCSV(filepath.Join(t.run.Dir, historyFile)))
}

func (t *trainer) save() error {
	t.lastSave = time.Now()
	t.run.Cost.Seconds = t.spent + time.Since(t.began).Seconds()
	err := t.run.save(t.store)
	t.saveTook = time.Since(t.lastSave)
	return err
}

// evaluateIfDue evaluates the validation set at the end of every EvalEvery-th
// epoch, once.
func (t *trainer) evaluateIfDue(ctx context.Context) error {
	r, h := t.run, t.run.History
	every := r.Config.EvalEvery * h.StepsPerEpoch
	if r.Validation == nil || h.Steps() == 0 || h.Steps()%every != 0 {
		return nil
	}
	if n := len(h.Evaluations); n > 0 && h.Evaluations[n-1].Step == h.Steps() {
		return nil // made before the checkpoint that this process began with
	}
	return t.evaluate(ctx, r.Validation)
}

// evaluate measures the current weights on the whole set and records it.
func (t *trainer) evaluate(ctx context.Context, d *data.Dataset) error {
	h := t.run.History
	withGradient := slices.Contains(h.Terms, energy.NameGradientNorm)
	began := time.Now()
	logits, norms, err := t.run.Classifier.predict(ctx, d, withGradient, func(done int) {
		if h.Steps() < t.total { // in mid-training a bar of its own would only be in the way
			t.report(false)
			return
		}
		if elapsed := time.Since(began); elapsed > time.Second { // less is not worth a line
			t.opts.Progress.Report(progress.Report{
				Task: "evaluate " + d.Split + " set", Unit: "examples", Done: int64(done), Total: int64(d.Len()),
				Elapsed: elapsed, Finished: done == d.Len(),
			})
		}
	})
	if err != nil {
		return err
	}
	e := evaluationOf(h, logits, norms, d.Labels)
	e.Step, e.Split, e.Examples = h.Steps(), d.Split, d.Len()
	if err := t.check(d.Split+" loss", e.Loss); err != nil {
		return err
	}
	h.Evaluations = append(h.Evaluations, e)
	t.evaluated = e.Accuracy
	return nil
}

// evaluationOf computes the history's terms over a whole set.
func evaluationOf(h *History, logits [][]float64, norms []float64, labels []int32) Evaluation {
	energies := energiesOf(logits)
	n := float64(len(labels))
	var ce, mean, variance, norm float64
	for i, e := range energies {
		ce += (e - logits[i][labels[i]]) / n
		mean += e / n
	}
	for _, e := range energies {
		variance += (e - mean) * (e - mean) / n
	}
	for _, v := range norms {
		norm += v / n
	}
	e := Evaluation{Accuracy: accuracyOf(logits, labels)}
	for i, name := range h.Terms {
		value := map[string]float64{energy.NameCrossEntropy: ce, energy.NameVariance: variance, energy.NameGradientNorm: norm}[name]
		e.Values = append(e.Values, value)
		e.Loss += h.Weights[i] * value
	}
	return e
}

// report says how far training is.
func (t *trainer) report(finished bool) {
	h := t.run.History
	r := progress.Report{
		Task: "train " + filepath.Base(t.run.Dir), Unit: "steps",
		Done: int64(h.Steps()), Total: int64(t.total), Start: int64(t.first),
		Elapsed: time.Since(t.began), Finished: finished,
	}
	if n := h.Steps(); n > 0 {
		r.Terms = append(r.Terms, progress.Term{Name: "loss", Value: float64(h.Loss[n-1])})
		for i, name := range h.Terms {
			r.Terms = append(r.Terms, progress.Term{Name: name, Value: float64(h.Values[i][n-1])})
		}
	}
	if !math.IsNaN(t.evaluated) && h.Steps() > t.first {
		r.Terms = append(r.Terms, progress.Term{Name: "accuracy", Value: t.evaluated})
	}
	t.opts.Progress.Report(r)
}

// firstLine drops what GoMLX puts around the message of a panic in a graph's
// function, and the stack trace.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	if i := strings.LastIndex(line, " panicked: "); i >= 0 {
		return line[i+len(" panicked: "):]
	}
	return line
}
