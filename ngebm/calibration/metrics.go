package calibration

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
}

// Convention says how a metric is defined.
type Convention struct {
	Name       string // the JSON key
	Definition string

	of func(*Metrics) *float64
}

// Of returns the metric.
func (c Convention) Of(f Metrics) float64 { return *c.of(&f) }

// Conventions lists the metrics, in the order in which they are shown.
func Conventions() []Convention {
	return []Convention{
		{"accuracy", "share whose largest value is the label's; the first on ties", func(f *Metrics) *float64 { return &f.Accuracy }},
		{"mean_confidence", "mean probability of the predicted class", func(f *Metrics) *float64 { return &f.MeanConfidence }},
		{"ECE", "equal-width bins (lo,hi], mean confidence, weighted by size", func(f *Metrics) *float64 { return &f.ECE }},
		{"MCE", "largest gap of the same bins", func(f *Metrics) *float64 { return &f.MCE }},
		{"RMSCE", "root of the weighted mean squared gap of the same bins (plug-in)", func(f *Metrics) *float64 { return &f.RMSCE }},
		{"ECE_equal_mass", "bins of equal mass, edges between order statistics, ties together", func(f *Metrics) *float64 { return &f.ECEEqualMass }},
		{"classwise_ECE", "mean over classes of each class's ECE, bins (lo,hi]", func(f *Metrics) *float64 { return &f.ClasswiseECE }},
		{"ECE_midpoint", "20 bins (lo,hi], the bin's midpoint in place of mean confidence", func(f *Metrics) *float64 { return &f.ECEMidpoint }},
		{"ECE_midpoint_official", "the same as the NG-EBM authors compute it: float32, [lo,hi), pseudo-counts", func(f *Metrics) *float64 { return &f.ECEMidpointOfficial }},
		{"NLL", "mean -log p(label), nats; not clipped from logits, at 2.2e-16 from probabilities", func(f *Metrics) *float64 { return &f.NLL }},
		{"Brier_sum", "mean over examples of the sum over classes, 0 to 2", func(f *Metrics) *float64 { return &f.Brier }},
		{"Brier_reliability", "Murphy's parts, summed over classes, on the bins of classwise_ECE:", func(f *Metrics) *float64 { return &f.BrierReliability }},
		{"Brier_resolution", "Brier_sum = reliability - resolution + uncertainty + within_bins", func(f *Metrics) *float64 { return &f.BrierResolution }},
		{"Brier_uncertainty", "sum over classes of share (1 - share)", func(f *Metrics) *float64 { return &f.BrierUncertainty }},
		{"Brier_within_bins", "variance of p in bins less twice its covariance with the outcome", func(f *Metrics) *float64 { return &f.BrierWithinBins }},
		{"AURC", "mean risk over coverages 1/n … 1, most confident first; ties in mean order", func(f *Metrics) *float64 { return &f.AURC }},
	}
}
