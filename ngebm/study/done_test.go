package study_test

import (
	"path/filepath"
	"strings"
	"testing"

	"ngebm/data/testerror"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/study"
	"ngebm/ngebm/train"
)

// An experiment that goes on elsewhere, from nothing but its results file, trains what the
// file lacks, without the candidates, and gives what one machine gives.
func TestContinue(t *testing.T) {
	p := briefPlan(t)
	p.Measure.Ensembles = true
	whole, err := run(t, p, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	first := p
	first.Seeds = []uint64{1}
	done, err := run(t, first, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p.Done = copied(t, done)
	folder := t.TempDir()
	r, err := p.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: folder}, nil)
	if err != nil {
		t.Fatal(err)
	}
	trained, err := filepath.Glob(filepath.Join(folder, "*", "config.json"))
	if err != nil || len(trained) != 2 {
		t.Errorf("it trains %d runs (%v), not the two of seed 2", len(trained), err)
	}
	if len(whole.Ensembles) != 2 || len(r.Ensembles) != 0 {
		t.Errorf("%d and %d ensembles; those of runs that are not at hand cannot be made", len(whole.Ensembles), len(r.Ensembles))
	}
	ensembles := whole.Ensembles
	whole.Ensembles = nil
	if r.String() != whole.String() {
		t.Errorf("the tables are\n%s\nand those of one machine\n%s", r, whole)
	}
	// Ensembles that were made are kept, and a file with all runs leaves nothing to do.
	p.Done = copied(t, r)
	p.Done.Ensembles, whole.Ensembles = ensembles, ensembles
	if again, err := run(t, p, t.TempDir()); err != nil || again.String() != whole.String() {
		t.Errorf("with nothing left to do it gives (%v)\n%s\nnot\n%s", err, again, whole)
	}
	if want := "(of these, 4 are kept from earlier results)"; !strings.Contains(p.String(), want) {
		t.Errorf("the plan does not say %q:\n%s", want, p)
	}
}

// Results of something else are refused before anything is trained.
func TestContinueRefuses(t *testing.T) {
	p := briefPlan(t)
	p.Seeds = []uint64{1}
	done, err := run(t, p, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p.Seeds = []uint64{1, 2}
	for name, c := range map[string]struct {
		change func(*study.Plan, *study.Results)
		want   []string
	}{
		"another base":       {func(p *study.Plan, _ *study.Results) { p.Base.LearningRate = .5 }, []string{"results to continue differ in the base configuration", "0.5"}},
		"another protocol":   {func(p *study.Plan, _ *study.Results) { p.Measure.Resamples = 7 }, []string{"differ in the protocol"}},
		"another selection":  {func(p *study.Plan, _ *study.Results) { p.Selection.Metric = "accuracy" }, []string{"selected weights by", "accuracy"}},
		"no selection":       {func(_ *study.Plan, r *study.Results) { r.Selected = nil }, []string{"ng-ebm-chosen, seed 1, and do not say which weights"}},
		"other settings":     {func(_ *study.Plan, r *study.Results) { r.Runs[0].Config.Beta = .7 }, []string{"cross-entropy, seed 1, trained with other settings", "0.7"}},
		"another network":    {func(_ *study.Plan, r *study.Results) { r.Runs[0].Config.Net = "mlp-8" }, []string{"other settings", "mlp-8"}},
		"another test set":   {func(_ *study.Plan, r *study.Results) { r.Runs[0].Sets[2].Checksum = "abc" }, []string{"tested on other examples", "abc"}},
		"another seed":       {func(_ *study.Plan, r *study.Results) { r.Runs[0].Config.Seed = 2 }, []string{"other settings"}},
		"selected otherwise": {func(_ *study.Plan, r *study.Results) { r.Selected.Settings = "beta=.5" }, []string{"ng-ebm-chosen, seed 1, trained with other settings"}},
	} {
		t.Run(name, func(t *testing.T) {
			p, r := p, copied(t, done)
			p.Done = r
			c.change(&p, r)
			_, err := run(t, p, t.TempDir())
			testerror.Want(t, err, c.want...)
		})
	}
}
