package study

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/data/fetch"
	"ngebm/ngebm"
	"ngebm/ngebm/train"
)

// setsOfNow are the sets that a plan's runs would have now.
type setsOfNow struct {
	training, test *data.Dataset
	validation     *data.Dataset // of Protocol.OODValidation, if that is a dataset
	limit          int           // of the training set
	opts           train.Options
}

// earlierOutliers is the note of a run that a version before 2026-12 trained: outliers were drawn with
// the random numbers of OOD sets.
const earlierOutliers = "trained on outliers that OOD sets of its seed contain; train it again to compare"

// check compares the hash of a run of before with that of its configuration and these sets. The note is
// of a run that differs from one of now all the same.
func (s setsOfNow) check(ctx context.Context, c ngebm.Config, hash string) (note string, err error) {
	if c.Limit != s.limit {
		return "", nil // it has another training set
	}
	training := s.training.Checksum
	if c.Margin.Outliers != "" {
		outliers, err := train.OpenOutliers(ctx, c, s.training, data.Options{Cache: s.opts.Cache, Offline: true, Progress: s.opts.Progress})
		if errors.Is(err, fetch.ErrOffline) || errors.Is(err, fs.ErrNotExist) {
			return "", nil // they are not on this machine
		}
		if err != nil {
			return "", err
		}
		training += "+" + outliers.Checksum
	}
	want := c.Hash(training)
	if hash == want {
		return "", nil
	}
	if earlier, err := s.training.SynthesizeOOD(c.Margin.Outliers, c.Seed); err == nil && hash == c.Hash(s.training.Checksum+"+"+earlier.Checksum) {
		return earlierOutliers, nil
	}
	return "", fmt.Errorf("trained on other examples, or by a version of ngebm that trains otherwise: its hash is %s, not %s", hash, want)
}

// checkRun compares a run of before, and its test set, with the run that a configuration would give now.
// The note is as check's.
func (s setsOfNow) checkRun(ctx context.Context, c ngebm.Config, run Result) (note string, err error) {
	if note, err = s.check(ctx, c, run.Run); err != nil {
		return "", err
	}
	if set := run.Sets[2]; set.Checksum != s.test.Checksum {
		return "", fmt.Errorf("tested on other examples: %s with the checksum %.12s…, not %.12s…", set.Name, set.Checksum, s.test.Checksum)
	}
	return note, nil
}

// again is the configuration that a run of before would have now, with the weights selected then.
func (p Plan) again(run Result, selected *Outcome) (c ngebm.Config, err error) {
	settings := ""
	if run.Method == Selected {
		if selected == nil {
			return c, fmt.Errorf("have %s, and do not say which weights were selected", planned{run.Method, run.Seed})
		}
		settings = selected.Settings
	}
	return p.resolved(run.Method, run.Seed, settings)
}

// resolved is the whole configuration of a planned run.
func (p Plan) resolved(method string, seed uint64, settings string) (c ngebm.Config, err error) {
	if c, err = p.configure(method, seed, settings); err != nil {
		return c, err
	}
	c, _, err = c.Resolve(nil)
	return c, err
}

// checkDone returns the runs of before that are kept. It reports what of the results of before is not as
// the plan would do it now, with these sets.
func (p Plan) checkDone(ctx context.Context, sets setsOfNow) ([]Result, error) {
	if err := p.Done.like(p); err != nil {
		return nil, fmt.Errorf("differ in %w", err)
	}
	if err := p.checkSelected(ctx, sets); err != nil {
		return nil, err
	}
	kept := p.kept()
	for i, run := range kept {
		name := planned{run.Method, run.Seed}
		want, err := p.again(run, p.Done.Selected)
		if err != nil {
			return nil, err
		}
		if got, want := anywhere(run.Config), anywhere(want.WithoutFolders()); !same(got, want) {
			return nil, fmt.Errorf("have %s, trained with other settings: %s", name, differences(got, want))
		}
		note, err := sets.checkRun(ctx, want, run)
		if err != nil {
			return nil, fmt.Errorf("have %s, %w", name, err)
		}
		if note != "" && !slices.Contains(run.Notes, note) {
			kept[i].Notes = append(slices.Clone(run.Notes), note)
		}
		if set := run.OODValidationSet; set != "" && sets.validation != nil && set != sets.validation.Checksum {
			return nil, fmt.Errorf("have %s, whose parameters were chosen on another OOD validation set: %.12s…, not %.12s… (%s)", name, set, sets.validation.Checksum, sets.validation.Name)
		}
	}
	return kept, nil
}

// checkReplaced reports a protocol, a name of an OOD set or a run of the results to replace that the plan
// would replace by another.
func (p Plan) checkReplaced(ctx context.Context, sets setsOfNow) error {
	if err := p.measuresAs(p.Replaces.Plan); err != nil {
		return fmt.Errorf("differ in %w", err)
	}
	if err := p.Measure.findsAs(p.Replaces.Measure); err != nil {
		return fmt.Errorf("differ in %w", err)
	}
	for _, run := range p.Replaces.Runs {
		if p.Done != nil && p.Done.Find(run.Method, run.Seed) != nil {
			continue // kept, see Keeps
		}
		name := planned{run.Method, run.Seed}
		if run.Method == Selected && !same(p.Replaces.Selection, p.Selection) {
			return fmt.Errorf("have %s, whose weights were selected by %s, not by %s (-candidates, -select-by, -select-seeds)", name, text(p.Replaces.Selection), text(p.Selection))
		}
		want, err := p.again(run, p.Replaces.Selected)
		if err != nil {
			return err
		}
		note, err := sets.checkRun(ctx, want, run)
		if err == nil && note != "" {
			err = errors.New(note)
		}
		if err != nil {
			return fmt.Errorf("have %s, %w", name, err)
		}
	}
	return nil
}

// measuresAs reports a difference between the protocols of two plans, but for datasets that are missing.
func (p Plan) measuresAs(old Plan) error {
	if was, is := old.Measure.asked(), p.Measure.asked(); !same(was, is) {
		return fmt.Errorf("the protocol: %s", differences(was, is))
	}
	return nil
}

// findsAs reports that other OOD datasets were there for an old protocol of the same sets.
func (p Protocol) findsAs(old Protocol) error {
	if slices.Equal(old.OODDatasets, p.OODDatasets) {
		return nil
	}
	names := func(of []string) string { return cmp.Or(strings.Join(of, ", "), "none") }
	return fmt.Errorf("the OOD datasets (-ood-datasets) that are on the machine: %s, now %s", names(old.OODDatasets), names(p.OODDatasets))
}

// Over returns the results as they are written over old ones of their plan: with the runs, the selected
// weights and the ensembles of old that they do not have yet, so that a file never has less than before. A
// run or a selection in whose place they have another is an error, and so are runs that cannot be in one
// table, such as those that were measured with other OOD datasets.
func (r *Results) Over(old *Results) (*Results, error) {
	if err := r.Measure.findsAs(old.Measure); err != nil {
		return nil, fmt.Errorf("study: the results to replace differ in %w; name another file (-o)", err)
	}
	all, found := *r, r.byName()
	if s := old.Selected; s != nil && same(old.Selection, r.Selection) {
		if all.Selected == nil {
			all.Selected = s
		}
		if now := all.Selected.Settings; now != s.Settings {
			return nil, fmt.Errorf("study: the results to replace have the selected weights %s, not %s; name another file (-o)", s.Settings, now)
		}
	}
	names := setNames{}
	for _, run := range r.Runs {
		names.named(run)
	}
	for _, run := range old.Runs {
		name := planned{run.Method, run.Seed}
		is := found[name]
		if is == nil {
			run = names.named(run)
			found[name] = &run
		} else if is.Run != run.Run {
			return nil, fmt.Errorf("study: the results to replace have %s, which is another run (…-%s, not …-%s); name another file (-o)", name, run.Run, is.Run)
		}
	}
	all.order(found)
	for _, before := range old.Ensembles {
		if e := all.Ensemble(before.Method); (e == nil || !e.follows(&before)) && all.hasRuns(before, old) {
			all.putEnsemble(before)
		}
	}
	if err := all.agree(); err != nil {
		return nil, fmt.Errorf("%w; name another file (-o)", err)
	}
	return &all, nil
}

// hasRuns reports whether the results have the runs of an ensemble of old, with the same weights.
func (r *Results) hasRuns(e EnsembleResult, old *Results) bool {
	return !slices.ContainsFunc(e.Seeds, func(seed uint64) bool {
		was, is := old.Find(e.Method, seed), r.Find(e.Method, seed)
		return was == nil || is == nil || is.Failed != "" || is.Checkpoint != was.Checkpoint
	})
}

// checkSelected reports what of the selection of before is not as the plan would do it now.
func (p Plan) checkSelected(ctx context.Context, sets setsOfNow) error {
	if !p.selects() || p.Done.Selected == nil {
		return nil
	}
	if !same(p.Done.Selection, p.Selection) {
		return fmt.Errorf("selected weights by %s, not by %s (-candidates, -select-by, -select-seeds)", text(p.Done.Selection), text(p.Selection))
	}
	s := p.Done.Selected
	if i := slices.IndexFunc(s.Candidates, func(c Candidate) bool { return c.Settings == s.Settings }); i < 0 || len(s.Candidates[i].Failed) > 0 || !slices.Contains(p.Selection.Candidates, s.Settings) {
		return fmt.Errorf("selected the weights %s, which are of no candidate that was evaluated with all seeds", s.Settings)
	}
	for _, c := range s.Candidates {
		for k, hash := range c.Runs[:min(len(c.Runs), len(p.Selection.Seeds))] {
			want, err := p.resolved(Selected, p.Selection.Seeds[k], c.Settings)
			if err != nil {
				return err
			}
			if _, err := sets.check(ctx, want, hash); err != nil {
				return fmt.Errorf("have the candidate %s, seed %d, %w", c.Settings, p.Selection.Seeds[k], err)
			}
		}
	}
	return nil
}

// kept are the runs of the plan that were done before.
func (p Plan) kept() []Result {
	if p.Done == nil {
		return nil
	}
	var kept []Result
	done := p.Done.byName()
	for _, r := range p.runs() {
		if run := done[r]; run != nil {
			kept = append(kept, *run)
		}
	}
	return kept
}

// take enters what was done before, and the runs of it that are kept, in the results of the plan.
func (r *Results) take(p Plan, kept []Result) {
	r.Runs = append(r.Runs, kept...) // r has the plan's methods and seeds, and no run yet
	if p.selects() {
		r.Selected = p.Done.Selected
	}
	for _, e := range p.Done.Ensembles {
		if r.hasRuns(e, p.Done) {
			r.putEnsemble(e)
		}
	}
}

// Keeps reports what of a file of results would be lost if the plan's were written in its place:
// results of another base configuration or protocol, weights that are selected otherwise, or a run that is
// neither kept from Done nor loaded: it is not planned, or its folder is not among runs, the folder of runs.
// Whether it is of other data is known only once these are opened: see [Plan.Replaces].
func (p Plan) Keeps(old *Results, runs string) error {
	if p.Base = p.Base.WithoutFolders(); !same(p.base(), old.base()) {
		return fmt.Errorf("study: it has results of the preset %s, or of other settings; name another file", old.Preset)
	}
	p = p.canonical()
	if err := p.measuresAs(old.Plan); err != nil {
		return fmt.Errorf("study: it differs in %w; name another file", err)
	}
	chosen := old.Selected != nil || slices.ContainsFunc(old.Runs, func(r Result) bool { return r.Method == Selected })
	if chosen && !same(old.Selection, p.Selection) {
		return fmt.Errorf("study: it has weights selected by %s, not by %s (-candidates, -select-by, -select-seeds); name another file", text(old.Selection), text(p.Selection))
	}
	if err := p.keepsRuns(old, runs); err != nil {
		return fmt.Errorf("study: it has %w; name another file, or keep its runs: add its seeds and methods, and -continue it", err)
	}
	return nil
}

// keepsRuns reports a run of old that is neither kept nor loaded.
func (p Plan) keepsRuns(old *Results, runs string) error {
	entries, err := os.ReadDir(runs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("runs, whose folder cannot be read: %w", err)
	}
	done := p.kept()
	for _, run := range old.Runs {
		name := planned{run.Method, run.Seed}
		trained := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), "-"+run.Run) })
		kept := slices.IndexFunc(done, func(r Result) bool { return r.Method == run.Method && r.Seed == run.Seed })
		switch {
		case kept >= 0 && done[kept].Run == run.Run && done[kept].Checkpoint == run.Checkpoint:
		case kept >= 0:
			return fmt.Errorf("%s, which is another run in the results to continue", name)
		case !slices.Contains(p.partRuns(), name):
			return fmt.Errorf("%s, which is not asked for now", name)
		case !trained:
			return fmt.Errorf("%s, whose folder (…-%s) is not in %q", name, run.Run, runs)
		}
	}
	return nil
}
