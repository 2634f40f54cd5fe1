package calibration

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"ngebm/ngebm/bootstrap"
)

// DefaultBins is the number of bins of Guo et al. (2017).
const DefaultBins = 15

// Options say what to measure besides the metrics.
type Options struct {
	Bins       int     // of ECE, MCE, RMSCE, ECE_equal_mass, classwise_ECE; 0 means DefaultBins
	Validation *Sample // fits a temperature, if given

	// Bootstrap draws intervals for every metric from resamples of the examples.
	// Those after temperature take the temperature as given; that of T_opt
	// resamples the validation examples. There is no interval of the smooth ECE, which would
	// take most of the time, nor of the MCE and the classwise ECE, which it would cover
	// in half of the samples where they are small, nor of Brier_uncertainty: it is largest where
	// classes are equally frequent, as they often are in test sets, and resampling only lowers it.
	// Intervals are basic ones, see package bootstrap. Those of sums of gaps begin at 0 where
	// the ECE (for ECE_equal_mass, this metric) is one of the 95 % that a perfectly
	// calibrated model scores: with a true ECE of 0 the basic interval alone would cover
	// it in .65 of the samples. Those of debiased metrics take the
	// debiased values of resamples for estimates of the sample's plain metric.
	Bootstrap bootstrap.Options
}

// Report is what was measured. It turns into JSON under the names of its
// metrics' Conventions, all at the top level.
type Report struct {
	Samples int `json:"samples"`
	Classes int `json:"classes"`
	Bins    int `json:"bins"`

	Metrics
	*Calibrated // with Options.Validation

	// Perfect is what a perfectly calibrated model with the same confidences would score,
	// by the metric's name: ECE, ECE_equal_mass, ECE_midpoint; nil in reports of before
	// 2026-12.
	Perfect     map[string]Expected `json:"perfect,omitempty"`
	Reliability []Bin               `json:"reliability"`
	// Intervals are by the metric's name. There is none where it has no width, as where all
	// resamples give the same value; a 95 % interval of the accuracy is Wilson's then.
	Intervals map[string]bootstrap.Interval `json:"intervals,omitempty"`
	// IntervalKind is bootstrap.Kind; empty where there are no intervals, and in reports
	// of before 2026-12, whose intervals are percentiles.
	IntervalKind string   `json:"interval_kind,omitempty"`
	Warnings     []string `json:"warnings,omitempty"`
}

// Calibrated is what temperature scaling does.
type Calibrated struct {
	TOpt              float64 `json:"T_opt"`
	NLLAtTOpt         float64 `json:"NLL_at_T_opt"` // of the validation sample
	ValidationSamples int     `json:"validation_samples"`
	ECEAfterT         float64 `json:"ECE_after_T"`
	AfterT            *Report `json:"after_T"` // all metrics after temperature
}

// Measure computes all metrics of a sample.
func Measure(s Sample, o Options) (*Report, error) {
	if o.Bins == 0 {
		o.Bins = DefaultBins
	}
	if err := o.Bootstrap.Validate(); err != nil {
		return nil, err
	}
	e, err := newEvaluation(s, o.Bins)
	if err != nil {
		return nil, err
	}
	memory := e.newScratch()
	r := &Report{Samples: e.n, Classes: e.classes, Bins: e.bins, Metrics: e.metrics(e.once(), memory)}
	r.SmoothECE = smoothECE(e.ranked)
	r.Reliability, r.Perfect = e.reliability(memory), e.perfect()
	if err = r.draw(e, o.Bootstrap); err != nil {
		return nil, err
	}
	if o.Validation != nil {
		return r, r.calibrate(s, o)
	}
	return r, nil
}

// calibrate fits the temperature and measures again.
func (r *Report) calibrate(s Sample, o Options) error {
	v := *o.Validation
	t, err := FitTemperature(v)
	if err != nil {
		return fmt.Errorf("validation: %w", err)
	}
	if classes := len(v.rows()[0]); classes != r.Classes {
		return fmt.Errorf("calibration: the validation sample has %d classes, the measured one %d", classes, r.Classes)
	}
	if t.Warning != "" {
		r.Warnings = append(r.Warnings, "temperature: "+t.Warning)
	}
	s.Temperature = t.T
	o.Validation = nil
	after, err := Measure(s, o)
	if err != nil {
		return err
	}
	r.Calibrated = &Calibrated{TOpt: t.T, NLLAtTOpt: t.NLL, ValidationSamples: len(v.Labels), ECEAfterT: after.ECE, AfterT: after}
	if o.Bootstrap.Resamples == 0 {
		return nil
	}
	if i, ok := after.Intervals["ECE"]; ok {
		r.Intervals["ECE_after_T"] = i
	}
	if t.Warning != "" {
		return nil // there is no optimum to draw again
	}
	return r.drawTemperature(newFit(v), t, o.Bootstrap)
}

// drawTemperature draws the interval of T_opt. There is none, but a warning, where one of its ends
// would be that of a resample whose NLL has no minimum, as one without a wrong example.
func (r *Report) drawTemperature(fit *fit, t Temperature, o bootstrap.Options) error {
	var colds, hots atomic.Int64
	temperatures, err := bootstrap.Intervals(o, []bootstrap.Estimate{{Value: t.T, Scale: bootstrap.Positive}}, func() func(*rand.Rand, []float64) {
		weights := make([]int32, len(fit.label))
		return func(rng *rand.Rand, out []float64) {
			bootstrap.Resample(rng, weights)
			switch cold, hot, _ := fit.limits(weights); {
			case cold:
				colds.Add(1)
				out[0] = MinTemperature
			case hot:
				hots.Add(1)
				out[0] = MaxTemperature
			default:
				out[0] = 1 / fit.solve(1/t.T, weights)
			}
		}
	})
	if err != nil {
		return err
	}
	// The percentile lies between the values of ranks that are this many from an end, and one more.
	tail := (1 - cmp.Or(o.Level, .95)) / 2 * float64(o.Resamples-1)
	if n := max(colds.Load(), hots.Load()); float64(n) > tail {
		r.Warnings = append(r.Warnings, fmt.Sprintf("temperature: no interval, since %d of %d resamples of the validation examples have no best T, as where all are classified right; use more validation data", n, o.Resamples))
		return nil
	}
	r.Intervals["T_opt"] = temperatures[0]
	return nil
}

// debiases returns the plain value of a metric from which an estimate of its bias is taken off.
func (r *Report) debiases(name string) (plain float64, ok bool) {
	switch name {
	case "ECE_debiased":
		return r.ECE, true
	case "RMSCE_debiased":
		return r.RMSCE, true
	}
	return 0, false
}

// maybePerfect reports whether a metric of gaps is one of the 95 % that a perfectly calibrated model
// shows: ECE_equal_mass by its own, the others by the ECE.
func (r *Report) maybePerfect(c Convention) bool {
	switch c.Name {
	case "ECE", "RMSCE", "ECE_debiased", "RMSCE_debiased":
		return r.ECE <= r.Perfect["ECE"].High
	case "ECE_equal_mass":
		return r.ECEEqualMass <= r.Perfect[c.Name].High
	}
	return false
}

// draw draws an interval for each metric.
func (r *Report) draw(e *evaluation, o bootstrap.Options) error {
	conventions := slices.DeleteFunc(Conventions(), func(c Convention) bool { return !c.hasInterval() })
	estimates := make([]bootstrap.Estimate, len(conventions))
	for k, c := range conventions {
		estimates[k] = bootstrap.Estimate{Value: c.Of(r.Metrics), Scale: c.Scale}
		if plain, ok := r.debiases(c.Name); ok {
			// What a resample's debiased value estimates is the sample's plain one, so that is where
			// their distribution is centered; it is taken to be as far from the truth.
			estimates[k].Value = (estimates[k].Value + plain) / 2
		}
	}
	all, err := bootstrap.Intervals(o, estimates, func() func(*rand.Rand, []float64) {
		memory := e.newScratch()
		weights := make([]int32, e.n)
		return func(rng *rand.Rand, out []float64) {
			bootstrap.Resample(rng, weights)
			f := e.metrics(weights, memory)
			for k, c := range conventions {
				out[k] = c.Of(f)
			}
		}
	})
	if err != nil || all == nil {
		return err
	}
	r.Intervals, r.IntervalKind = make(map[string]bootstrap.Interval), bootstrap.Kind
	for k, c := range conventions {
		i := all[k]
		if r.maybePerfect(c) {
			i.Low = 0
		}
		i = bootstrap.Interval{Low: min(i.Low, c.most()), High: min(i.High, c.most())}
		if !i.HasWidth() { // as where all is right
			if c.Name != "accuracy" || o.Level != 0 && o.Level != .95 {
				continue
			}
			i = bootstrap.Wilson(r.Accuracy, r.Samples)
		}
		r.Intervals[c.Name] = i
	}
	return nil
}
