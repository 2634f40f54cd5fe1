package calibration

import (
	"math"
	"strings"

	"ngebm/ngebm/bootstrap"
)

// Metrics are the numbers of one sample. The doc comment of the package says
// which package computes the same, and which does not.
type Metrics struct {
	Accuracy       float64 `json:"accuracy"`
	MeanConfidence float64 `json:"mean_confidence"`

	ECE                 float64 `json:"ECE"`
	MCE                 float64 `json:"MCE"`
	RMSCE               float64 `json:"RMSCE"`
	ECEEqualMass        float64 `json:"ECE_equal_mass"`
	ClasswiseECE        float64 `json:"classwise_ECE"`
	ECEMidpoint         float64 `json:"ECE_midpoint"`
	ECEMidpointOfficial float64 `json:"ECE_midpoint_official"`

	NLL              float64 `json:"NLL"`
	Brier            float64 `json:"Brier_sum"`
	BrierReliability float64 `json:"Brier_reliability"`
	BrierResolution  float64 `json:"Brier_resolution"`
	BrierUncertainty float64 `json:"Brier_uncertainty"`
	BrierWithinBins  float64 `json:"Brier_within_bins"`

	AURC float64 `json:"AURC"`

	*Further // nil in reports that were stored before these were measured
}

// Further are metrics that reports have since 2026-12.
type Further struct {
	ECEDebiased   float64 `json:"ECE_debiased"`
	RMSCEDebiased float64 `json:"RMSCE_debiased"`
	SmoothECE     float64 `json:"smooth_ECE"`
	AUGRC         float64 `json:"AUGRC"`
}

// further reads a metric of Further, NaN where there are none.
func further(of func(*Further) *float64) func(*Metrics) *float64 {
	return func(m *Metrics) *float64 {
		if m.Further == nil {
			missing := math.NaN()
			return &missing
		}
		return of(m.Further)
	}
}

// Convention says how a metric is defined.
type Convention struct {
	Name       string // the JSON key
	Definition string
	Scale      bootstrap.Scale // of its intervals; sums of gaps are bootstrap.Gap

	of func(*Metrics) *float64
}

// Of returns the metric; NaN where an old report lacks it.
func (c Convention) Of(f Metrics) float64 { return *c.of(&f) }

// most is the upper end of the metric's range.
func (c Convention) most() float64 {
	switch {
	case c.Name == "NLL":
		return math.Inf(1)
	case strings.HasPrefix(c.Name, "Brier"):
		return 2
	case c.Name == "AUGRC":
		return .5
	}
	return 1
}

// hasInterval reports whether intervals of the metric are drawn; see [Options].Bootstrap.
func (c Convention) hasInterval() bool {
	switch c.Name {
	case "smooth_ECE", "MCE", "classwise_ECE", "Brier_uncertainty":
		return false
	}
	return true
}

// Conventions lists the metrics, in the order in which they are shown.
func Conventions() []Convention {
	return []Convention{
		{"accuracy", "share whose largest value is the label's; the first on ties", bootstrap.Share, func(f *Metrics) *float64 { return &f.Accuracy }},
		{"mean_confidence", "mean probability of the predicted class", bootstrap.Share, func(f *Metrics) *float64 { return &f.MeanConfidence }},
		{"ECE", "equal-width bins (lo,hi], mean confidence, weighted by size", bootstrap.Gap, func(f *Metrics) *float64 { return &f.ECE }},
		{"MCE", "largest gap of the same bins; no interval", bootstrap.Gap, func(f *Metrics) *float64 { return &f.MCE }},
		{"RMSCE", "root of the weighted mean squared gap of the same bins (plug-in)", bootstrap.Gap, func(f *Metrics) *float64 { return &f.RMSCE }},
		{"ECE_debiased", "2 ECE less the ECE expected with the bins' accuracies drawn again (Kumar et al. 2019)", bootstrap.Gap, further(func(f *Further) *float64 { return &f.ECEDebiased })},
		{"RMSCE_debiased", "RMSCE, each squared gap less the variance of its accuracy (Kumar et al. 2019)", bootstrap.Gap, further(func(f *Further) *float64 { return &f.RMSCEDebiased })},
		{"smooth_ECE", "no bins, a Gaussian kernel as wide as the result (Błasiok and Nakkiran 2023); no interval", bootstrap.Gap, further(func(f *Further) *float64 { return &f.SmoothECE })},
		{"ECE_equal_mass", "bins of equal mass, edges between order statistics, ties together", bootstrap.Gap, func(f *Metrics) *float64 { return &f.ECEEqualMass }},
		{"classwise_ECE", "mean over classes of each class's ECE, bins (lo,hi]; no interval", bootstrap.Gap, func(f *Metrics) *float64 { return &f.ClasswiseECE }},
		{"ECE_midpoint", "20 bins (lo,hi], the bin's midpoint in place of mean confidence", bootstrap.Gap, func(f *Metrics) *float64 { return &f.ECEMidpoint }},
		{"ECE_midpoint_official", "the same as the NG-EBM authors compute it: float32, [lo,hi), pseudo-counts", bootstrap.Gap, func(f *Metrics) *float64 { return &f.ECEMidpointOfficial }},
		{"NLL", "mean -log p(label), nats; not clipped from logits, at 2.2e-16 from probabilities", bootstrap.Positive, func(f *Metrics) *float64 { return &f.NLL }},
		{"Brier_sum", "mean over examples of the sum over classes, 0 to 2", bootstrap.Positive, func(f *Metrics) *float64 { return &f.Brier }},
		{"Brier_reliability", "Murphy's parts, summed over classes, on the bins of classwise_ECE:", bootstrap.Gap, func(f *Metrics) *float64 { return &f.BrierReliability }},
		{"Brier_resolution", "Brier_sum = reliability - resolution + uncertainty + within_bins", bootstrap.Gap, func(f *Metrics) *float64 { return &f.BrierResolution }},
		{"Brier_uncertainty", "sum over classes of share (1 - share); no interval", bootstrap.Positive, func(f *Metrics) *float64 { return &f.BrierUncertainty }},
		{"Brier_within_bins", "variance of p in bins less twice its covariance with the outcome", bootstrap.Linear, func(f *Metrics) *float64 { return &f.BrierWithinBins }},
		{"AURC", "mean risk over coverages 1/n … 1, most confident first; ties in mean order", bootstrap.Positive, func(f *Metrics) *float64 { return &f.AURC }},
		{"AUGRC", "mean over coverages of the share of all that is answered and wrong (Traub et al. 2024)", bootstrap.Positive, further(func(f *Further) *float64 { return &f.AUGRC })},
	}
}
