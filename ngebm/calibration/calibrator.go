package calibration

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Calibrator turns what a classifier said into calibrated probabilities. It was fitted on
// validation data.
type Calibrator interface {
	// Calibrate returns the sample with its calibrated probabilities. The slices of s are
	// not changed.
	Calibrate(s Sample) (Sample, error)
}

// CalibrationMethod is one way to calibrate.
type CalibrationMethod struct {
	Name       string // "isotonic"
	Definition string
	// Fit fits it to validation data. If ctx ends, so does Fit, with its error.
	Fit func(ctx context.Context, validation Sample) (Calibrator, error)
}

// CalibrationMethods lists the methods, the least flexible first.
func CalibrationMethods() []CalibrationMethod {
	return []CalibrationMethod{
		{"temperature", "all logits divided by one number (Guo et al. 2017)", atOnce(func(v Sample) (Calibrator, error) { return FitTemperature(v) })},
		{"vector", "each class's logit scaled and shifted (Guo et al. 2017)", func(ctx context.Context, v Sample) (Calibrator, error) { return FitVector(ctx, v) }},
		{"histogram", "the validation accuracy of the confidence's bin, 15 of equal width (Zadrozny and Elkan 2001)", atOnce(func(v Sample) (Calibrator, error) { return FitHistogram(v, DefaultBins) })},
		{"isotonic", "a rising function of the confidence, by pooled adjacent violators (Zadrozny and Elkan 2002)", atOnce(func(v Sample) (Calibrator, error) { return FitIsotonic(v) })},
	}
}

// atOnce is the Fit of a method that takes no time worth interrupting.
func atOnce(fit func(Sample) (Calibrator, error)) func(context.Context, Sample) (Calibrator, error) {
	return func(ctx context.Context, v Sample) (Calibrator, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return fit(v)
	}
}

// Calibrate implements [Calibrator]: it sets the sample's Temperature.
func (t Temperature) Calibrate(s Sample) (Sample, error) {
	s.Temperature = t.T
	return s, s.Validate()
}

// predictions returns each example's class, probabilities and outcome.
func (s Sample) predictions() (p [][]float64, classes []int32, right []bool) {
	rows := s.rows()
	p = make([][]float64, len(rows))
	classes, right = make([]int32, len(rows)), make([]bool, len(rows))
	for i, row := range rows {
		p[i] = make([]float64, len(row))
		x := s.predictAt(i, p[i])
		classes[i], right[i] = int32(x.class), x.class == int(s.Labels[i])
	}
	return p, classes, right
}

// topLabel maps confidences. The prediction stays; the other classes' probabilities keep
// their proportions. (Where the new confidence is lower than another class's probability the
// prediction is no longer the argmax, so that Sample.Predictions says it.)
func topLabel(s Sample, of func(confidence float64) float64) (Sample, error) {
	if err := s.Validate(); err != nil {
		return Sample{}, err
	}
	p, classes, _ := s.predictions()
	for i, row := range p {
		top, others := int(classes[i]), 0.
		for k, v := range row {
			if k != top {
				others += v // more exact than 1 - row[top]
			}
		}
		calibrated := of(row[top])
		for k := range row {
			switch {
			case k == top:
				row[k] = calibrated
			case others > 0:
				row[k] = row[k] / others * (1 - calibrated)
			default:
				row[k] = (1 - calibrated) / float64(len(row)-1)
			}
		}
	}
	return Sample{Probabilities: p, Labels: s.Labels, Predictions: classes}, nil
}

// confidences returns the sample's confidences in rising order, with their outcomes.
func confidences(validation Sample) ([]ranked, error) {
	e, err := newEvaluation(validation, 1)
	if err != nil {
		return nil, err
	}
	return e.ranked, nil
}

// Histogram gives each confidence the accuracy of its bin of equal width (lo,hi] on
// validation data, and the bin's midpoint where that has no examples.
type Histogram struct{ accuracy []float64 }

// maxHistogramBins bounds memory.
const maxHistogramBins = 1_000_000

// FitHistogram returns histogram binning of the confidences (Zadrozny and Elkan 2001), as
// netcal 1.4.0's HistogramBinning of confidences, except that a confidence on a bin's edge
// is in one bin when fitting and when calibrating.
func FitHistogram(validation Sample, bins int) (Histogram, error) {
	examples, err := confidences(validation)
	if err != nil {
		return Histogram{}, err
	}
	if bins < 1 || bins > maxHistogramBins {
		return Histogram{}, fmt.Errorf("calibration: histogram binning with %d bins; there must be at least 1, and at most %d", bins, maxHistogramBins)
	}
	tallies := make([]tally, bins)
	for _, e := range examples {
		tallies[binOf(e.confidence, bins)].add(1, e.confidence, e.right)
	}
	h := Histogram{make([]float64, bins)}
	for i, t := range tallies {
		h.accuracy[i] = (float64(i) + .5) / float64(bins)
		if t.count > 0 {
			h.accuracy[i] = t.right / t.count
		}
	}
	return h, nil
}

// Calibrate implements [Calibrator].
func (h Histogram) Calibrate(s Sample) (Sample, error) {
	return topLabel(s, func(c float64) float64 { return h.accuracy[binOf(c, len(h.accuracy))] })
}

// Isotonic gives each confidence the value of a rising function, linear between the
// confidences of the validation data and constant beyond them.
type Isotonic struct{ confidence, accuracy []float64 }

// FitIsotonic returns the rising function of the confidence with the least squared distance
// to the outcomes, found by pooling adjacent violators; as scikit-learn 1.9.1's
// IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip") on confidences, but that it takes
// confidences closer than 1e-15 for one.
func FitIsotonic(validation Sample) (Isotonic, error) {
	examples, err := confidences(validation)
	if err != nil {
		return Isotonic{}, err
	}
	type block struct{ right, count, first, last float64 }
	var blocks []block
	for i := 0; i < len(examples); {
		b := block{first: examples[i].confidence, last: examples[i].confidence}
		for ; i < len(examples) && examples[i].confidence == b.first; i++ { // ties are one
			b.count++
			if examples[i].right {
				b.right++
			}
		}
		for len(blocks) > 0 {
			before := blocks[len(blocks)-1]
			if before.right/before.count < b.right/b.count {
				break
			}
			b = block{before.right + b.right, before.count + b.count, before.first, b.last}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	var f Isotonic
	for _, b := range blocks {
		for _, x := range slices.Compact([]float64{b.first, b.last}) {
			f.confidence, f.accuracy = append(f.confidence, x), append(f.accuracy, b.right/b.count)
		}
	}
	return f, nil
}

// Calibrate implements [Calibrator].
func (f Isotonic) Calibrate(s Sample) (Sample, error) { return topLabel(s, f.at) }

// at interpolates.
func (f Isotonic) at(c float64) float64 {
	i, found := slices.BinarySearch(f.confidence, c)
	last := len(f.confidence) - 1
	switch {
	case found:
		return f.accuracy[i]
	case i == 0:
		return f.accuracy[0]
	case i > last:
		return f.accuracy[last]
	}
	part := (c - f.confidence[i-1]) / (f.confidence[i] - f.confidence[i-1])
	return f.accuracy[i-1] + part*(f.accuracy[i]-f.accuracy[i-1])
}

// Ensemble returns the mean of the probabilities of several models on the same examples
// (Lakshminarayanan et al. 2017). It needs no training but theirs.
func Ensemble(models ...Sample) (Sample, error) {
	if len(models) == 0 {
		return Sample{}, errors.New("calibration: an ensemble of no models; give at least one sample")
	}
	all := Sample{Labels: models[0].Labels}
	for i, s := range models {
		if err := s.Validate(); err != nil {
			return Sample{}, fmt.Errorf("model %d (the first is 0): %w", i, err)
		}
		if !slices.Equal(s.Labels, all.Labels) {
			return Sample{}, fmt.Errorf("calibration: model %d (the first is 0) has other labels than the first; an ensemble needs the same examples in the same order", i)
		}
		p, _, _ := s.predictions()
		if i == 0 {
			all.Probabilities = p
		}
		if len(p[0]) != len(all.Probabilities[0]) {
			return Sample{}, fmt.Errorf("calibration: model %d (the first is 0) has %d classes, the first %d", i, len(p[0]), len(all.Probabilities[0]))
		}
		for j, row := range p {
			for k, v := range row {
				if i > 0 {
					all.Probabilities[j][k] += v
				}
				if i == len(models)-1 {
					all.Probabilities[j][k] /= float64(len(models))
				}
			}
		}
	}
	return all, nil
}
