package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/data/fetch"
	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/train"
)

// Protocol says how every run is measured. Parts of the test set are drawn at random
// by Seed, each from the one before, so that all runs are measured on the same
// examples.
type Protocol struct {
	// Test is the number of test examples for calibration and energies; 0 is all.
	Test int `json:"test"`
	// Detection is the number of those that strangers are told from; 0 is all.
	Detection int `json:"detection"`
	// Attacked is the number of those that are attacked, Worst the number of those
	// that the worst case of several attacks is looked for; 0 is all, and no ε none.
	Attacked int `json:"attacked"`
	Worst    int `json:"worst"`
	// Strange are the kinds of strangers made from the test examples, see
	// data.Dataset.SynthesizeOOD; Outside are other data sets, in the same shape.
	Strange []string `json:"strange"`
	Outside []string `json:"outside"`
	// Absent are the sets that were asked for and not there.
	Absent []string `json:"absent,omitempty"`
	// Linf and L2 are the ε of the attacks, in 1/255 of the pixel range, or in the
	// data's own units for points; see package attack.
	Linf []float64 `json:"linf"`
	L2   []float64 `json:"l2"`
	// AttackBatch is the number of examples that are attacked at once; 0 is 128.
	AttackBatch int `json:"attack_batch,omitempty"`
	// Resamples is the number of bootstrap resamples for 95 % intervals; 0 is none.
	Resamples int    `json:"resamples"`
	Seed      uint64 `json:"seed"`
}

func (p Protocol) validate() error {
	for name, n := range map[string]int{"test": p.Test, "detection": p.Detection, "attacked": p.Attacked, "worst": p.Worst} {
		if n < 0 || n > 0 && n < calibration.DefaultBins {
			return fmt.Errorf("experiment: %s is %d examples; it must be 0 (all) or at least %d, the number of bins", name, n, calibration.DefaultBins)
		}
	}
	if p.Resamples < 0 || p.AttackBatch < 0 {
		return fmt.Errorf("experiment: %d resamples and batches of %d examples to attack; both must be 0 (no intervals, 128 examples) or more", p.Resamples, p.AttackBatch)
	}
	for _, epsilon := range slices.Concat(p.Linf, p.L2) {
		if !(epsilon > 0) || math.IsInf(epsilon, 0) {
			return fmt.Errorf("experiment: ε of an attack is %v; it must be finite and above 0, as 8 is (of 255)", epsilon)
		}
	}
	return nil
}

// PGD is the attack of the curves: 40 steps of a tenth of ε from a random start.
func PGD(norm attack.Norm) attack.Attack {
	return attack.PGD{Norm: norm, Steps: 40, Step: .1, RandomStart: true}
}

// WorstCase is what stands for the worst case: an image counts as right only if it
// survives PGD, APGD on the cross-entropy, and targeted APGD on a loss that does not
// vanish where a network is sure of itself.
func WorstCase(norm attack.Norm, classes int) attack.Attack {
	all := attack.Ensemble{PGD(norm), attack.APGD{Norm: norm, Steps: 40}}
	if classes >= 4 {
		all = append(all, attack.TargetedAPGD{Norm: norm, Steps: 20, Targets: 3})
	}
	return all
}

// String says how runs are measured, in lines.
func (p Protocol) String() string {
	count := func(n int) string {
		if n == 0 {
			return "all"
		}
		return fmt.Sprint(n)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "calibration and energies of %s test examples\n", count(p.Test))
	fmt.Fprintf(&b, "%s of them told from: %s\n", count(p.Detection), strings.Join(append(slices.Clone(p.Strange), p.Outside...), ", "))
	if len(p.Absent) > 0 {
		fmt.Fprintf(&b, "  not there: %s\n", strings.Join(p.Absent, ", "))
	}
	for _, a := range p.attacks() {
		fmt.Fprintf(&b, "%s of them attacked by %s at ε = %s (of 255 for images)\n", count(p.Attacked), PGD(a.norm), list(a.epsilons))
		if a.norm == attack.Linf {
			fmt.Fprintf(&b, "%s of these by the worst case of PGD, APGD and targeted APGD\n", count(p.Worst))
		}
	}
	return b.String()
}

// normed is the list of ε of one norm.
type normed struct {
	norm     attack.Norm
	epsilons []float64
}

func (p Protocol) attacks() []normed {
	var all []normed
	for _, a := range []normed{{attack.Linf, p.Linf}, {attack.L2, p.L2}} {
		if len(a.epsilons) > 0 {
			all = append(all, a)
		}
	}
	return all
}

// parts are the examples that a run is measured on, each part of the one before.
type parts struct {
	test, detection, attacked, worst *data.Dataset
	outside                          []*data.Dataset
}

// draw cuts the parts from a test set.
func (p Protocol) draw(test *data.Dataset, outside []*data.Dataset) (s parts, err error) {
	of := test
	for _, part := range []struct {
		n  int
		to **data.Dataset
	}{{p.Test, &s.test}, {p.Detection, &s.detection}, {p.Attacked, &s.attacked}, {p.Worst, &s.worst}} {
		if *part.to, err = p.cut(of, part.n); err != nil {
			return s, err
		}
		of = *part.to
	}
	for _, kind := range p.Strange {
		set, err := s.detection.SynthesizeOOD(kind, p.Seed)
		if err != nil {
			return s, err
		}
		s.outside = append(s.outside, set)
	}
	for _, set := range outside {
		if set, err = p.cut(set, s.detection.Len()); err != nil {
			return s, err
		}
		s.outside = append(s.outside, set)
	}
	return s, nil
}

// cut draws n examples, or takes all where n is 0 or there are no more.
func (p Protocol) cut(d *data.Dataset, n int) (*data.Dataset, error) {
	if n == 0 || n >= d.Len() {
		return d, nil
	}
	_, part, err := d.RandomSplit(n, p.Seed, d.Split, d.Split)
	return part, err
}

// measured is what a run was found to be on each of the parts.
type measured struct {
	test, detection, attacked, worst *measure.Report
}

// measure measures a run. What was measured before is loaded, part by part.
func (p Protocol) measure(ctx context.Context, run *ngebm.Run, s parts, report progress.Reporter) (m measured, err error) {
	on := func(d *data.Dataset, o measure.Options) (*measure.Report, error) {
		part := *run
		part.Test = d
		o.Seed, o.Progress = p.Seed, report
		o.Bootstrap = bootstrap.Options{Resamples: p.Resamples, Level: .95, Seed: p.Seed}
		return measure.Stored(ctx, &part, o)
	}
	if m.test, err = on(s.test, measure.Options{}); err != nil {
		return m, err
	}
	if m.detection, err = on(s.detection, measure.Options{Out: s.outside}); err != nil {
		return m, err
	}
	var curves, worst []measure.Plan
	for _, a := range p.attacks() {
		epsilons := slices.Clone(a.epsilons)
		for i := range epsilons {
			if s.test.IsImages() {
				epsilons[i] /= 255
			}
		}
		curves = append(curves, measure.Plan{Attack: PGD(a.norm), Epsilons: epsilons})
		if a.norm == attack.Linf {
			worst = append(worst, measure.Plan{Attack: WorstCase(a.norm, len(s.test.Classes)), Epsilons: epsilons})
		}
	}
	if len(curves) == 0 {
		return m, nil
	}
	if m.attacked, err = on(s.attacked, measure.Options{Attacks: curves, AttackBatch: p.AttackBatch}); err != nil {
		return m, err
	}
	if len(worst) > 0 {
		m.worst, err = on(s.worst, measure.Options{Attacks: worst, AttackBatch: p.AttackBatch})
	}
	return m, err
}

// find opens the outside sets that are there, in the shape of like, and tells those
// that are not. Nothing is downloaded.
func (p *Protocol) find(ctx context.Context, like *data.Dataset, opts train.Options) (sets []*data.Dataset, err error) {
	wanted := p.Outside
	p.Outside, p.Absent = nil, nil
	for _, name := range wanted {
		_, test, err := data.Open(ctx, name, data.Options{Cache: opts.Cache, Offline: true, Progress: opts.Progress})
		if err == nil && like.IsImages() {
			test, err = test.Resize(like.Shape[0], like.Shape[1], like.Shape[2])
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(err, fetch.ErrOffline) || errors.Is(err, fs.ErrNotExist) {
			p.Absent = append(p.Absent, publicName(name))
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("experiment: the set %s, to tell test examples from: %w", name, err)
		}
		p.Outside = append(p.Outside, publicName(name))
		sets = append(sets, test)
	}
	return sets, nil
}
