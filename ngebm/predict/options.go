package predict

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/data/nearest"
	"ngebm/data/progress"
	"ngebm/ngebm/conformal"
	"ngebm/ngebm/ood"
)

// Names of scores besides those of ood.Scores (px, py, max_logit, entropy, GEN).
const (
	GradientScore = "pxgrad" // -‖∂E/∂x‖₂
	// InputScore is minus the mean over an input's values of ((x-μ)/σ)², where μ and σ are
	// those of the training split, value by value; σ is at least a twentieth of their largest.
	InputScore = "input"
)

// Calibration is how logits become the probability of a decision; see package calibration.
type Calibration string

// The calibrations.
const (
	TemperatureScaling Calibration = "temperature" // all logits divided by one number
	VectorScaling      Calibration = "vector"      // each class's logit scaled and shifted
)

// Options say what to fit. The zero value means the defaults.
type Options struct {
	// Sets are those of Decision.Set; an Alpha of 0 is .1, an empty Method lac.
	Sets conformal.Options
	// Calibration makes Decision.Probability: TemperatureScaling, or VectorScaling, which needs many
	// validation examples of each class. "" is TemperatureScaling.
	Calibration Calibration
	// Scores refuse inputs: px (energy), py (MSP), max_logit, entropy, GEN, pxgrad (minus
	// the gradient norm), input (see [InputScore]), or a detector on features (MDS, RMDS, ViM,
	// fDBD, ReAct; see ood.Detectors), fitted on the training split. The field's names (energy,
	// MSP) and other spellings are understood. nil is px and input; empty is none.
	Scores []string
	// FalseAlarms is the share of usual inputs that all scores together refuse, at most: each
	// of N scores gets an N-th of it (Bonferroni). 0 is .05.
	FalseAlarms float64
	// Risk is the selective risk r, the share of wrong answers among those given, and Delta
	// is δ: it holds with confidence 1-δ. A Risk of 0 leaves that out; a Delta of 0 is .05.
	Risk, Delta float64
	// Outliers are inputs that each score should tell from the validation examples: one with
	// an AUROC of .5 or less on them is refused. May be nil.
	Outliers *data.Dataset
	Seed     uint64            // of the random numbers of randomized sets
	Progress progress.Reporter // nil shows nothing
}

// withDefaults fills in defaults and checks what can be checked without data.
func (o Options) withDefaults() (Options, error) {
	if o.Sets.Alpha == 0 {
		o.Sets.Alpha = .1
	}
	if o.Sets.Method == "" {
		o.Sets.Method = conformal.LAC
	}
	if o.Calibration == "" {
		o.Calibration = TemperatureScaling
	}
	if o.Calibration != TemperatureScaling && o.Calibration != VectorScaling {
		return o, fmt.Errorf("predict: there is no calibration %.40q; choose %s or %s", o.Calibration, TemperatureScaling, VectorScaling)
	}
	if o.Scores == nil {
		o.Scores = []string{"px", InputScore}
	}
	if o.FalseAlarms == 0 {
		o.FalseAlarms = .05
	}
	if o.Delta == 0 {
		o.Delta = .05
	}
	if o.Progress == nil {
		o.Progress = progress.Discard{}
	}
	if err := o.Sets.Validate(); err != nil {
		return o, err
	}
	if !(o.FalseAlarms > 0 && o.FalseAlarms < 1) {
		return o, fmt.Errorf("predict: the rate of false alarms is %v; it must be between 0 and 1, as .05 is", o.FalseAlarms)
	}
	if o.Risk < 0 || !(o.Risk < 1) || !(o.Delta > 0 && o.Delta < 1) {
		return o, fmt.Errorf("predict: risk %v with delta %v; both must be between 0 and 1, or 0 for none and .05", o.Risk, o.Delta)
	}
	o.Scores = slices.Clone(o.Scores)
	for i, name := range o.Scores {
		o.Scores[i] = canonical(name)
	}
	return o, checkScores(o.Scores)
}

// canonical is a score's name in [ScoreNames]: the field's names (energy, MSP, MaxLogit, Mahalanobis) and
// other spellings are understood.
func canonical(name string) string {
	if d, err := ood.FindDetector(name); err == nil {
		return d.Name
	}
	known := append(ScoreNames(), ood.DetectorNames()...)
	if i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(name, k) }); i >= 0 {
		return known[i]
	}
	return name
}

// Validate returns an error that names the first option that is out of range. What depends on the run or
// its validation split is checked by [Fit].
func (o Options) Validate() error {
	_, err := o.withDefaults()
	return err
}

func checkScores(names []string) error {
	for i, name := range names {
		if known := ScoreNames(); !slices.Contains(known, name) {
			if d, err := ood.FindDetector(name); err == nil {
				return fmt.Errorf("predict: %s cannot be stored with a predictor%s; choose among %s", d.Name, whyNotStored(d), strings.Join(known, ", "))
			}
			hint := nearest.Hint(name, slices.Concat(known, []string{"energy", "MSP"}))
			return fmt.Errorf("predict: there is no score %.40q%s; there are %s (px is the energy, py the MSP, pxgrad minus the gradient norm)", name, hint, strings.Join(known, ", "))
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("predict: score %s is given twice", name)
		}
	}
	return nil
}

// whyNotStored says why a detector is none of [ScoreNames].
func whyNotStored(d ood.Detector) string {
	if d.Needs == ood.NeedsFeatures {
		return ", since it compares with the features of all training examples"
	}
	return ", since it needs a step along the gradient for each input"
}

// ScoreNames lists the scores that Options.Scores may name.
func ScoreNames() []string {
	var names []string
	for _, s := range ood.Scores() {
		names = append(names, s.Name)
	}
	return slices.Concat(names, []string{GradientScore, InputScore}, ood.StorableNames())
}

// inputStats are means and deviations of inputs, value by value.
type inputStats struct {
	Mean      []float32 `json:"mean"`
	Deviation []float32 `json:"deviation"`
}

// newInputStats computes them over a set, in the network's units.
func newInputStats(d *data.Dataset) (*inputStats, error) {
	if d == nil {
		return nil, errors.New("predict: the input score needs the training split; train the configuration again (it will be loaded), or leave the score out")
	}
	size := d.Size()
	sum, squares, x := make([]float64, size), make([]float64, size), make([]float32, size)
	n := float64(d.Len())
	for i := range d.Len() {
		d.Example(i, x)
		for j, v := range x {
			sum[j] += float64(v) / n
		}
	}
	largest := 0.
	for i := range d.Len() {
		d.Example(i, x)
		for j, v := range x {
			squares[j] += (float64(v) - sum[j]) * (float64(v) - sum[j]) / n
			largest = max(largest, squares[j])
		}
	}
	if largest == 0 {
		return nil, errors.New("predict: the input score does not separate: all training examples are equal; leave the score out")
	}
	s := &inputStats{make([]float32, size), make([]float32, size)}
	for j := range sum {
		s.Mean[j], s.Deviation[j] = float32(sum[j]), float32(math.Sqrt(max(squares[j], largest/400)))
	}
	return s, nil
}

// score is [InputScore] of one input.
func (s *inputStats) score(x []float32) float64 {
	sum := 0.
	for j, v := range x {
		z := (float64(v) - float64(s.Mean[j])) / float64(s.Deviation[j])
		sum += z * z
	}
	return -sum / float64(len(x))
}

// check returns an error where stored statistics cannot be of inputs of that size.
func (s *inputStats) check(size int) error {
	if len(s.Mean) != size || len(s.Deviation) != size {
		return fmt.Errorf("%d means and %d deviations for inputs of %d values", len(s.Mean), len(s.Deviation), size)
	}
	for j := range s.Mean {
		if d := float64(s.Deviation[j]); !(d > 0) || math.IsInf(d, 1) || math.IsNaN(float64(s.Mean[j])) || math.IsInf(float64(s.Mean[j]), 0) {
			return fmt.Errorf("value %d has mean %v and deviation %v", j, s.Mean[j], s.Deviation[j])
		}
	}
	return nil
}
