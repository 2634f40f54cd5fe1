package ngebm

import (
	"context"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/floats"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm/energy"
)

// evaluateIfDue evaluates the validation set at the end of every EvalEvery-th
// epoch, once, and keeps the run as it is if it was never better.
func (t *trainer) evaluateIfDue(ctx context.Context) error {
	r, h := t.run, t.run.History
	every := r.Config.EvalEvery * h.StepsPerEpoch
	if r.Validation == nil || h.Steps() == 0 || h.Steps()%every != 0 {
		return nil
	}
	if n := len(h.Evaluations); n > 0 && h.Evaluations[n-1].Step == h.Steps() {
		return nil // made before the checkpoint that this process began with
	}
	if err := t.evaluate(ctx, r.Validation); err != nil || !h.bestNow() {
		return err
	}
	return t.saveAs(bestFile)
}

// bestNow tells whether the last evaluation is the best so far: none was more accurate,
// and none as accurate had a loss as low.
func (h *History) bestNow() bool {
	n := len(h.Evaluations) - 1
	last := h.Evaluations[n]
	return !slices.ContainsFunc(h.Evaluations[:n], func(e Evaluation) bool {
		return e.Accuracy > last.Accuracy || e.Accuracy == last.Accuracy && e.Loss <= last.Loss
	})
}

// evaluate measures the current weights on the whole set and records it.
func (t *trainer) evaluate(ctx context.Context, d *data.Dataset) error {
	r, h := t.run, t.run.History
	done := evaluating(d, t.opts.Progress)
	if h.Steps() < t.total { // in mid-training a bar of its own would only be in the way
		done = func(int) { t.report(false) }
	}
	e, err := r.evaluate(ctx, d, done)
	if err != nil {
		return err
	}
	if err := t.check(d.Split+" loss", e.Loss); err != nil {
		return err
	}
	h.Evaluations = append(h.Evaluations, e)
	return nil
}

// evaluating returns a function that reports how far an evaluation is.
func evaluating(d *data.Dataset, reporter progress.Reporter) func(done int) {
	began := time.Now()
	return func(done int) {
		if elapsed := time.Since(began); elapsed > time.Second { // less is not worth a line
			reporter.Report(progress.Report{
				Task: "evaluate " + d.Split + " set", Unit: "examples", Done: int64(done), Total: int64(d.Len()),
				Elapsed: elapsed, Finished: done == d.Len(),
			})
		}
	}
}

// evaluate measures the run's classifier on a set, with the terms of its history.
func (r *Run) evaluate(ctx context.Context, d *data.Dataset, done func(examples int)) (Evaluation, error) {
	h, c := r.History, r.Classifier
	if err := c.fits(d); err != nil {
		return Evaluation{}, err
	}
	exec := c.forward
	if slices.Contains(h.Terms, energy.NameGradientNorm) {
		exec = c.withGradient
	}
	var o outcomes
	err := c.eachBatch(ctx, exec, d.Name, d.Len(), d.Example, func(start, count int, out [][]float32) {
		o.add(out, d.Labels[start:start+count])
		if done != nil {
			done(start + count)
		}
	})
	if err != nil {
		return Evaluation{}, err
	}
	e := o.evaluation(h, r.Config.Focal)
	e.Step, e.Split, e.Examples, e.Checksum = h.Steps(), d.Split, d.Len(), d.Checksum
	return e, nil
}

// outcomes are what an evaluation needs to know of the examples of a set.
type outcomes struct {
	energies []float64
	nlls     []float64 // -log p(y|x)
	norms    []float64 // of the energies' gradients, if they were asked for
	right    int
}

// add takes a batch's logits and, if there are any, its gradients' norms.
func (o *outcomes) add(out [][]float32, labels []int32) {
	row := make([]float64, len(out[0])/len(labels))
	for i, label := range labels {
		for k := range row {
			row[k] = float64(out[0][i*len(row)+k])
		}
		e := floats.LogSumExp(row)
		o.energies, o.nlls = append(o.energies, e), append(o.nlls, e-row[label])
		if argMax(row) == int(label) {
			o.right++
		}
	}
	if len(out) > 1 {
		for _, v := range out[1] {
			o.norms = append(o.norms, float64(v))
		}
	}
}

// evaluation computes the history's terms over a whole set; focal is the focal loss's
// exponent.
func (o *outcomes) evaluation(h *History, focal float64) Evaluation {
	n := float64(len(o.energies))
	var ce, focused, mean, variance, norm float64
	for i, e := range o.energies {
		nll := o.nlls[i]
		ce += nll / n
		focused += math.Pow(-math.Expm1(-nll), focal) * nll / n
		mean += e / n
	}
	for _, e := range o.energies {
		variance += (e - mean) * (e - mean) / n
	}
	for _, v := range o.norms {
		norm += v / n
	}
	e := Evaluation{Accuracy: float64(o.right) / max(1, n)}
	known := map[string]float64{energy.NameCrossEntropy: ce, energy.NameFocal: focused, energy.NameVariance: variance, energy.NameGradientNorm: norm}
	for i, name := range h.Terms {
		value, ok := known[name]
		if !ok { // it is of samples or outliers
			value = math.NaN()
		} else {
			e.Loss += h.Weights[i] * value
		}
		e.Values = append(e.Values, value)
	}
	return e
}
