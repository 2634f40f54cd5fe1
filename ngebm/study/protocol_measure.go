package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/data/fetch"
	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/train"
)

// parts are the examples that a run is measured on, each part of the one before.
type parts struct {
	test, detection, attacked, ensemble *data.Dataset
	ood                                 []*data.Dataset
	groups                              map[string]string // near or far, by the name of an OOD set
	validation                          *data.Dataset     // the dataset of OODValidation; nil if that is a kind
}

// draw cuts the parts from a test set.
func (p Protocol) draw(test *data.Dataset, ood []*data.Dataset) (s parts, err error) {
	if err := p.checkRadii(test); err != nil {
		return s, err
	}
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

// checkRadii refuses L∞ radii of images that are larger than the range of pixels.
func (p Protocol) checkRadii(test *data.Dataset) error {
	for _, list := range []struct {
		flag     string
		epsilons []float64
	}{{"-linf", p.Linf}, {"-ensemble-linf", p.EnsembleLinf}} {
		for _, epsilon := range list.epsilons {
			if test.IsImages() && epsilon > 255 {
				return fmt.Errorf("study: a radius of %s is %v; radii are in 1/255 of the range of pixels, so 255 reaches every image", list.flag, epsilon)
			}
		}
	}
	return nil
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
