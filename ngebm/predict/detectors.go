package predict

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ngebm/ngebm"
	"ngebm/ngebm/ood"
)

// storedDetectors are those that some of the scores need.
type storedDetectors []ood.Stored

// UnmarshalJSON refuses more than there are, as that of scoreThresholds does.
func (all *storedDetectors) UnmarshalJSON(list []byte) (err error) {
	*all, err = readList[ood.Stored](list, "detectors", len(ood.StorableNames()))
	return err
}

// fitDetectors fits those among the scores that look at features, on the training split.
func fitDetectors(ctx context.Context, run *ngebm.Run, scores []string) (all storedDetectors, err error) {
	names := onFeatures(scores)
	if len(names) == 0 {
		return nil, nil
	}
	if run.Train == nil {
		return nil, fmt.Errorf("predict: %s is fitted on the training split; train the configuration again (it will be loaded), or leave it out", names[0])
	}
	t, err := ood.TrainingOf(ctx, run.Classifier, run.Train)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		d, err := ood.FindDetector(name)
		if err != nil {
			return nil, err
		}
		fitted, err := d.Fit(ctx, t)
		if err != nil {
			return nil, err
		}
		stored, err := ood.Store(fitted)
		if err != nil {
			return nil, err
		}
		all = append(all, stored)
	}
	return all, nil
}

// onFeatures are those of the scores that look at features.
func onFeatures(scores []string) (names []string) {
	for _, name := range scores {
		if slices.Contains(ood.StorableNames(), name) {
			names = append(names, name)
		}
	}
	return names
}

// checkDetectors compares the stored detectors with the scores.
func (f fitted) checkDetectors(scores []string) error {
	var names []string
	for _, d := range f.Detectors {
		names = append(names, d.Detector)
	}
	if want := onFeatures(scores); !slices.Equal(names, want) {
		return fmt.Errorf("has the detectors %.200q, and its scores need %.200q", names, want)
	}
	return nil
}

// restoreDetectors makes the stored detectors ready to score.
func (p *Predictor) restoreDetectors() error {
	if len(p.Detectors) == 0 {
		return nil
	}
	weight, bias, err := p.run.Classifier.Head()
	if err != nil {
		return err
	}
	p.detectors = map[string]ood.Fitted{}
	for _, d := range p.Detectors {
		if p.detectors[d.Detector], err = ood.Restore(d, weight, bias); err != nil {
			return errors.Join(errors.New("predict: the stored predictor does not fit the run; fit it again"), err)
		}
	}
	return nil
}

// features are those of inputs, nil if no score needs them.
func (p *Predictor) features(ctx context.Context, inputs []float32) ([][]float64, error) {
	if len(p.detectors) == 0 {
		return nil, nil
	}
	return p.run.Classifier.FeaturesAt(ctx, inputs)
}
