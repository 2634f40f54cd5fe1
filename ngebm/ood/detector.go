package ood

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/data/nearest"
)

// Outputs are what a classifier says of examples, one entry for each, in order. A [Detector]
// reads the part that it Needs.
type Outputs struct {
	Logits        [][]float64 // [examples][classes]
	Features      [][]float64 // [examples][width], the input of the last linear layer
	GradientNorms []float64   // ‖∂E/∂x‖₂
	ODIN          []float64   // the score that [ODIN] builds

	// Done, if not nil, is called from time to time with the number of examples scored.
	Done func(examples int)
}

// Training is what detectors are fitted on: features of training examples, and the network's
// last layer, logits = features·Weight + Bias.
type Training struct {
	Features [][]float64 // [examples][width]
	Labels   []int32     // [examples]
	Weight   [][]float64 // [width][classes]
	Bias     []float64   // [classes]
}

// Model is a classifier that detectors are fitted to, as ngebm.Classifier is.
type Model interface {
	Features(ctx context.Context, d *data.Dataset) ([][]float64, error)
	Head() (weight [][]float64, bias []float64, err error)
}

// TrainingOf returns what detectors are fitted on: a model's features of training examples.
func TrainingOf(ctx context.Context, m Model, d *data.Dataset) (t Training, err error) {
	if t.Features, err = m.Features(ctx, d); err != nil {
		return t, err
	}
	t.Labels = d.Labels
	t.Weight, t.Bias, err = m.Head()
	return t, err
}

// Needs is a part of [Outputs].
type Needs string

// What detectors need.
const (
	NeedsLogits   Needs = "logits"
	NeedsFeatures Needs = "features" // these are fitted on [Training]; the others ignore it
	NeedsGradient Needs = "gradient"
	NeedsODIN     Needs = "ODIN"
)

// Detector is a way to score examples. Larger scores mean more in-distribution.
type Detector struct {
	Name       string // px, kNN …
	Definition string // its formula, with the value of its parameter
	Source     string // its paper
	Needs      Needs

	// Parameter names the detector's own parameter; most do not have one. Value is its value,
	// and Candidates are those that [Detector.Tune] tries.
	Parameter  string
	Value      float64
	Candidates []float64

	fit   func(ctx context.Context, t *fitting) (Fitted, error)
	with  func(value float64) Detector
	whole bool // the parameter is a whole number
}

// Fitted is a detector that can score. It may be used from any goroutine.
type Fitted interface {
	// Score returns the scores of all examples, all finite. It ends with an error if
	// the context ends, if the part that it needs is missing or has another width, or
	// if a value is not finite.
	Score(ctx context.Context, o Outputs) ([]float64, error)
}

// Detectors lists all detectors with their default parameters: first the [Scores] of logits,
// then those that need gradients, then those that are fitted on features.
func Detectors() []Detector {
	var all []Detector
	sources := map[string]string{
		"px": "Liu et al. 2020, arXiv 2010.03759", "py": "Hendrycks & Gimpel 2017, arXiv 1610.02136",
		"max_logit": "Hendrycks et al. 2022, arXiv 1911.11132", "entropy": "Hendrycks & Gimpel 2017, arXiv 1610.02136",
	}
	for _, s := range Scores() {
		if s.Name == "GEN" {
			all = append(all, genDetector(.1))
			continue
		}
		all = append(all, ofLogits(s, sources[s.Name]))
	}
	return append(all,
		Detector{Name: "pxgrad", Definition: "-‖∂E/∂x‖₂ (minus the gradient norm)", Source: "Piland et al. 2023, arXiv 2304.01297; approximate mass of Grathwohl et al. 2020",
			Needs: NeedsGradient, fit: always(given{func(o Outputs) []float64 { return o.GradientNorms }, -1, NeedsGradient})},
		Detector{Name: "ODIN", Definition: ODINParameters{ODINTemperature, ODINEpsilon}.String(), Source: "Liang et al. 2018, arXiv 1706.02690",
			Needs: NeedsODIN, fit: always(given{func(o Outputs) []float64 { return o.ODIN }, 1, NeedsODIN})},
		KNN(50), MDS(), RMDS(), ViM(0), FDBD(), ReAct(90))
}

// FindDetector returns the detector of [Detectors] with that name, or with the field's name
// for one that has the paper's: energy is px, MSP py, MaxLogit max_logit, Mahalanobis MDS.
func FindDetector(name string) (Detector, error) {
	all := Detectors()
	if i := slices.IndexFunc(all, func(d Detector) bool { return d.Name == name || d.Name == fieldNames(name) }); i >= 0 {
		return all[i], nil
	}
	names := DetectorNames()
	return Detector{}, fmt.Errorf("ood: there is no detector %.40q%s; choose from %s", name, nearest.Hint(name, names), strings.Join(names, ", "))
}

func fieldNames(name string) string {
	switch strings.ToLower(name) {
	case "energy":
		return "px"
	case "msp":
		return "py"
	case "maxlogit":
		return "max_logit"
	case "mahalanobis":
		return "MDS"
	}
	return ""
}

// DetectorNames are the names of [Detectors].
func DetectorNames() []string {
	var names []string
	for _, d := range Detectors() {
		names = append(names, d.Name)
	}
	return names
}

// FeatureDetectorNames are the names of the detectors that are fitted on features.
func FeatureDetectorNames() []string {
	var names []string
	for _, d := range Detectors() {
		if d.Needs == NeedsFeatures {
			names = append(names, d.Name)
		}
	}
	return names
}

// With returns the detector with another value of its parameter. The numbers of kNN and ViM are
// whole.
func (d Detector) With(value float64) (Detector, error) {
	if d.with == nil {
		return d, fmt.Errorf("ood: %s has no parameter to set to %v", d.Name, value)
	}
	if d.whole && value != math.Trunc(value) {
		return d, fmt.Errorf("ood: %s of %s is %v; it must be a whole number", d.Parameter, d.Name, value)
	}
	return d.with(value), nil
}

// Fit fits the detector on training examples, which one that needs no features ignores. The
// slices are not changed. If ctx has ended before or meanwhile, the error is its.
func (d Detector) Fit(ctx context.Context, t Training) (Fitted, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if d.Needs != NeedsFeatures {
		return d.fit(ctx, nil)
	}
	f, err := newFitting(t)
	if err != nil {
		return nil, fmt.Errorf("ood: %s: %w", d.Name, err)
	}
	fitted, err := d.fit(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("ood: %s: %w", d.Name, err)
	}
	return fitted, ctx.Err()
}

// Tune returns the detector with that candidate of its parameter that has the largest AUROC
// on a validation split, the first of equals: OpenOOD v1.5's protocol (Zhang et al. 2023, arXiv
// 2306.09301), in which out is an OOD set that no test uses. Candidates that cannot be fitted
// are left out. A detector without a parameter is returned as it is, and so is one whose own value
// can be fitted and no candidate can.
func (d Detector) Tune(ctx context.Context, t Training, in, out Outputs) (Detector, error) {
	if d.with == nil {
		return d, ctx.Err()
	}
	best, found := d, -1.
	var failed error
	for _, value := range d.Candidates {
		candidate := d.with(value)
		fitted, err := candidate.Fit(ctx, t)
		if err != nil {
			failed = err
			continue
		}
		inside, err := fitted.Score(ctx, in)
		if err != nil {
			return d, err
		}
		outside, err := fitted.Score(ctx, out)
		if err != nil {
			return d, err
		}
		auroc, err := AUROC(inside, outside)
		if err != nil {
			return d, err
		}
		if auroc > found {
			best, found = candidate, auroc
		}
	}
	if found < 0 && ctx.Err() == nil {
		if _, err := d.Fit(ctx, t); err == nil {
			failed = nil // the detector's own value fits
		}
		return best, failed
	}
	return best, ctx.Err()
}

// always is the fit of a detector that is not fitted.
func always(f Fitted) func(context.Context, *fitting) (Fitted, error) {
	return func(context.Context, *fitting) (Fitted, error) { return f, nil }
}

func ofLogits(s Score, source string) Detector {
	return Detector{Name: s.Name, Definition: s.Definition, Source: source, Needs: NeedsLogits, fit: always(logitScore{s})}
}

func genDetector(gamma float64) Detector {
	d := ofLogits(GEN(gamma, 100), "Liu, Lochman & Zach 2023, CVPR")
	d.Parameter, d.Value, d.Candidates, d.with = "γ", gamma, []float64{.01, .1, .5, 1, 2, 5, 10}, genDetector
	return d
}

// logitScore scores logits.
type logitScore struct{ of Score }

// Score implements [Fitted].
func (s logitScore) Score(ctx context.Context, o Outputs) ([]float64, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return s.of.Of(o.Logits)
}

// given returns scores that were computed on the device.
type given struct {
	of    func(Outputs) []float64
	sign  float64
	needs Needs
}

// Score implements [Fitted].
func (g given) Score(ctx context.Context, o Outputs) ([]float64, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	values := slices.Clone(g.of(o))
	if len(values) == 0 {
		return nil, fmt.Errorf("ood: there are no outputs of the kind %q", g.needs)
	}
	for i := range values {
		values[i] *= g.sign
	}
	return values, finiteScores(values)
}

func finiteScores(values []float64) error {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("ood: the score of example %d (the first is 0) is %v; its values are too large", i, v)
		}
	}
	return nil
}
