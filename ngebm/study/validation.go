package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/internal/cache"
	"ngebm/ngebm/ood"
)

// Validation evaluates runs on their validation examples; see [Validation.Evaluate]. The
// zero value is ready for use.
type Validation struct {
	// OODKind is the kind of synthetic OOD examples (see data.Dataset.SynthesizeOOD) that
	// are detected among the validation examples; "" is "rotated" for square images,
	// "rotated 180" for others and "uniform box" for points and rows.
	OODKind string
	// Epsilon is the size of the attack in L∞, as a fraction of the pixel range or in
	// the network's input units otherwise (of rows of a table, deviations); 0 is 8/255 for
	// images and .3 otherwise.
	Epsilon float64
	// AttackExamples is the number of validation examples to attack, see data.Dataset.Sample; 0
	// is 200. Fewer if the set has fewer.
	AttackExamples int
	Progress       progress.Reporter // nil shows nothing
}

// ParetoMetrics are the metrics of [Validation] that conflict: accuracy, calibration,
// robustness and detection.
func ParetoMetrics() []string { return []string{"accuracy", "ECE", "robust_accuracy", "AUROC_py"} }

// ValidationMetrics are the names of all metrics of [Validation].
func ValidationMetrics() []string {
	return []string{"accuracy", "NLL", "ECE", "ECE_after_T", "AUROC_px", "AUROC_py", "robust_accuracy"}
}

// PGD is the attack on validation examples and of the curves of experiments: 40 steps of
// a tenth of ε from a random start.
func PGD(norm attack.Norm) attack.Attack {
	return attack.PGD{Norm: norm, Steps: 40, Step: .1, RandomStart: true}
}

// validated is what is stored in the run's folder.
type validated struct {
	Run     string             `json:"run"`
	Metrics map[string]float64 `json:"figures"`
}

// Evaluate computes on the run's validation set
//
//	accuracy         share classified correctly
//	NLL              mean -log p(label), nats
//	ECE              15 bins of equal width, mean confidence (calibration.Metrics.ECE)
//	ECE_after_T      the same after temperature scaling by halves: examples 0, 2, 4 … are
//	                 scaled by the temperature of 1, 3, 5 … and the other way round, so
//	                 that no example is scaled by a temperature fitted to it; the ECE is
//	                 of both halves together
//	AUROC_px, _py    detection of as many OOD examples made from the validation examples,
//	                 by E(x) and by the maximum softmax probability (MSP)
//	robust_accuracy  share of the attacked examples that survives [PGD] in L∞
//
// OOD examples and attacks draw from the run's seed. The values are stored in the run's
// folder, as judged-<key>.json, and computed again only if the weights, v or the code
// change.
func (v Validation) Evaluate(ctx context.Context, run *ngebm.Run) ([]Metric, error) {
	if run.Validation == nil {
		return nil, errors.New("study: the run has no validation set; set validation in its configuration, and train it again if it was loaded without its data")
	}
	v, err := v.forSet(run.Validation)
	if err != nil {
		return nil, err
	}
	name, err := v.file(run)
	if err != nil {
		return nil, err
	}
	stored, err := cache.Read[validated](run.Dir, name)
	switch {
	case err == nil && stored.Run != "" && stored.Run != run.Hash:
		err = cache.WrongRun(run.Dir, name, stored.Run)
	case errors.Is(err, fs.ErrNotExist):
		stored = &validated{Run: run.Hash}
		if stored.Metrics, err = v.measure(ctx, run); err != nil {
			return nil, err
		}
		err = cache.Write(run.Dir, name, stored)
	}
	if err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	metrics := v.metrics(run.Validation)
	for i, m := range metrics {
		value, ok := stored.Metrics[m.Name]
		if !ok {
			return nil, fmt.Errorf("study: %s lacks %s; delete it to evaluate again", filepath.Join(run.Dir, name), m.Name)
		}
		metrics[i].Value = value
	}
	return metrics, nil
}

// Validate reports a value that is invalid for every run; [Validation.Evaluate] does the
// same, but only after a run was trained.
func (v Validation) Validate() error {
	switch {
	case !(v.Epsilon >= 0) || math.IsInf(v.Epsilon, 0):
		return fmt.Errorf("study: the radius of the attack on validation examples (-epsilon) is %v; it must be a finite number of 0 (the default) or more, such as .03 for 8/255", v.Epsilon)
	case v.AttackExamples < 0:
		return fmt.Errorf("study: the number of validation examples to attack (-attack-examples) is %d; it must be 1 or more, or 0 for 200", v.AttackExamples)
	case v.OODKind == "":
		return nil
	}
	return data.CheckOODKind(v.OODKind)
}

// CheckExamples reports a number of validation examples that is too small for every run.
func (Validation) CheckExamples(n int) error {
	if n < calibration.DefaultBins {
		return fmt.Errorf("study: %d validation examples are too few for %d bins; hold out more (validation), hundreds for a useful value", n, calibration.DefaultBins)
	}
	return nil
}

// forSet fills in the defaults.
func (v Validation) forSet(d *data.Dataset) (Validation, error) {
	if err := v.Validate(); err != nil {
		return v, err
	}
	v.OODKind = data.CanonicalOODKind(v.OODKind)
	images := d.IsImages()
	if v.OODKind == "" {
		switch {
		case !images:
			v.OODKind = "uniform box"
		case d.Shape[0] == d.Shape[1]:
			v.OODKind = "rotated"
		default:
			v.OODKind = "rotated 180"
		}
	}
	if v.Epsilon == 0 {
		v.Epsilon = .3
		if images {
			v.Epsilon = 8. / 255
		}
	}
	if images && v.Epsilon > 1 {
		return v, fmt.Errorf("study: the radius of the attack on validation examples (-epsilon) is %v times the range of pixels, which reaches every image; give a fraction, such as .03 for 8/255", v.Epsilon)
	}
	if v.AttackExamples == 0 {
		v.AttackExamples = 200
	}
	v.AttackExamples = min(v.AttackExamples, d.Len())
	if v.Progress == nil {
		v.Progress = progress.Discard{}
	}
	return v, nil
}

// metrics lists what is computed, without values.
func (v Validation) metrics(d *data.Dataset) []Metric {
	detection := fmt.Sprintf("detection of OOD examples made from the validation examples (%s)", v.OODKind)
	size := fmt.Sprintf("ε = %.4g", v.Epsilon)
	if d.IsImages() {
		size += fmt.Sprintf(" (%.3g/255) of the pixel range", v.Epsilon*255)
	}
	return []Metric{
		{Name: "accuracy", Definition: "share classified correctly", HigherIsBetter: true, Scale: bootstrap.Share},
		{Name: "NLL", Definition: "mean -log p(label), nats", Scale: bootstrap.Positive},
		{Name: "ECE", Definition: fmt.Sprintf("%d bins of equal width (lo,hi], mean confidence", calibration.DefaultBins), Scale: bootstrap.Gap},
		{Name: "ECE_after_T", Definition: "the same, each half scaled by the other half's temperature", Scale: bootstrap.Gap},
		{Name: "AUROC_px", Definition: detection + " by E(x)", HigherIsBetter: true, Scale: bootstrap.Share},
		{Name: "AUROC_py", Definition: detection + " by max softmax", HigherIsBetter: true, Scale: bootstrap.Share},
		{Name: "robust_accuracy", Definition: fmt.Sprintf("share of %d that survives %s, %s", v.AttackExamples, PGD(attack.Linf), size), HigherIsBetter: true, Scale: bootstrap.Share},
	}
}

// file is the name of the file of the run's values. Its key covers the weights, the set,
// v and the code.
func (v Validation) file(run *ngebm.Run) (string, error) {
	checkpoint, err := run.Checksum()
	if err != nil {
		return "", err
	}
	return "judged-" + cache.Key(struct {
		Computation     string
		Checkpoint, Set string
		Strange, Attack string
		Epsilon         float64
		Examples        int
		Seed            uint64
	}{run.Computation(), checkpoint, run.Validation.Checksum, v.OODKind, fmt.Sprint(PGD(attack.Linf)), v.Epsilon, v.AttackExamples, run.Config.Seed}) + ".json", nil
}

// measure computes the values.
func (v Validation) measure(ctx context.Context, run *ngebm.Run) (map[string]float64, error) {
	c, d := run.Classifier, run.Validation
	if err := v.CheckExamples(d.Len()); err != nil {
		return nil, err
	}
	logits, err := c.Logits(ctx, d)
	if err != nil {
		return nil, err
	}
	before, err := calibration.Measure(calibration.Sample{Logits: logits, Labels: d.Labels}, calibration.Options{})
	if err != nil {
		return nil, err
	}
	after, err := scaledByHalves(logits, d.Labels)
	if err != nil {
		return nil, err
	}
	values := map[string]float64{"accuracy": before.Accuracy, "NLL": before.NLL, "ECE": before.ECE, "ECE_after_T": after}
	oodSet, err := d.SynthesizeOOD(v.OODKind, run.Config.Seed)
	if err != nil {
		return nil, err
	}
	outside, err := c.Logits(ctx, oodSet)
	if err != nil {
		return nil, err
	}
	for _, score := range []ood.Score{ood.Energy(1), ood.MaxSoftmax()} {
		in, err := score.Of(logits)
		if err != nil {
			return nil, err
		}
		out, err := score.Of(outside)
		if err != nil {
			return nil, err
		}
		detection, err := ood.Measure(in, out, bootstrap.Options{})
		if err != nil {
			return nil, err
		}
		values["AUROC_"+score.Name] = detection.AUROC
	}
	attacked, err := d.Sample(v.AttackExamples, run.Config.Seed)
	if err != nil {
		return nil, err
	}
	attacker, err := attack.New(c, attack.Options{Seed: run.Config.Seed, Report: v.Progress})
	if err != nil {
		return nil, err
	}
	defer attacker.Close()
	curve, err := attacker.Run(ctx, attacked, PGD(attack.Linf), []float64{v.Epsilon})
	if err != nil {
		return nil, err
	}
	values["robust_accuracy"] = curve.Points[0].Accuracy
	return values, nil
}

// scaledByHalves returns the ECE after each half's logits were divided by the
// temperature of the other half.
func scaledByHalves(logits [][]float64, labels []int32) (float64, error) {
	var halves [2]calibration.Sample
	for i, row := range logits {
		h := &halves[i%2]
		h.Logits, h.Labels = append(h.Logits, row), append(h.Labels, labels[i])
	}
	var both calibration.Sample
	for i, h := range halves {
		t, err := calibration.FitTemperature(halves[1-i])
		if err != nil {
			return 0, err
		}
		for _, row := range h.Logits {
			scaled := make([]float64, len(row))
			for k, f := range row {
				scaled[k] = f / t.T
			}
			both.Logits = append(both.Logits, scaled)
		}
		both.Labels = append(both.Labels, h.Labels...)
	}
	report, err := calibration.Measure(both, calibration.Options{})
	if err != nil {
		return 0, err
	}
	return report.ECE, nil
}
