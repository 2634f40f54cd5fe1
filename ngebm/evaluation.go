package ngebm

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"ngebm/data"
	"ngebm/ngebm/energy"
)

// Evaluate measures the run's classifier on a set, with the terms of its history as training
// has them: with label smoothing, for one, the cross-entropy is of smoothed labels.
func (r *Run) Evaluate(ctx context.Context, d *data.Dataset, done func(examples int)) (Evaluation, error) {
	h, c := r.History, r.Classifier
	if err := c.FitsLabels(d); err != nil {
		return Evaluation{}, err
	}
	exec := c.forward
	if slices.Contains(h.Terms, energy.NameGradientNorm) {
		exec = c.withGradient
	}
	o := outcomes{smoothing: r.Config.LabelSmoothing, logitNorm: r.Config.LogitNorm}
	err := c.eachBatch(ctx, exec, d.Name, c.whole(d.Len()), d.Example, func(s span, out [][]float32) {
		o.add(out, d.Labels[s.start:s.start+s.count])
		if done != nil {
			done(s.start + s.count)
		}
	})
	if err != nil {
		return Evaluation{}, err
	}
	e := o.evaluation(h, r.Config.Focal)
	split := d.Split // a set of one's own may have another word for what it is
	switch d {
	case r.Test:
		split = "test"
	case r.Validation:
		split = "validation"
	}
	e.Step, e.Split, e.Examples, e.Checksum = h.Steps(), split, d.Len(), d.Checksum
	return e, nil
}

// outcomes are what an evaluation needs to know of the examples of a set.
type outcomes struct {
	energies []float64
	nlls     []float64 // -log p(y|x), of smoothed labels if smoothing is not 0
	units    []float64 // the same of unit logits, if logitNorm is not 0
	norms    []float64 // of the energies' gradients, if they were asked for
	right    int

	smoothing float64 // Config.LabelSmoothing
	logitNorm float64 // Config.LogitNorm
}

// score is what the cross-entropy takes from the logits' logsumexp: see energy.CrossEntropy.
func (o *outcomes) score(row []float64, label int32) float64 {
	if o.smoothing == 0 {
		return row[label]
	}
	return (1-o.smoothing)*row[label] + o.smoothing*stat.Mean(row, nil)
}

// add takes a batch's logits and, if there are any, its gradients' norms.
func (o *outcomes) add(out [][]float32, labels []int32) {
	row := make([]float64, len(out[0])/len(labels))
	for i, label := range labels {
		for k := range row {
			row[k] = float64(out[0][i*len(row)+k])
		}
		e := floats.LogSumExp(row)
		o.energies, o.nlls = append(o.energies, e), append(o.nlls, e-o.score(row, label))
		if floats.MaxIdx(row) == int(label) {
			o.right++
		}
		if o.logitNorm != 0 {
			floats.Scale(1/(o.logitNorm*(floats.Norm(row, 2)+1e-7)), row) // energy.UnitLogits
			o.units = append(o.units, floats.LogSumExp(row)-o.score(row, label))
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
	var ce, focused, unit, mean, square, variance, norm float64
	for i, e := range o.energies {
		nll := o.nlls[i]
		ce += nll / n
		focused += math.Pow(-math.Expm1(-nll), focal) * nll / n
		mean += e / n
		square += e * e / n
	}
	for _, nll := range o.units {
		unit += nll / n
	}
	for _, e := range o.energies {
		variance += (e - mean) * (e - mean) / n
	}
	for _, v := range o.norms {
		norm += v / n
	}
	e := Evaluation{Accuracy: float64(o.right) / max(1, n)}
	known := map[string]float64{energy.NameCrossEntropy: ce, energy.NameFocal: focused, energy.NameLogitNorm: unit, energy.NameZLoss: square, energy.NameVariance: variance, energy.NameGradientNorm: norm}
	for i, name := range h.Terms {
		value, ok := known[name]
		if !ok { // it is of samples, outliers or other gradients
			value = math.NaN()
		} else {
			e.Loss += h.Weights[i] * value
		}
		e.Values = append(e.Values, value)
	}
	return e
}
