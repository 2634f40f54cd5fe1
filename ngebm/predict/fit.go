package predict

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/conformal"
	"ngebm/ngebm/internal/softmax"
	"ngebm/ngebm/ood"
)

// chunk is how many of a set's examples are evaluated in one call.
const chunk = 1024

// Fit fits a predictor on the run's validation split. It needs the run with its data, as
// train.Run returns it. It is an error if the validation examples are too few for what is
// asked (*[conformal.TooFewError]), or if a score does not separate. The run stays
// the caller's: it must not be closed before the predictor.
func Fit(ctx context.Context, run *ngebm.Run, options Options) (*Predictor, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	v := run.Validation
	switch {
	case run.Config.Validation == 0:
		return nil, fmt.Errorf("predict: %s held out no validation examples; train it again with some: -set validation=N; the default options need 39, and hundreds are better", cmp.Or(run.Config.Name, run.Dir))
	case v == nil:
		return nil, errors.New("predict: the run was loaded without its data; train its configuration again (it will be loaded), which finds its validation split")
	}
	f := fitted{Version: version, Run: run.Hash, Shape: v.Shape, Classes: v.Classes, Examples: v.Len(), Validation: v.Checksum, FalseAlarms: o.FalseAlarms, Seed: o.Seed, Code: ngebm.Version(), Computation: run.Computation()}
	if f.Checkpoint, err = run.Checksum(); err != nil {
		return nil, err
	}
	for _, name := range o.Scores {
		f.Scores = append(f.Scores, scoreThreshold{Score: name})
		if name == InputScore {
			if f.Input, err = newInputStats(run.Train); err != nil {
				return nil, err
			}
		}
	}
	if f.Detectors, err = fitDetectors(ctx, run, o.Scores); err != nil {
		return nil, err
	}
	if len(f.Detectors) > 0 {
		if f.Features, err = run.FeaturesSum(); err != nil {
			return nil, err
		}
	}
	p, err := newPredictor(run, f)
	if err != nil {
		return nil, err
	}
	if err := p.fit(ctx, v, o); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// fit fits everything on the validation examples.
func (p *Predictor) fit(ctx context.Context, v *data.Dataset, o Options) error {
	held, err := p.examine(ctx, v, o.Progress)
	if err != nil {
		return err
	}
	if o.Calibration == VectorScaling {
		err = p.fitVector(ctx, held.logits, v.Labels)
	} else {
		err = p.fitTemperature(held.logits, v.Labels)
	}
	if err != nil {
		return err
	}
	var u []float64
	if o.Sets.Randomized {
		u = held.random
	}
	probabilities, confidence, right := softmaxOf(held.logits, v.Labels)
	sets, err := conformal.Fit(probabilities, v.Labels, u, o.Sets)
	if err != nil {
		return named(err, v)
	}
	p.Sets = *sets
	if o.Risk > 0 {
		if p.Risk, err = conformal.FitRisk(confidence, right, o.Risk, o.Delta); err != nil {
			return named(err, v)
		}
	}
	rate := o.FalseAlarms / float64(max(1, len(p.Scores)))
	for k := range p.Scores {
		t := &p.Scores[k]
		if t.Threshold, err = conformal.Threshold(held.scores[k], rate); err != nil {
			return fmt.Errorf("predict: %s: %w", t.title(), named(err, v))
		}
		t.Usual = slices.Sorted(slices.Values(held.scores[k]))
	}
	return p.compareOutliers(ctx, held, o)
}

// named puts class and set names into an error of package conformal.
func named(err error, v *data.Dataset) error {
	few := (*conformal.TooFewError)(nil)
	if !errors.As(err, &few) {
		return err
	}
	var k int
	if n, _ := fmt.Sscanf(few.Of, "of class %d", &k); n == 1 && k < len(v.Classes) {
		few.Of = fmt.Sprintf("of class %q", v.Classes[k])
	}
	return fmt.Errorf("predict: %s: %w", v.Name, few)
}

// fitTemperature sets the temperature, or leaves it at 1 where the validation examples do
// not determine one.
func (p *Predictor) fitTemperature(logits [][]float64, labels []int32) error {
	t, err := calibration.FitTemperature(calibration.Sample{Logits: logits, Labels: labels})
	if err != nil {
		return fmt.Errorf("predict: %w", err)
	}
	p.Temperature = t.T
	if t.Warning == "" {
		return nil
	}
	if !t.AllRight {
		return fmt.Errorf("predict: no temperature fits the %d validation examples: %s; train a better model", len(labels), t.Warning)
	}
	p.Warnings = append(p.Warnings, "temperature: "+t.Warning)
	return nil
}

// fitVector sets the scales and shifts of the classes.
func (p *Predictor) fitVector(ctx context.Context, logits [][]float64, labels []int32) error {
	v, err := calibration.FitVector(ctx, calibration.Sample{Logits: logits, Labels: labels})
	if err != nil {
		return fmt.Errorf("predict: %w", err)
	}
	p.Temperature, p.Vector = 1, &vectorScaling{v.Scale, v.Shift}
	return nil
}

// compareOutliers measures how well each score separates outliers from the validation examples.
func (p *Predictor) compareOutliers(ctx context.Context, held examined, o Options) error {
	if o.Outliers == nil {
		return nil
	}
	if err := p.run.Classifier.Fits(o.Outliers); err != nil {
		return fmt.Errorf("predict: outliers: %w", err)
	}
	outside, err := p.examine(ctx, o.Outliers, o.Progress)
	if err != nil {
		return err
	}
	p.Outliers = strings.ToValidUTF8(o.Outliers.Name, "\ufffd") // as JSON has it: the seal is of what is read back
	for k := range p.Scores {
		r, err := ood.Measure(held.scores[k], outside.scores[k], bootstrap.Options{})
		if err != nil {
			return err
		}
		if p.Scores[k].AUROC = r.AUROC; r.AUROC <= .5 {
			return fmt.Errorf("predict: %s does not separate %s from the %d validation examples: AUROC %.3f, where chance has .5; choose another score", p.Scores[k].title(), o.Outliers.Name, len(held.logits), r.AUROC)
		}
	}
	return nil
}

// examined is what is computed of a set's examples.
type examined struct {
	logits [][]float64
	scores [][]float64 // [scores][examples]
	random []float64   // a number for each example, see random
}

// examine evaluates a set in parts.
func (p *Predictor) examine(ctx context.Context, d *data.Dataset, report progress.Reporter) (examined, error) {
	e := examined{scores: make([][]float64, len(p.Scores))}
	done := progress.Examples(report, "evaluate "+d.Name, d.Len())
	for start := 0; start < d.Len(); start += chunk {
		inputs := inputsOf(d, start, min(start+chunk, d.Len()))
		for _, x := range inputs {
			e.random = append(e.random, random(p.Seed, x))
		}
		logits, scores, err := p.evaluate(ctx, inputs)
		if err != nil {
			return e, err
		}
		e.logits = append(e.logits, logits...)
		for k := range scores {
			e.scores[k] = append(e.scores[k], scores[k]...)
		}
		if done != nil {
			done(start + len(inputs))
		}
	}
	return e, nil
}

// softmaxOf returns probabilities, the largest of each row, and if it is the label's.
func softmaxOf(logits [][]float64, labels []int32) (probabilities [][]float64, confidence []float64, right []bool) {
	for i, row := range logits {
		p := slices.Clone(row)
		top := slices.Max(p)
		label := slices.Index(p, top)
		softmax.Replace(p, top)
		probabilities, confidence, right = append(probabilities, p), append(confidence, p[label]), append(right, label == int(labels[i]))
	}
	return probabilities, confidence, right
}
