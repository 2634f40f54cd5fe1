package study

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/nets"
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
