package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/data/nearest"
	"ngebm/data/progress"
	"ngebm/ngebm/ood"
)

// fittedDetector is a detector that was fitted for a measurement.
type fittedDetector struct {
	ood.Detector
	fitted ood.Fitted
}

// CheckDetectors returns an error unless all names are of detectors that are fitted on features.
func CheckDetectors(names []string) error {
	for i, name := range names {
		if known := ood.FeatureDetectorNames(); !slices.Contains(known, name) {
			switch d, err := ood.FindDetector(name); {
			case err == nil && d.Needs == ood.NeedsFeatures:
				return fmt.Errorf("measure: the detector %s is called %s here", name, d.Name)
			case err == nil:
				return fmt.Errorf("measure: the detector %s (%s) needs no fit; it is always measured, so leave it out", d.Name, d.Definition)
			}
			return fmt.Errorf("measure: there is no detector %.40q that is fitted on features%s; choose from %s", name, nearest.Hint(name, known), strings.Join(known, ", "))
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("measure: detector %s is given twice", name)
		}
	}
	return nil
}

// fit fits the detectors that the options name.
func (s *scorer) fit(ctx context.Context, o Options) error {
	if err := CheckDetectors(o.Detectors); err != nil {
		return err
	}
	var training ood.Training
	if len(o.Detectors) > 0 {
		if o.Train == nil {
			return errors.New("measure: detectors on features are fitted on training examples; give Options.Train, or train the run's configuration again (it will be loaded)")
		}
		var err error
		if training, err = ood.TrainingOf(ctx, s.classifier, o.Train); err != nil {
			return err
		}
	}
	names := slices.Clone(o.Detectors)
	var tune tuning
	if o.OODValidation != nil {
		if o.Validation == nil {
			return fmt.Errorf("measure: parameters are chosen between validation examples and %s, but there are no validation examples; hold some out", o.OODValidation.Name)
		}
		for _, out := range o.Out {
			if out.Checksum == o.OODValidation.Checksum {
				return fmt.Errorf("measure: parameters are chosen on %s, which has the same examples as %s, one of the sets to detect; take another", o.OODValidation.Name, out.Name)
			}
		}
		names = append(names, "GEN")
		var err error
		if tune.in, err = s.outputs(ctx, o.Validation, len(o.Detectors) > 0); err != nil {
			return err
		}
		if tune.out, err = s.outputs(ctx, o.OODValidation, len(o.Detectors) > 0); err != nil {
			return err
		}
		if err := s.tuneODIN(ctx, o.Validation, o.OODValidation); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := s.fitOne(ctx, name, training, tune); err != nil {
			return err
		}
	}
	return nil
}

// tuning is the validation split that parameters are chosen on; empty if there is none.
type tuning struct{ in, out ood.Outputs }

func (s *scorer) fitOne(ctx context.Context, name string, training ood.Training, tune tuning) error {
	d, err := ood.FindDetector(name)
	if err != nil {
		return err
	}
	if len(tune.in.Logits) > 0 {
		if d, err = d.Tune(ctx, training, tune.in, tune.out); err != nil {
			return err
		}
	}
	fitted, err := d.Fit(ctx, training)
	if err != nil {
		return err
	}
	s.detectors = append(s.detectors, fittedDetector{d, fitted})
	s.is[name] = d.Definition
	if d.Parameter != "" {
		s.parameters[name] = d.Value
	}
	return nil
}

// tuneODIN chooses ODIN's parameters as ood.Detector.Tune does: those with the largest AUROC, the
// first of equals.
func (s *scorer) tuneODIN(ctx context.Context, in, out *data.Dataset) error {
	all := ood.ODINCandidates()
	exec, err := newODIN(s.classifier, in, all...)
	if err != nil {
		return err
	}
	defer exec.Finalize()
	inside, err := s.classifier.Apply(ctx, exec, in, progress.Examples(s.report, "tune ODIN on "+in.Name, in.Len()))
	if err != nil {
		return err
	}
	outside, err := s.classifier.Apply(ctx, exec, out, progress.Examples(s.report, "tune ODIN on "+out.Name, out.Len()))
	if err != nil {
		return err
	}
	best, found := all[0], -1.
	for i, candidate := range all {
		auroc, err := ood.AUROC(inside[i], outside[i])
		if err != nil {
			return err
		}
		if auroc > found {
			best, found = candidate, auroc
		}
	}
	return s.setODIN(in, best)
}

// outputs are a set's logits, and its features if asked.
func (s *scorer) outputs(ctx context.Context, d *data.Dataset, features bool) (o ood.Outputs, err error) {
	if o.Logits, err = s.classifier.Logits(ctx, d); err == nil && features {
		o.Features, err = s.classifier.Features(ctx, d)
	}
	return o, err
}

// detect enters the scores of the fitted detectors.
func (s *scorer) detect(ctx context.Context, d *data.Dataset, logits [][]float64, values map[string][]float64) error {
	o := ood.Outputs{Logits: logits}
	for _, detector := range s.detectors {
		var err error
		if detector.Needs == ood.NeedsFeatures && o.Features == nil {
			if o.Features, err = s.classifier.Features(ctx, d); err != nil {
				return err
			}
		}
		o.Done = progress.Examples(s.report, detector.Name+" of "+d.Name, d.Len())
		if values[detector.Name], err = detector.fitted.Score(ctx, o); err != nil {
			return fmt.Errorf("%s: %s: %w", d.Name, detector.Name, err)
		}
	}
	return nil
}
