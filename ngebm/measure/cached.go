package measure

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/internal/cache"
	"ngebm/ngebm/jem"
)

// MeasureCached measures a run on its test set, or returns what was measured before: a
// report is stored in the run's folder, as measured-<key>.json, and the key covers the
// checkpoint's content, that of the datasets, the options and the code (see ngebm.Source).
// Sets have the names of now. An attack that is interrupted is resumed when the same is
// measured again, from attacking-<key>.json, which the report replaces. A run is measured once, but each time with an attack that
// holds another network, as attack.Transfer does: no key says what that network is.
// Adversarial examples are not stored: attack.Curve.Adversarial gives none for a
// report that was read, nor any that was found before an interruption.
func MeasureCached(ctx context.Context, run *ngebm.Run, o Options) (*Report, error) {
	if run.Test == nil {
		return nil, errors.New("measure: the run was loaded without its data; train its configuration again (it will be loaded), or call Measure with a set")
	}
	if o.Validation == nil {
		o.Validation = run.Validation
	}
	if o.Train == nil {
		o.Train = run.Train
	}
	for _, p := range o.Attacks {
		if text := fmt.Sprintf("%#v", p.Attack); strings.Contains(text, "(0x") { // a pointer
			return measureRun(ctx, run, o, nothingBegun())
		}
	}
	checkpoint, err := run.Checksum()
	if err != nil {
		return nil, err
	}
	features := ""
	if len(o.Detectors) > 0 {
		if features, err = run.FeaturesSum(); err != nil {
			return nil, err
		}
	}
	file := o.key(run.Computation(), checkpoint, features, run.Test) + ".json"
	name, attacking := "measured-"+file, "attacking-"+file
	r, err := cache.Read[Report](run.Dir, name)
	switch {
	case err == nil && (r.Run != run.Hash || r.Data.Checksum != run.Test.Checksum):
		return nil, fmt.Errorf("measure: %w", cache.WrongRun(run.Dir, name, r.Run))
	case err == nil:
		if err := r.check(run.Test.Len(), o); err != nil {
			return nil, fmt.Errorf("measure: the stored report %q %w; delete it to measure again", filepath.Join(run.Dir, name), err)
		}
		r.describe(run.Test, o.Out)
		r.Notes = run.Notes
		_ = cache.Remove(run.Dir, attacking) // of another process that measured the same
		return r, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("measure: %w", err)
	}
	b, err := readBegun(run.Dir, run.Hash, attacking)
	if err != nil {
		return nil, fmt.Errorf("measure: %w", err)
	}
	if r, err = measureRun(ctx, run, o, b); err != nil {
		if errors.Is(err, attack.ErrState) {
			err = fmt.Errorf("measure: %q: %w; delete it to measure again", filepath.Join(run.Dir, attacking), err)
		}
		return nil, err
	}
	r.describe(run.Test, o.Out)
	if err := cache.Write(run.Dir, name, r); err != nil {
		return r, fmt.Errorf("measure: %w", err)
	}
	return r, cache.Remove(run.Dir, attacking)
}

// check returns what is missing in a report that was read, of a number of examples.
func (r *Report) check(examples int, o Options) error {
	curves := func(all []*attack.Curve) bool {
		return len(all) == len(o.Attacks) && !slices.ContainsFunc(all, func(c *attack.Curve) bool { return c == nil })
	}
	switch {
	case r.Calibration == nil || r.Calibration.Calibrated != nil && r.Calibration.AfterT == nil:
		return errors.New("has no calibration")
	case r.Examples != examples:
		return fmt.Errorf("is of %d examples, not %d", r.Examples, examples)
	case !r.detects(o.Out):
		return fmt.Errorf("is not of the %d OOD sets that were asked for", len(o.Out))
	case !curves(r.Robustness):
		return fmt.Errorf("has not the %d attacks that were asked for", len(o.Attacks))
	case (r.Refined != nil) != (o.Refine.Steps != 0):
		return errors.New("does not fit the refinement that was asked for")
	case slices.Contains(r.Masking, nil):
		return errors.New("has an empty check of its gradients")
	case r.Refined == nil:
		return nil
	case r.Refined.Calibration == nil || !curves(r.Refined.Robustness) || slices.Contains(r.Refined.Masking, nil):
		return errors.New("has no calibration or attacks of refined inputs")
	}
	for i, c := range r.Robustness {
		if len(r.Refined.Robustness[i].Points) != len(c.Points) {
			return fmt.Errorf("has %d points of an attack, and %d of refined inputs", len(c.Points), len(r.Refined.Robustness[i].Points))
		}
	}
	return nil
}

// detects reports whether the report has as many detections of each of the sets, in their order.
func (r *Report) detects(sets []*data.Dataset) bool {
	if len(sets) == 0 {
		return len(r.OOD) == 0
	}
	each := len(r.OOD) / len(sets)
	if each == 0 || len(r.OOD)%len(sets) != 0 {
		return false
	}
	for i, d := range r.OOD {
		if d.Set.Checksum != sets[i/each].Checksum {
			return false
		}
	}
	return true
}

// describe enters what the sets are called now: the key of a stored report covers their content, and
// a folder may have been renamed since.
func (r *Report) describe(in *data.Dataset, out []*data.Dataset) {
	r.Data = in.Info
	for i := range r.OOD {
		r.OOD[i].Set = out[i*len(out)/len(r.OOD)].Info
	}
	curves, masking := r.Robustness, r.Masking
	if r.Refined != nil {
		curves, masking = slices.Concat(curves, r.Refined.Robustness), slices.Concat(masking, r.Refined.Masking)
	}
	for _, c := range curves {
		c.Dataset, c.Split = in.Name, in.Split
	}
	for _, m := range masking {
		m.Dataset, m.Split = in.Name, in.Split
	}
}

// measureRun measures a run on its test set, and says which it is.
func measureRun(ctx context.Context, run *ngebm.Run, o Options, b *begun) (*Report, error) {
	r, err := measureFrom(ctx, run.Classifier, run.Test, o, b)
	if err != nil {
		return nil, err
	}
	r.Run, r.Code, r.Notes = run.Hash, ngebm.Version(), run.Notes
	return r, nil
}

// key identifies a measurement, by what computed it.
func (o Options) key(computation, checkpoint, features string, in *data.Dataset) string {
	type plan struct {
		Attack   string
		Epsilons []float64
		Examples int
		Masking  bool
	}
	k := struct {
		Computation         string
		Checkpoint, In, Val string
		Bins                int
		Bootstrap           bootstrap.Options
		Out                 []string
		Attacks             []plan
		Seed                uint64
		Refine              *jem.Refinement `json:",omitempty"`
		AttackBatch         int             `json:",omitempty"`
		Detectors           []string        `json:",omitempty"`
		Train               string          `json:",omitempty"` // of detectors
		OODValidation       string          `json:",omitempty"`
		Features            string          `json:",omitempty"` // see ngebm.Run.FeaturesSum; of detectors
	}{Computation: computation, Checkpoint: checkpoint, Features: features, In: in.Checksum, Bins: o.Bins, Bootstrap: o.Bootstrap, Seed: o.Seed, AttackBatch: o.AttackBatch}
	if o.Validation != nil {
		k.Val = o.Validation.Checksum
	}
	if k.Detectors = o.Detectors; len(o.Detectors) > 0 && o.Train != nil {
		k.Train = o.Train.Checksum
	}
	if o.OODValidation != nil {
		k.OODValidation = o.OODValidation.Checksum
	}
	if o.Refine.Steps != 0 {
		r := o.Refine.WithDefaults()
		k.Refine = &r
	}
	for _, d := range o.Out {
		k.Out = append(k.Out, d.Checksum)
	}
	for _, p := range o.Attacks {
		k.Attacks = append(k.Attacks, plan{fmt.Sprintf("%#v", p.Attack), p.Epsilons, p.Examples, p.Masking})
	}
	return cache.Key(k)
}
