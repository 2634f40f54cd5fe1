package measure

import (
	"context"
	"fmt"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/calibration"
)

// Shift is the calibration of one classifier on a set under one kind of corruption, at every
// severity. It turns into JSON.
type Shift struct {
	Kind string    `json:"kind"` // see data.Corruptions
	Seed uint64    `json:"seed"` // of the corruption
	Data data.Info `json:"data"` // the set as it is
	// Reports are of the set as it is, and then of severities 1, 2 …
	Reports []*calibration.Report `json:"reports"`
}

// Values returns a metric without corruption and then at each severity.
func (s Shift) Values(metric func(*calibration.Report) float64) []float64 {
	values := make([]float64, len(s.Reports))
	for i, r := range s.Reports {
		values[i] = metric(r)
	}
	return values
}

// Shifts measures the calibration of a classifier on a set of images as it is and
// under every corruption that [data.Dataset.Corrupt] knows, at every severity.
// The temperature of all reports is fitted on validation, images without corruption; nil
// fits none. There are 15 bins, or as many as images where these are fewer. It is an error if a
// corruption does not apply to the set, such as JPEG to images of two channels.
func Shifts(ctx context.Context, c *ngebm.Classifier, in, validation *data.Dataset, seed uint64) ([]Shift, error) {
	var options calibration.Options
	if err := c.FitsLabels(in); err != nil {
		return nil, err
	}
	if validation != nil {
		if err := c.FitsLabels(validation); err != nil {
			return nil, err
		}
		held, err := c.Logits(ctx, validation)
		if err != nil {
			return nil, err
		}
		options.Validation = &calibration.Sample{Logits: held, Labels: validation.Labels}
	}
	measure := func(d *data.Dataset) (*calibration.Report, error) {
		logits, err := c.Logits(ctx, d)
		if err != nil {
			return nil, err
		}
		options.Bins = min(calibration.DefaultBins, d.Len())
		r, err := calibration.Measure(calibration.Sample{Logits: logits, Labels: d.Labels}, options)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
		return r, nil
	}
	good, err := measure(in)
	if err != nil {
		return nil, err
	}
	var all []Shift
	for _, kind := range data.Corruptions() {
		s := Shift{Kind: kind, Seed: seed, Data: in.Info, Reports: []*calibration.Report{good}}
		for severity := 1; severity <= data.Severities; severity++ {
			bad, err := in.Corrupt(kind, severity, seed)
			if err != nil {
				return nil, err
			}
			r, err := measure(bad)
			if err != nil {
				return nil, err
			}
			s.Reports = append(s.Reports, r)
		}
		all = append(all, s)
	}
	return all, nil
}
