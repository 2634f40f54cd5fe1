package study

import (
	"context"
	"fmt"

	"ngebm/ngebm"
	"ngebm/ngebm/calibration"
)

// Recalibrated returns a row of a compared method after a calibrator that is fitted to each
// run's validation examples. It has metrics of calibration only.
func Recalibrated(ctx context.Context, c Compared, method calibration.CalibrationMethod, o calibration.Options) (Row, error) {
	row := Row{Title: c.Title + " + " + method.Name}
	for _, run := range c.Runs {
		result, err := recalibrate(ctx, run, method, o)
		if err != nil {
			return Row{}, fmt.Errorf("study: %s, seed %d, %s: %w", c.Name, run.Config.Seed, method.Name, err)
		}
		result.Method = c.Name
		row.Results = append(row.Results, result)
	}
	return row, nil
}

func recalibrate(ctx context.Context, run *ngebm.Run, method calibration.CalibrationMethod, o calibration.Options) (*Result, error) {
	if run.Validation == nil {
		return nil, fmt.Errorf("the run has no validation split to fit a calibrator to; set validation in its configuration")
	}
	held, err := run.Classifier.Logits(ctx, run.Validation)
	if err != nil {
		return nil, err
	}
	calibrator, err := method.Fit(ctx, calibration.Sample{Logits: held, Labels: run.Validation.Labels})
	if err != nil {
		return nil, err
	}
	sample, err := testSample(ctx, run)
	if err != nil {
		return nil, err
	}
	if sample, err = calibrator.Calibrate(sample); err != nil {
		return nil, err
	}
	report, err := calibration.Measure(sample, o)
	if err != nil {
		return nil, err
	}
	return &Result{Seed: run.Config.Seed, Config: run.Config, Calibration: report}, nil
}

// EnsembleRow returns a row of one result, the ensemble of a method's runs: the mean of
// their probabilities on the test set (Lakshminarayanan et al. 2017). Nothing is trained. It
// has metrics of calibration only, and no interval over seeds.
func EnsembleRow(ctx context.Context, c Compared, o calibration.Options) (Row, error) {
	var models []calibration.Sample
	for _, run := range c.Runs {
		sample, err := testSample(ctx, run)
		if err != nil {
			return Row{}, fmt.Errorf("study: %s, seed %d: %w", c.Name, run.Config.Seed, err)
		}
		models = append(models, sample)
	}
	sample, err := calibration.Ensemble(models...)
	if err != nil {
		return Row{}, fmt.Errorf("study: the ensemble of %s: %w", c.Name, err)
	}
	report, err := calibration.Measure(sample, o)
	if err != nil {
		return Row{}, fmt.Errorf("study: the ensemble of %s: %w", c.Name, err)
	}
	title := fmt.Sprintf("%s, ensemble of %d", c.Title, len(models))
	return Row{Title: title, Color: c.Color, Results: []*Result{{Method: c.Name, Calibration: report}}}, nil
}

// testSample is what a run says about its test set.
func testSample(ctx context.Context, run *ngebm.Run) (calibration.Sample, error) {
	logits, err := run.Classifier.Logits(ctx, run.Test)
	if err != nil {
		return calibration.Sample{}, err
	}
	return calibration.Sample{Logits: logits, Labels: run.Test.Labels}, nil
}
