package study

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
	"ngebm/ngebm/nets"
	"ngebm/ngebm/train"
)

// Protocol says how every run is measured. Parts of the test set are drawn at random by
// Seed, each from the one before, so that all runs are measured on the same examples.
type Protocol struct {
	// TestExamples is the number of test examples for calibration and energies; 0 is all.
	TestExamples int `json:"test"`
	// OODExamples is the number of those for OOD detection; 0 is all.
	OODExamples int `json:"detection"`
	// AttackExamples is the number of those that are attacked by PGD, EnsembleExamples of
	// those by the ensemble of attacks; 0 is all. Without any ε none is attacked.
	AttackExamples   int `json:"attacked"`
	EnsembleExamples int `json:"worst"`
	// OODKinds are the kinds of OOD examples made from the test examples, see
	// data.Dataset.SynthesizeOOD; OODDatasets are other datasets, resized to their shape.
	OODKinds    []string `json:"strange"`
	OODDatasets []string `json:"outside"`
	// Missing are the datasets that were asked for and not available.
	Missing []string `json:"absent,omitempty"`
	// Detectors are detectors on features to measure next to the scores that need no fit, see
	// measure.Options. Near are the OODKinds and OODDatasets that count as near, in OpenOOD's
	// words (Zhang et al. 2023, arXiv 2306.09301): all others are far, and tables have means of
	// both groups; none makes no groups. OODValidation, a kind or a dataset that is neither in
	// OODKinds nor in OODDatasets, chooses detectors' own parameters.
	Detectors     []string `json:"detectors,omitempty"`
	Near          []string `json:"near,omitempty"`
	OODValidation string   `json:"ood_validation,omitempty"`
	// Linf and L2 are the ε of the attacks, in 1/255 of the pixel range, or in the
	// data's own units for points; see package attack.
	Linf []float64 `json:"linf"`
	L2   []float64 `json:"l2"`
	// EnsembleLinf are the ε of the ensemble, which is much more work than PGD; none are Linf.
	EnsembleLinf []float64 `json:"worst_linf,omitempty"`
	// AutoAttack makes the ensemble AutoAttack's standard version (attack.Standard), which is
	// stronger and some thirty times as much work.
	AutoAttack bool `json:"autoattack,omitempty"`
	// AttackBatch is the number of examples that are attacked at once; 0 is 128.
	AttackBatch int `json:"attack_batch,omitempty"`
	// Ensembles adds the ensemble of each method's runs, in calibration.
	Ensembles bool `json:"ensembles,omitempty"`
	// TestNoise is the standard deviation of normal noise on the inputs of all sets that
	// calibration, energies and OOD detection are measured on, the validation set too, as in the
	// evaluations of JEM and NG-EBM, where it is .03; see data.Dataset.WithNoise. Attacked inputs do not have it.
	TestNoise float64 `json:"test_noise,omitempty"`
	// Best measures each run at the step of its highest validation accuracy; see ngebm.LoadBest.
	Best bool `json:"best,omitempty"`
	// Resamples is the number of bootstrap resamples for 95 % intervals; 0 is none.
	Resamples int    `json:"resamples"`
	Seed      uint64 `json:"seed"`
}

func (p Protocol) validate() error {
	for _, part := range []struct {
		name string
		n    int
	}{
		{"test examples (-test)", p.TestExamples},
		{"examples for OOD detection (-ood-examples)", p.OODExamples},
		{"attacked examples (-attack-examples)", p.AttackExamples},
		{"examples for the ensemble of attacks (-ensemble-examples)", p.EnsembleExamples},
	} {
		if part.n < 0 || part.n > 0 && part.n < calibration.DefaultBins {
			return fmt.Errorf("study: the number of %s is %d; it must be 0 (all) or at least %d, the number of calibration bins", part.name, part.n, calibration.DefaultBins)
		}
	}
	switch {
	case p.Resamples < 0:
		return fmt.Errorf("study: the number of bootstrap resamples (-bootstrap) is %d; it must be 0 (no intervals) or more", p.Resamples)
	case !(p.TestNoise >= 0) || math.IsInf(p.TestNoise, 0):
		return fmt.Errorf("study: the deviation of the noise on test inputs (-test-noise) is %v; it must be finite, and 0 (none) or more", p.TestNoise)
	case p.AttackBatch < 0:
		return fmt.Errorf("study: the batch size of the attacks (-attack-batch) is %d; it must be 0 (128 examples) or more", p.AttackBatch)
	}
	for _, list := range []struct {
		flag     string
		epsilons []float64
	}{{"-linf", p.Linf}, {"-l2", p.L2}, {"-ensemble-linf", p.EnsembleLinf}} {
		for _, epsilon := range list.epsilons {
			if !(epsilon > 0) || math.IsInf(epsilon, 0) {
				return fmt.Errorf("study: ε of an attack is %v (%s); it must be finite and above 0, such as 8 (of 255)", epsilon, list.flag)
			}
		}
	}
	if len(p.EnsembleLinf) > 0 && len(p.Linf) == 0 {
		return fmt.Errorf("study: the ensemble of attacks has ε (-ensemble-linf) and PGD does not (-linf); give both or neither")
	}
	for _, kind := range p.OODKinds {
		if err := data.CheckOODKind(kind); err != nil {
			return err
		}
	}
	return p.validateDetectors()
}

// checkTwice reports a name that is given twice: the set would count twice in means.
func (p Protocol) checkTwice() error {
	for _, list := range []struct {
		flag  string
		names []string
	}{{"-ood", p.OODKinds}, {"-near", p.Near}} {
		for i, name := range list.names {
			if slices.Contains(list.names[:i], name) {
				return fmt.Errorf("study: the OOD set %.60q is given twice (%s); each counts once", name, list.flag)
			}
		}
	}
	return nil
}

// checkConfig reports what cannot be measured of the runs of a configuration.
func (p Protocol) checkConfig(c ngebm.Config) error {
	if p.Best && c.EvalEvery > c.Epochs {
		return fmt.Errorf("study: the best step (-best) is found by evaluations in training, but these are every %d epochs (eval_every) of %d; set eval_every to %d or less", c.EvalEvery, c.Epochs, c.Epochs)
	}
	if net, err := nets.Parse(c.Net); err == nil && len(p.Detectors) > 0 { // else it is a network of one's own
		if _, ok := net.(nets.Featured); !ok {
			return fmt.Errorf("study: the detectors %s (-detectors) are fitted on features, and the network %s offers none (see nets.Featured); leave them out, or choose another network", strings.Join(p.Detectors, ", "), net)
		}
	}
	return nil
}

// asked is the protocol as it is asked for on any machine: with the datasets that are missing, and
// without folders.
func (p Protocol) asked() Protocol {
	p = p.canonical()
	var sets []string
	for _, name := range slices.Concat(p.OODDatasets, p.Missing) {
		sets = append(sets, publicName(name))
	}
	slices.Sort(sets)
	p.OODDatasets, p.Missing = sets, nil
	for i, name := range p.Near {
		p.Near[i] = publicName(name)
	}
	p.OODValidation = publicName(p.OODValidation)
	return p
}

// canonical is the protocol with the current names of OOD kinds.
func (p Protocol) canonical() Protocol {
	p.OODKinds = slices.Clone(p.OODKinds)
	for i, kind := range p.OODKinds {
		p.OODKinds[i] = data.CanonicalOODKind(kind)
	}
	p.Near = slices.Clone(p.Near)
	for i, name := range p.Near {
		p.Near[i] = data.CanonicalOODKind(name)
	}
	p.OODValidation = data.CanonicalOODKind(p.OODValidation)
	return p
}

// Ensemble is the strongest attack of experiments: an example is robust only if it
// survives PGD, APGD on the cross-entropy, and, with four classes or more, targeted APGD
// on the DLR loss, whose gradient does not vanish where a network is confident.
func Ensemble(norm attack.Norm, classes int) attack.Attack {
	all := attack.Ensemble{PGD(norm), attack.APGD{Norm: norm, Steps: 40}}
	if classes >= 4 {
		all = append(all, attack.TargetedAPGD{Norm: norm, Steps: 20, Targets: 3})
	}
	return all
}

// String describes the protocol, in lines.
func (p Protocol) String() string {
	count := func(n int) string {
		if n == 0 {
			return "all"
		}
		return fmt.Sprint(n)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "calibration and energies of %s test examples\n", count(p.TestExamples))
	fmt.Fprintf(&b, "%s of them against the OOD sets: %s\n", count(p.OODExamples), strings.Join(append(slices.Clone(p.OODKinds), p.OODDatasets...), ", "))
	if p.TestNoise > 0 {
		fmt.Fprintf(&b, "  with normal noise of deviation %g on all of them (pixels in [-1,1])\n", p.TestNoise)
	}
	if p.Best {
		b.WriteString("  at the step of the highest validation accuracy\n")
	}
	if len(p.Missing) > 0 {
		fmt.Fprintf(&b, "  missing: %s\n", strings.Join(p.Missing, ", "))
	}
	b.WriteString(p.describeDetectors())
	for _, a := range p.attacks() {
		fmt.Fprintf(&b, "%s of them attacked by %s at ε = %s (of 255 for images)\n", count(p.AttackExamples), PGD(a.norm), list(a.epsilons))
		if a.norm == attack.Linf {
			name := "the ensemble of PGD, APGD and targeted APGD"
			if p.AutoAttack {
				name = fmt.Sprint(attack.Standard(a.norm))
			}
			if len(p.EnsembleLinf) > 0 {
				name += " at ε = " + list(p.EnsembleLinf)
			}
			fmt.Fprintf(&b, "%s of these by %s\n", count(p.EnsembleExamples), name)
		}
	}
	return b.String()
}

// normed is the list of ε of one norm.
type normed struct {
	norm     attack.Norm
	epsilons []float64
}

// ensembleLinf is EnsembleLinf with its default.
func (p Protocol) ensembleLinf() []float64 {
	if len(p.EnsembleLinf) > 0 {
		return p.EnsembleLinf
	}
	return p.Linf
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
	test, detection, attacked, ensemble *data.Dataset
	ood                                 []*data.Dataset
	groups                              map[string]string // near or far, by the name of an OOD set
	validation                          *data.Dataset     // the dataset of OODValidation; nil if that is a kind
}

// draw cuts the parts from a test set.
func (p Protocol) draw(test *data.Dataset, ood []*data.Dataset) (s parts, err error) {
	of := test
	for _, part := range []struct {
		n  int
		to **data.Dataset
	}{{p.TestExamples, &s.test}, {p.OODExamples, &s.detection}, {p.AttackExamples, &s.attacked}, {p.EnsembleExamples, &s.ensemble}} {
		if *part.to, err = p.cut(of, part.n); err != nil {
			return s, err
		}
		of = *part.to
	}
	s.groups = map[string]string{}
	for _, kind := range p.OODKinds {
		set, err := s.detection.SynthesizeOOD(kind, p.Seed)
		if err != nil {
			return s, err
		}
		s.ood, s.groups[set.Name] = append(s.ood, set), p.group(kind)
	}
	for i, set := range ood {
		if set, err = p.cut(set, s.detection.Len()); err != nil {
			return s, err
		}
		s.ood, s.groups[set.Name] = append(s.ood, set), p.group(p.OODDatasets[i])
	}
	if s.test, err = p.noisy(s.test); err != nil {
		return s, err
	}
	if s.detection, err = p.noisy(s.detection); err != nil {
		return s, err
	}
	for i := range s.ood {
		if s.ood[i], err = p.noisy(s.ood[i]); err != nil {
			return s, err
		}
	}
	return s, nil
}

// noisy adds TestNoise to a set.
func (p Protocol) noisy(d *data.Dataset) (*data.Dataset, error) {
	if p.TestNoise == 0 || d == nil {
		return d, nil
	}
	return d.WithNoise(p.TestNoise, p.Seed)
}

// cut draws n examples, or takes all if n is 0 or the set has no more.
func (p Protocol) cut(d *data.Dataset, n int) (*data.Dataset, error) {
	if n == 0 || n >= d.Len() {
		return d, nil
	}
	_, part, err := d.RandomSplit(n, p.Seed, d.Split, d.Split)
	return part, err
}

// measured is the report on each of the parts.
type measured struct {
	test, detection, attacked, ensemble *measure.Report
	groups                              map[string]string // as in parts
	tuned                               bool              // parameters were chosen on an OOD validation set
}

// measure measures a run on each part, or loads what was measured.
func (p Protocol) measure(ctx context.Context, run *ngebm.Run, s parts, report progress.Reporter) (m measured, err error) {
	validation, err := p.noisy(run.Validation)
	if err != nil {
		return m, err
	}
	on := func(d *data.Dataset, o measure.Options) (*measure.Report, error) {
		part := *run
		o.Validation = validation
		part.Test = d
		o.Seed, o.Progress = p.Seed, report
		o.Bootstrap = bootstrap.Options{Resamples: p.Resamples, Level: .95, Seed: p.Seed}
		return measure.MeasureCached(ctx, &part, o)
	}
	if m.test, err = on(s.test, measure.Options{}); err != nil {
		return m, err
	}
	o := measure.Options{Out: s.ood, Detectors: p.Detectors}
	if o.OODValidation, err = p.oodValidation(run, s.validation); err != nil {
		return m, err
	}
	if m.detection, err = on(s.detection, o); err != nil {
		return m, err
	}
	m.groups, m.tuned = s.groups, p.OODValidation != ""
	var curves, ensembles []measure.Plan
	for _, a := range p.attacks() {
		curves = append(curves, measure.Plan{Attack: PGD(a.norm), Epsilons: inUnits(a.epsilons, s.test)})
	}
	if len(curves) == 0 {
		return m, nil
	}
	if len(p.Linf) > 0 {
		strong := Ensemble(attack.Linf, len(s.test.Classes))
		if p.AutoAttack {
			strong = attack.Standard(attack.Linf)
		}
		ensembles = append(ensembles, measure.Plan{Attack: strong, Epsilons: inUnits(p.ensembleLinf(), s.test)})
	}
	if m.attacked, err = on(s.attacked, measure.Options{Attacks: curves, AttackBatch: p.AttackBatch}); err != nil {
		return m, err
	}
	if len(ensembles) > 0 {
		m.ensemble, err = on(s.ensemble, measure.Options{Attacks: ensembles, AttackBatch: p.AttackBatch})
	}
	return m, err
}

// inUnits turns ε in 1/255 into fractions of the pixel range, if the examples are images.
func inUnits(epsilons []float64, of *data.Dataset) []float64 {
	epsilons = slices.Clone(epsilons)
	for i := range epsilons {
		if of.IsImages() {
			epsilons[i] /= 255
		}
	}
	return epsilons
}

// find opens the OOD datasets that are on this machine, resized to the shape of like, and
// records those that are missing. Nothing is downloaded.
func (p *Protocol) find(ctx context.Context, like *data.Dataset, opts train.Options) (sets []*data.Dataset, err error) {
	wanted := p.OODDatasets
	p.OODDatasets, p.Missing = nil, nil
	for _, name := range wanted {
		set, err := openOOD(ctx, name, like, opts)
		if err != nil {
			return nil, err
		}
		if set == nil {
			p.Missing = append(p.Missing, publicName(name))
			continue
		}
		if sameExamples(set, like) {
			return nil, fmt.Errorf("study: the OOD dataset %s (-ood-datasets) has the examples of the test set itself; leave it out", publicName(name))
		}
		for i, other := range sets { // results distinguish them by their names
			if set.Name == other.Name || publicName(name) == p.OODDatasets[i] {
				return nil, fmt.Errorf("study: two OOD sets (-ood-datasets) are called %s in results, which do not keep the folders of paths; rename one of the folders", set.Name)
			}
		}
		p.OODDatasets = append(p.OODDatasets, publicName(name))
		sets = append(sets, set)
	}
	for i, name := range p.Near {
		p.Near[i] = publicName(name)
	}
	return sets, nil
}

// sameExamples reports whether two sets hold the same inputs, whatever their classes are.
func sameExamples(a, b *data.Dataset) bool {
	return slices.Equal(a.Pixels, b.Pixels) && slices.Equal(a.Points, b.Points)
}

// openOOD opens the test split of a dataset, resized to the shape of like. It is nil if the
// dataset is not on this machine.
func openOOD(ctx context.Context, name string, like *data.Dataset, opts train.Options) (*data.Dataset, error) {
	_, test, err := data.Open(ctx, name, data.Options{Cache: opts.Cache, Offline: true, Progress: opts.Progress})
	if err == nil && like.IsImages() {
		test, err = test.Resize(like.Shape[0], like.Shape[1], like.Shape[2])
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, fetch.ErrOffline) || errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("study: OOD dataset %s: %w", name, err)
	case !slices.Equal(test.Shape, like.Shape):
		return nil, fmt.Errorf("study: OOD dataset %s has examples of shape %v, and %s of shape %v; choose one like it", name, test.Shape, like.Name, like.Shape)
	case test.Encoder != nil && like.Encoder == nil || test.Encoder.Differs(like.Encoder):
		return nil, fmt.Errorf("study: OOD dataset %s is a separate table, whose rows are standardized by other training rows; tables have the OOD kinds %s (-ood)", name, strings.Join(like.OODKinds(), ", "))
	}
	return test, nil
}
