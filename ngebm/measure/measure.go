// Package measure evaluates a classifier: calibration, out-of-distribution detection,
// adversarial robustness and energies, in one report. Every metric has its definition,
// sample size, seed and interval.
package measure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/jem"
	"ngebm/ngebm/ood"
)

// Options say what to measure besides the metrics that need the data only.
type Options struct {
	// Validation fits the temperature; without it there are no metrics after
	// temperature. [MeasureCached] takes the run's own if this is nil.
	Validation *data.Dataset
	Bins       int               // of the calibration metrics; 0 is calibration.DefaultBins
	Bootstrap  bootstrap.Options // of all intervals but those of robustness, which are Wilson's
	Out        []*data.Dataset   // out-of-distribution sets, of the same shape
	// Detectors are names of ood.Detectors that are fitted on features (kNN, MDS …), to measure
	// next to the scores that need no fit. They are fitted on Train, for which [MeasureCached]
	// takes the run's own if it is nil.
	Detectors []string
	Train     *data.Dataset
	// OODValidation is an OOD set that is not in Out. With it, detectors that have a parameter,
	// GEN and ODIN among them, get the candidate that best separates Validation from it; see
	// ood.Detector.Tune. nil leaves the defaults.
	OODValidation *data.Dataset
	Attacks       []Plan
	// AttackBatch is the number of examples that are attacked at once, at most; 0 is
	// 128. Where few survive, as of small sets, less is faster on a CPU. It changes
	// metrics by no more than rounding does.
	AttackBatch int
	// Refine, if it has steps, measures the classifier a second time with its inputs
	// refined (see jem.Refinement), which tables show below the plain pass.
	Refine   jem.Refinement
	Seed     uint64            // of the attacks
	Progress progress.Reporter // nil shows nothing
}

// Plan is one attack to make.
type Plan struct {
	Attack   attack.Attack
	Epsilons []float64 // see the units of package attack
	Examples int       // how many of the set, see data.Dataset.Sample; 0 is all
	// Masking also looks for signs of masked gradients, at the largest ε of an
	// attack's plan.
	Masking bool
}

// Report is what was measured of one classifier on one set. It turns into JSON.
type Report struct {
	Network    string `json:"network"`
	Parameters int    `json:"parameters"`
	Run        string `json:"run,omitempty"`  // hash of the configuration, see ngebm.Config.Hash
	Code       string `json:"code,omitempty"` // that measured, see ngebm.Version; of [MeasureCached] only
	// Notes are the run's, see ngebm.Run: they belong to this moment, and are not stored.
	Notes []string `json:"-"`

	Data     data.Info `json:"data"`
	Examples int       `json:"examples"`

	// Calibration has accuracy, NLL, Brier score, AURC and all forms of ECE,
	// before and after temperature.
	Calibration *calibration.Report `json:"calibration"`
	Confusion   [][]int             `json:"confusion"`      // [label][answer], counts
	PerClass    []float64           `json:"class_accuracy"` // share of a label's examples that are answered right; NaN-free: 0 for a class without examples

	Energy       Moments `json:"energy"`        // E(x) = logsumexp f(x)
	GradientNorm Moments `json:"gradient_norm"` // ‖∂E/∂x‖₂

	OOD        []Detection             `json:"ood,omitempty"`
	Robustness []*attack.Curve         `json:"robustness,omitempty"`
	Masking    []*attack.MaskingReport `json:"masking,omitempty"`

	Refined *Refined `json:"refined,omitempty"` // nil where Options.Refine has no steps
}

// Refined is what was measured with refined inputs: the same metrics as in the report
// around it, which are the plain pass's.
type Refined struct {
	Refinement  jem.Refinement          `json:"refinement"`
	Calibration *calibration.Report     `json:"calibration"`
	Robustness  []*attack.Curve         `json:"robustness,omitempty"` // plan by plan; gradients go through the refinement
	Masking     []*attack.MaskingReport `json:"masking,omitempty"`
}

// Moments are the mean and the standard deviation (1/N) over the examples.
type Moments struct {
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"`
}

// Detection is how well one score separates the measured set from another.
type Detection struct {
	Set   data.Info `json:"set"`
	Score string    `json:"score"` // px (energy), py (MSP), pxgrad (minus the gradient norm) …; larger is more in-distribution
	Is    string    `json:"is"`    // the score's formula
	// Parameter is the detector's own parameter, such as kNN's k; 0 if it does not have one, where GEN was not
	// tuned, and where ViM's is by the authors' rule. ODIN has two, which Is states.
	Parameter float64 `json:"parameter,omitempty"`
	ood.Report
}

// Measure measures a classifier on a set.
func Measure(ctx context.Context, c *ngebm.Classifier, in *data.Dataset, o Options) (*Report, error) {
	return measureFrom(ctx, c, in, o, nothingBegun())
}

// measureFrom is Measure, which resumes attacks that were begun.
func measureFrom(ctx context.Context, c *ngebm.Classifier, in *data.Dataset, o Options, b *begun) (*Report, error) {
	if o.Progress == nil {
		o.Progress = progress.Discard{}
	}
	if in == nil {
		return nil, errors.New("measure: the set is nil; give the run's Test, or another set of the same shape")
	}
	for i, out := range o.Out {
		if out == nil {
			return nil, fmt.Errorf("measure: OOD set %d (from 0) is nil", i)
		}
		if !slices.Equal(out.Shape, in.Shape) {
			return nil, fmt.Errorf("measure: %s has examples of shape %v, but %s has %v; resize it first", out.Name, out.Shape, in.Name, in.Shape)
		}
	}
	for _, set := range []*data.Dataset{in, o.Validation} {
		if set == nil {
			continue
		}
		if err := c.FitsLabels(set); err != nil {
			return nil, err
		}
	}
	if err := o.check(in, len(c.Classes)); err != nil {
		return nil, err
	}
	r := &Report{Network: c.Network.String(), Parameters: c.Parameters(), Data: in.Info, Examples: in.Len()}
	s, err := newScorer(c, in, o.Progress)
	if err != nil {
		return nil, err
	}
	defer func() { s.odin.Finalize() }()
	if err := s.fit(ctx, o); err != nil {
		return nil, err
	}
	inside, err := s.score(ctx, in, len(o.Out) > 0)
	if err != nil {
		return nil, err
	}
	r.Energy, r.GradientNorm = moments(inside.values["px"]), moments(inside.values["pxgrad"])
	r.GradientNorm.Mean = 0 - r.GradientNorm.Mean // the score is the norm's negative; not -0
	r.confuse(inside.logits, in.Labels)

	if r.Calibration, err = calibrate(ctx, c.Logits, inside.logits, in, o); err != nil {
		return nil, err
	}
	for _, set := range o.Out {
		outside, err := s.score(ctx, set, true)
		if err != nil {
			return nil, err
		}
		for _, name := range s.names() {
			report, err := ood.Measure(inside.values[name], outside.values[name], o.Bootstrap)
			if err != nil {
				return nil, fmt.Errorf("%s, score %s: %w", set.Name, name, err)
			}
			r.OOD = append(r.OOD, Detection{set.Info, name, s.is[name], s.parameters[name], *report})
		}
	}
	if r.Robustness, r.Masking, err = robustness(ctx, c, in, o, b, "plain"); err != nil {
		return nil, err
	}
	if o.Refine.Steps != 0 {
		r.Refined, err = refined(ctx, c, in, o, b)
	}
	return r, err
}

// check returns an error for options that would end the measuring later: attacks may take hours.
func (o Options) check(in *data.Dataset, classes int) error {
	if err := o.Refine.Validate(); err != nil {
		return fmt.Errorf("measure: refinement: %w", err)
	}
	if err := o.Bootstrap.Validate(); err != nil {
		return err
	}
	if bins := cmp.Or(o.Bins, calibration.DefaultBins); bins < 1 || bins > in.Len() {
		return fmt.Errorf("measure: %d bins for the %d examples of %s; there must be at least 1, and at most as many as examples", bins, in.Len(), in.Name)
	}
	if o.AttackBatch < 0 {
		return fmt.Errorf("measure: %d examples are attacked at once; give 1 or more, or 0 for 128", o.AttackBatch)
	}
	for _, plan := range o.Attacks {
		if plan.Examples < 0 {
			return fmt.Errorf("measure: an attack on %d examples is not possible; give 1 or more, or 0 for all %d", plan.Examples, in.Len())
		}
		if err := attack.Check(plan.Attack, plan.Epsilons, classes); err != nil {
			return err
		}
	}
	return nil
}

// calibrate measures calibration on a set with the given logits; logits gives those of
// the validation set.
func calibrate(ctx context.Context, logits func(context.Context, *data.Dataset) ([][]float64, error), inside [][]float64, in *data.Dataset, o Options) (*calibration.Report, error) {
	options := calibration.Options{Bins: o.Bins, Bootstrap: o.Bootstrap}
	if o.Validation != nil {
		held, err := logits(ctx, o.Validation)
		if err != nil {
			return nil, err
		}
		options.Validation = &calibration.Sample{Logits: held, Labels: o.Validation.Labels}
	}
	return calibration.Measure(calibration.Sample{Logits: inside, Labels: in.Labels}, options)
}

// refined measures the classifier with refined inputs.
func refined(ctx context.Context, c *ngebm.Classifier, in *data.Dataset, o Options, b *begun) (*Refined, error) {
	m, err := c.Refine(o.Refine)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	inside, err := m.Logits(ctx, in)
	if err != nil {
		return nil, err
	}
	r := &Refined{Refinement: o.Refine.WithDefaults()}
	if r.Calibration, err = calibrate(ctx, m.Logits, inside, in, o); err != nil {
		return nil, err
	}
	r.Robustness, r.Masking, err = robustness(ctx, m, in, o, b, "refined")
	return r, err
}

// robustness makes the planned attacks, all with what one Attacker compiled. It resumes those that
// were begun, of the plain or the refined pass.
func robustness(ctx context.Context, m attack.Model, in *data.Dataset, o Options, b *begun, pass string) (curves []*attack.Curve, checks []*attack.MaskingReport, err error) {
	if len(o.Attacks) == 0 {
		return nil, nil, nil
	}
	attacker, err := attack.New(m, attack.Options{Seed: o.Seed, Batch: o.AttackBatch, Report: o.Progress})
	if err != nil {
		return nil, nil, err
	}
	defer attacker.Close()
	for i, plan := range o.Attacks {
		set, err := sample(in, plan.Examples, o.Seed)
		if err != nil {
			return nil, nil, err
		}
		name := fmt.Sprintf("%s %d", pass, i)
		curve, err := attacker.Resume(ctx, set, plan.Attack, plan.Epsilons, b.Attacks[name], func(s *attack.State) { b.keep(name, s) })
		if err != nil {
			return nil, nil, err
		}
		curves = append(curves, curve)
		if plan.Masking {
			masking := b.Masking[name]
			if masking == nil {
				if masking, err = attacker.CheckMasking(ctx, set, curve.Norm, slices.Max(plan.Epsilons)); err != nil {
					return nil, nil, err
				}
				b.keepMasking(name, masking)
			}
			checks = append(checks, masking)
		}
	}
	return curves, checks, nil
}

// sample returns n examples, see [data.Dataset.Sample], or all where n is 0 or more than there are.
func sample(d *data.Dataset, n int, seed uint64) (*data.Dataset, error) {
	if n == 0 || n >= d.Len() {
		return d, nil
	}
	return d.Sample(n, seed)
}

func (r *Report) confuse(logits [][]float64, labels []int32) {
	classes := len(logits[0])
	r.Confusion, r.PerClass = make([][]int, classes), make([]float64, classes)
	for k := range r.Confusion {
		r.Confusion[k] = make([]int, classes)
	}
	for i, f := range logits {
		answer := slices.Index(f, slices.Max(f))
		r.Confusion[labels[i]][answer]++
	}
	for k, row := range r.Confusion {
		total := 0
		for _, n := range row {
			total += n
		}
		r.PerClass[k] = float64(row[k]) / float64(max(1, total))
	}
}

func moments(values []float64) Moments {
	var m Moments
	n := float64(len(values))
	for _, v := range values {
		m.Mean += v / n
	}
	for _, v := range values {
		m.Deviation += (v - m.Mean) * (v - m.Mean) / n
	}
	m.Deviation = math.Sqrt(m.Deviation)
	return m
}
