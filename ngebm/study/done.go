package study

import (
	"fmt"
	"slices"
)

// checkDone reports what of the results of before is not as the plan would do it now;
// testSet is the checksum of the plan's test set.
func (p Plan) checkDone(testSet string) error {
	if err := p.Done.like(p); err != nil {
		return fmt.Errorf("differ in %w", err)
	}
	if p.selects() && p.Done.Selected != nil && !same(p.Done.Selection, p.Selection) {
		return fmt.Errorf("selected weights by %s, not by %s", text(p.Done.Selection), text(p.Selection))
	}
	for _, run := range p.kept() {
		name, settings := planned{run.Method, run.Seed}, ""
		if run.Method == Selected {
			if p.Done.Selected == nil {
				return fmt.Errorf("have %s, and do not say which weights were selected", name)
			}
			settings = p.Done.Selected.Settings
		}
		want, err := p.configure(run.Method, run.Seed, settings)
		if err != nil {
			return err
		}
		if got, want := anywhere(run.Config), anywhere(want.WithoutFolders()); !same(got, want) {
			return fmt.Errorf("have %s, trained with other settings: %s, not %s", name, text(got), text(want))
		}
		if set := run.Sets[2]; set.Checksum != testSet {
			return fmt.Errorf("have %s, tested on other examples: %s with the checksum %.12s…, not %.12s…", name, set.Name, set.Checksum, testSet)
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
	for _, r := range p.runs() {
		if run := p.Done.Find(r.method, r.seed); run != nil {
			kept = append(kept, *run)
		}
	}
	return kept
}

// take enters what was done before, in the results of the plan.
func (r *Results) take(p Plan) {
	for _, run := range p.kept() {
		r.put(run)
	}
	if p.selects() {
		r.Selected = p.Done.Selected
	}
	for _, e := range p.Done.Ensembles {
		if !slices.ContainsFunc(e.Seeds, func(seed uint64) bool { return r.Find(e.Method, seed) == nil }) {
			r.putEnsemble(e)
		}
	}
}
