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

// Validation says how [OnValidation] judges a run. The zero value is fit for use.
type Validation struct {
	// Strange is the kind of strange examples (see data.Dataset.SynthesizeOOD) that the
	// validation examples are to be told from; "" is "rotated" for square images,
	// "rotated 180" for others and "uniform box" for points.
	Strange string
	// Epsilon is the size of the attack in L∞, as a fraction of the pixel range or in
	// the points' own units; 0 is 8/255 for images and .3 for points.
	Epsilon float64
	// Examples is the number of validation examples to attack, the first ones; 0 is
	// 200. Fewer where there are fewer.
	Examples int
	Progress progress.Reporter // nil shows nothing
}

// ParetoFigures are the figures of [OnValidation] that pull in different directions:
// accuracy, calibration, robustness and detection.
func ParetoFigures() []string { return []string{"accuracy", "ECE", "robust_accuracy", "AUROC_py"} }

// ValidationFigures are the names of all figures of [OnValidation].
func ValidationFigures() []string {
	return []string{"accuracy", "NLL", "ECE", "ECE_after_T", "AUROC_px", "AUROC_py", "robust_accuracy"}
}

// attackOnValidation is made on each run; the notebooks' curves use it too.
var attackOnValidation = attack.PGD{Norm: attack.Linf, Steps: 40, Step: .1, RandomStart: true}

// validated is what is stored beside a run.
type validated struct {
	Run     string             `json:"run"`
	Figures map[string]float64 `json:"figures"`
}

// OnValidation returns a judge for [Sweep], which computes on the run's
// validation set
//
//	accuracy         share that is answered right
//	NLL              mean -log p(label), nats
//	ECE              15 bins of equal width, mean confidence (calibration.Figures.ECE)
//	ECE_after_T      the same after temperature: each half of the set is scaled by the
//	                 temperature of the other half (examples 0, 2, 4 … and 1, 3, 5 …),
//	                 so that no example is judged by a temperature that it helped to
//	                 fit, and the ECE is of both halves together, as many examples as
//	                 ECE has
//	AUROC_px, _py    of telling validation examples from as many strange ones made
//	                 from them, by E(x) and by the largest probability
//	robust_accuracy  share of the attacked examples that survives PGD in L∞, 40 steps
//	                 of .1·ε from a random start
//
// Strange examples and attacks draw from the run's seed. What was judged is stored in
// the run's folder, as judged-<key>.json, and not judged again until the weights or the
// way of judging change.
func OnValidation(v Validation) func(context.Context, *ngebm.Run) ([]Figure, error) {
	return func(ctx context.Context, run *ngebm.Run) ([]Figure, error) {
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
			if stored.Figures, err = v.measure(ctx, run); err != nil {
				return nil, err
			}
			err = cache.Write(run.Dir, name, stored)
		}
		if err != nil {
			return nil, fmt.Errorf("study: %w", err)
		}
		figures := v.figures(run.Validation)
		for i, f := range figures {
			value, ok := stored.Figures[f.Name]
			if !ok {
				return nil, fmt.Errorf("study: %s lacks %s; delete it to judge again", filepath.Join(run.Dir, name), f.Name)
			}
			figures[i].Value = value
		}
		return figures, nil
	}
}

// forSet fills in what is left open.
func (v Validation) forSet(d *data.Dataset) (Validation, error) {
	switch {
	case !(v.Epsilon >= 0) || math.IsInf(v.Epsilon, 0):
		return v, fmt.Errorf("study: ε of the attack on validation examples is %v; it must be a finite number of 0 (the default) or more, such as 8./255", v.Epsilon)
	case v.Examples < 0:
		return v, fmt.Errorf("study: %d validation examples cannot be attacked; give 1 or more, or 0 for 200", v.Examples)
	}
	images := d.IsImages()
	if v.Strange == "" {
		switch {
		case !images:
			v.Strange = "uniform box"
		case d.Shape[0] == d.Shape[1]:
			v.Strange = "rotated"
		default:
			v.Strange = "rotated 180"
		}
	}
	if v.Epsilon == 0 {
		v.Epsilon = .3
		if images {
			v.Epsilon = 8. / 255
		}
	}
	if v.Examples == 0 {
		v.Examples = 200
	}
	v.Examples = min(v.Examples, d.Len())
	if v.Progress == nil {
		v.Progress = progress.Discard{}
	}
	return v, nil
}

// figures lists what is computed, without values.
func (v Validation) figures(d *data.Dataset) []Figure {
	out := fmt.Sprintf("of telling the validation examples from the same ones made strange (%s)", v.Strange)
	size := fmt.Sprintf("ε = %.4g", v.Epsilon)
	if d.IsImages() {
		size += fmt.Sprintf(" (%.3g/255) of the pixel range", v.Epsilon*255)
	}
	return []Figure{
		{Name: "accuracy", Is: "share answered right", Better: Higher},
		{Name: "NLL", Is: "mean -log p(label), nats", Better: Lower},
		{Name: "ECE", Is: fmt.Sprintf("%d bins of equal width (lo,hi], mean confidence", calibration.DefaultBins), Better: Lower},
		{Name: "ECE_after_T", Is: "the same, each half scaled by the other half's temperature", Better: Lower},
		{Name: "AUROC_px", Is: out + " by E(x)", Better: Higher},
		{Name: "AUROC_py", Is: out + " by max softmax", Better: Higher},
		{Name: "robust_accuracy", Is: fmt.Sprintf("share of %d that survives %s, %s", v.Examples, attackOnValidation, size), Better: Higher},
	}
}

// path is where the figures of a run are stored. Its key covers the weights, the set
// and the way of judging.
func (v Validation) file(run *ngebm.Run) (string, error) {
	checkpoint, err := run.Checksum()
	if err != nil {
		return "", err
	}
	return "judged-" + cache.Key(struct {
		Source          string
		Checkpoint, Set string
		Strange, Attack string
		Epsilon         float64
		Examples        int
		Seed            uint64
	}{ngebm.Source(), checkpoint, run.Validation.Checksum, v.Strange, attackOnValidation.String(), v.Epsilon, v.Examples, run.Config.Seed}) + ".json", nil
}

// measure computes the figures.
func (v Validation) measure(ctx context.Context, run *ngebm.Run) (map[string]float64, error) {
	c, d := run.Classifier, run.Validation
	if d.Len() < calibration.DefaultBins {
		return nil, fmt.Errorf("study: %d validation examples are too few for %d bins; hold out more, in earnest hundreds", d.Len(), calibration.DefaultBins)
	}
	logits, err := c.Logits(d)
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
	figures := map[string]float64{"accuracy": before.Accuracy, "NLL": before.NLL, "ECE": before.ECE, "ECE_after_T": after}
	strange, err := d.SynthesizeOOD(v.Strange, run.Config.Seed)
	if err != nil {
		return nil, err
	}
	outside, err := c.Logits(strange)
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
		figures["AUROC_"+score.Name] = detection.AUROC
	}
	attacked, err := d.Subset(d.Split, upTo(v.Examples))
	if err != nil {
		return nil, err
	}
	attacker, err := attack.New(c, attack.Options{Seed: run.Config.Seed, Report: v.Progress})
	if err != nil {
		return nil, err
	}
	defer attacker.Close()
	curve, err := attacker.Run(ctx, attacked, attackOnValidation, []float64{v.Epsilon})
	if err != nil {
		return nil, err
	}
	figures["robust_accuracy"] = curve.Points[0].Accuracy
	return figures, nil
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

// upTo returns 0, 1 … n-1.
func upTo(n int) []int {
	indices := make([]int, n)
	for i := range indices {
		indices[i] = i
	}
	return indices
}
