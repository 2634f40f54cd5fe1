package study_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ngebm/data"
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

// Runs of before that were tested on other OOD inputs are not one table with those of now.
func TestContinueOtherOODInputs(t *testing.T) {
	p := briefPlan(t)
	p.Methods, p.Selection, p.Seeds = []string{"cross-entropy"}, study.Selection{}, []uint64{1}
	p.Measure.OODKinds, p.Measure.OODExamples = []string{"rotated"}, 20
	done, err := run(t, p, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p.Done, p.Seeds = copied(t, done), []uint64{1, 2}
	for i := range p.Done.Runs[0].Detection {
		p.Done.Runs[0].Detection[i].Checksum = strings.Repeat("0", 64)
	}
	_, err = run(t, p, t.TempDir())
	testerror.Want(t, err, "rotated")
}

// Weights that are selected are kept before a run with them is done.
func TestContinueWithSelected(t *testing.T) {
	p := briefPlan(t)
	p.Seeds = []uint64{1}
	var kept *study.Results
	full := errors.New("disk full")
	_, err := p.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: t.TempDir()}, func(r *study.Results) error {
		if r.Selected == nil {
			return nil
		}
		kept = copied(t, r)
		return full
	})
	if !errors.Is(err, full) || kept == nil || kept.Find(study.Selected, 1) != nil {
		t.Fatalf("%v, and kept is %v", err, kept)
	}
	p.Done = kept
	folder := t.TempDir()
	r, err := run(t, p, folder)
	if err != nil {
		t.Fatal(err)
	}
	if r.Find(study.Selected, 1) == nil || r.Selected.Settings != kept.Selected.Settings {
		t.Errorf("selected %v, then\n%s", kept.Selected, r)
	}
	trained, err := filepath.Glob(filepath.Join(folder, "*", "config.json"))
	if want := len(r.Runs) - len(kept.Runs); err != nil || len(trained) != want {
		t.Errorf("it trains %d runs (%v), not %d", len(trained), err, want)
	}
}

// What a configuration leaves out has its default in results, which are continued all the same.
func TestContinueWithDefaults(t *testing.T) {
	p := briefPlan(t)
	p.Methods, p.Selection, p.Seeds, p.Measure.Linf, p.Measure.L2 = []string{"cross-entropy", "adversarial", "jem-informative"}, study.Selection{}, []uint64{1}, nil, nil
	if err := p.Base.Set("epochs=1,limit=60,validation=20,optimizer=adam,precision=float32"); err != nil {
		t.Fatal(err)
	}
	done, err := run(t, p, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p.Done = copied(t, done)
	folder := t.TempDir()
	if again, err := run(t, p, folder); err != nil || again.String() != done.String() {
		t.Errorf("%v\n%s\nnot\n%s", err, again, done)
	}
	if trained, err := filepath.Glob(filepath.Join(folder, "*", "config.json")); err != nil || len(trained) != 0 {
		t.Errorf("it trains %v (%v)", trained, err)
	}
}

// A file of results is not replaced by one that lacks some of its runs.
func TestKeeps(t *testing.T) {
	p := briefPlan(t)
	p.Methods, p.Selection, p.Seeds = []string{"cross-entropy"}, study.Selection{}, []uint64{1}
	folder := t.TempDir()
	done, err := run(t, p, folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Keeps(done, folder); err != nil {
		t.Errorf("a repeated command: %v", err)
	}
	testerror.Want(t, p.Keeps(done, t.TempDir()), "cross-entropy, seed 1, whose folder (…-"+done.Runs[0].Run+") is not in")
	testerror.Want(t, p.Keeps(done, filepath.Join(t.TempDir(), "none")), "is not in")
	p.Measure.Resamples++
	testerror.Want(t, p.Keeps(done, folder), "it differs in the protocol: resamples 20, not 21; name another file")
	p.Measure.Resamples--
	p.Done = done
	if err := p.Keeps(done, t.TempDir()); err != nil {
		t.Errorf("it is continued: %v", err)
	}
	for name, change := range map[string]func(*study.Result){
		"other data":    func(r *study.Result) { r.Run = "abc" },
		"other weights": func(r *study.Result) { r.Checkpoint = "abc" },
	} {
		t.Run(name, func(t *testing.T) {
			p := p
			p.Done = copied(t, done)
			change(&p.Done.Runs[0])
			testerror.Want(t, p.Keeps(done, folder), "cross-entropy, seed 1, which is another run in the results to continue")
		})
	}
	p.Base.Data = "tar:elsewhere/digits.tar.gz" // the checksums say that it is the same, see TestContinueRefuses
	if err := p.Keeps(done, t.TempDir()); err != nil {
		t.Errorf("it is continued from another archive: %v", err)
	}
	p.Done = nil
	if err := p.Keeps(done, folder); err != nil {
		t.Errorf("it is loaded from another archive: %v", err)
	}
	p.Methods, p.Selection = []string{study.Selected}, study.Selection{Candidates: []string{"beta=1"}, Seeds: []uint64{1}, Metric: "NLL"}
	selected := copied(t, done)
	selected.Runs[0].Method = study.Selected
	testerror.Want(t, p.Keeps(selected, folder), "it has weights selected by", "beta=1")
	p.Methods, p.Selection = done.Methods, study.Selection{}
	p.Base.Data, p.Done = done.Base.Data, done
	p.Seeds = []uint64{2}
	testerror.Want(t, p.Keeps(done, folder), "cross-entropy, seed 1, which is not asked for now")
	p.Done, p.Seeds = nil, []uint64{1, 2}
	p.Part = study.Part{Index: 2, Of: 2}
	testerror.Want(t, p.Keeps(done, folder), "cross-entropy, seed 1, which is not asked for now")
	p.Part, p.Seeds = study.Part{}, []uint64{2}
	testerror.Want(t, p.Keeps(done, folder), "cross-entropy, seed 1, which is not asked for now")
	p.Base.Epochs++
	testerror.Want(t, p.Keeps(done, folder), "results of the preset digits-few, or of other settings")
}

// Two methods with one configuration share a run, and both have its results.
func TestTwins(t *testing.T) {
	p := briefPlan(t)
	p.Methods, p.Seeds = []string{"cross-entropy", "ng-ebm-paper", study.Selected}, []uint64{1}
	p.Selection.Candidates = []string{"beta=1,gamma=1"}
	p.Measure.Ensembles = true
	r, err := run(t, p, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	paper, selected := r.Find("ng-ebm-paper", 1), r.Find(study.Selected, 1)
	if len(r.Missing()) != 0 || paper.Run != selected.Run || paper.Calibration.ECE != selected.Calibration.ECE {
		t.Errorf("missing %v:\n%s", r.Missing(), r)
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
		"another base":         {func(p *study.Plan, _ *study.Results) { p.Base.LearningRate = .5 }, []string{"results to continue differ in the base configuration: learning_rate 0.003, not 0.5"}},
		"another protocol":     {func(p *study.Plan, _ *study.Results) { p.Measure.Resamples = 7 }, []string{"differ in the protocol"}},
		"another selection":    {func(p *study.Plan, _ *study.Results) { p.Selection.Metric = "accuracy" }, []string{"selected weights by", "accuracy"}},
		"no selection":         {func(_ *study.Plan, r *study.Results) { r.Selected = nil }, []string{"ng-ebm-chosen, seed 1, and do not say which weights"}},
		"other settings":       {func(_ *study.Plan, r *study.Results) { r.Runs[0].Config.Beta = .7 }, []string{"cross-entropy, seed 1, trained with other settings", "0.7"}},
		"another network":      {func(_ *study.Plan, r *study.Results) { r.Runs[0].Config.Net = "mlp-8" }, []string{"other settings", "mlp-8"}},
		"another training set": {func(_ *study.Plan, r *study.Results) { r.Runs[0].Run = "abc" }, []string{"cross-entropy, seed 1, trained on other examples", "its hash is abc"}},
		"another test set":     {func(_ *study.Plan, r *study.Results) { r.Runs[0].Sets[2].Checksum = "abc" }, []string{"tested on other examples", "abc"}},
		"another seed":         {func(_ *study.Plan, r *study.Results) { r.Runs[0].Config.Seed = 2 }, []string{"other settings"}},
		"a candidate's data":   {func(_ *study.Plan, r *study.Results) { r.Runs, r.Selected.Candidates[1].Runs[0] = nil, "abc" }, []string{"have the candidate " + done.Selected.Candidates[1].Settings + ", seed ", "trained on other examples", "its hash is abc"}},
		"selected otherwise":   {func(_ *study.Plan, r *study.Results) { r.Selected.Settings = "beta=.5" }, []string{"selected the weights beta=.5, which are of no candidate"}},
		"a failed candidate": {func(_ *study.Plan, r *study.Results) {
			for i := range r.Selected.Candidates {
				r.Selected.Candidates[i].Failed = []string{"seed 1: loss is NaN"}
			}
		}, []string{"selected the weights " + done.Selected.Settings + ", which are of no candidate that was evaluated with all seeds"}},
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

// Runs with outliers are compared with the training set of now as well.
func TestContinueRefusesOutliers(t *testing.T) {
	p := briefPlan(t)
	p.Methods, p.Selection, p.Seeds = []string{"outlier-exposure"}, study.Selection{}, []uint64{1}
	p.Measure = study.Protocol{OODExamples: 20}
	done, err := run(t, p, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p.Done = copied(t, done)
	if _, err := run(t, p, t.TempDir()); err != nil {
		t.Errorf("of the same data: %v", err)
	}
	p.Done.Runs[0].Run = "abc"
	_, err = run(t, p, t.TempDir())
	testerror.Want(t, err, "outlier-exposure, seed 1, trained on other examples", "its hash is abc")

	// Runs of before 2026-12 were trained on outliers of SynthesizeOOD.
	trainSet, _, err := data.Open(t.Context(), p.Base.Data, data.Options{Limit: p.Base.Limit})
	if err != nil {
		t.Fatal(err)
	}
	cfg := done.Runs[0].Config
	outliers, err := trainSet.SynthesizeOOD(cfg.Margin.Outliers, cfg.Seed)
	if err != nil {
		t.Fatal(err)
	}
	earlier := copied(t, done)
	earlier.Runs[0].Run = cfg.Hash(trainSet.Checksum + "+" + outliers.Checksum)
	const note = "trained on outliers that OOD sets of its seed contain; train it again to compare"
	for range 2 { // once, however often they are continued
		p.Done = earlier
		kept, err := run(t, p, t.TempDir())
		if err != nil || !slices.Equal(kept.Runs[0].Notes, []string{note}) || strings.Count(kept.String(), note) != 1 {
			t.Fatalf("%v, notes %q", err, kept.Runs[0].Notes)
		}
		earlier = copied(t, kept)
	}
	p.Done, p.Replaces = nil, earlier
	folder := t.TempDir()
	_, err = run(t, p, folder)
	testerror.Want(t, err, "results to replace have outlier-exposure, seed 1, "+note, "name another file (-o)")
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 0 {
		t.Errorf("it trained %v (%v)", entries, err)
	}
}

// Results are replaced by those of the same runs only, under whatever name of the data.
func TestReplaces(t *testing.T) {
	rows := func(n int) string {
		text := "a,b,class\n"
		for i := range n {
			text += fmt.Sprintf("%d,%d,%d\n", i, i*i%7, i%2)
		}
		return text
	}
	folder, runs := t.TempDir(), t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return "csv:" + path + "@class"
	}
	p := study.Plan{Preset: "moons", Base: small(), Methods: []string{"cross-entropy", study.Selected}, Seeds: []uint64{1}}
	p.Base.Data, p.Base.Augment = put("a.csv", rows(200)), data.Augment{}
	p.Selection = study.Selection{Candidates: []string{"beta=.1"}, Seeds: []uint64{1}, Metric: "NLL"}
	old, err := run(t, p, runs)
	if err != nil {
		t.Fatal(err)
	}
	p.Replaces = copied(t, old)
	for _, name := range []string{"a.csv", "renamed.csv"} {
		p.Base.Data = put(name, rows(200))
		r, err := p.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: runs}, func(r *study.Results) error {
			r, err := r.Over(old)
			if err == nil && (copied(t, r).Selected == nil || len(r.Runs) != 2) {
				t.Errorf("%s: a file of 2 runs is replaced by one of %d, selected %v", name, len(r.Runs), r.Selected)
			}
			return err
		})
		if err != nil || len(r.Runs) != 2 || r.Runs[0].Run != old.Runs[0].Run {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	p.Measure.Resamples = 7
	_, err = run(t, p, t.TempDir())
	testerror.Want(t, err, "results to replace differ in the protocol", "name another file (-o)")
	p.Measure.Resamples = 0
	p.Replaces.Measure.OODDatasets, p.Measure.OODDatasets = []string{"svhn"}, []string{"svhn"}
	_, err = p.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: t.TempDir(), Cache: t.TempDir()}, nil)
	testerror.Want(t, err, "results to replace differ in the OOD datasets (-ood-datasets) that are on the machine: svhn, now none", "name another file (-o)")
	p.Replaces.Measure.OODDatasets, p.Measure.OODDatasets = nil, nil
	for name, text := range map[string]string{
		"a row more": rows(201),
		"edited":     strings.Replace(rows(200), "\n3,2,1\n", "\n3,5,1\n", 1),
	} {
		p.Base.Data = put("a.csv", text)
		_, err := p.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: runs}, func(*study.Results) error {
			t.Errorf("%s: results are written", name)
			return nil
		})
		testerror.Want(t, err, "results to replace have cross-entropy, seed 1, t", "ed on other examples", "name another file (-o)")
	}
	// What shows in training only is refused then.
	p.Base.Data = put("a.csv", rows(200))
	p.Replaces.Selected.Settings, p.Selection.Candidates = "beta=.1", []string{"beta=.2"}
	_, err = run(t, p, t.TempDir())
	testerror.Want(t, err, "results to replace have ng-ebm-chosen, seed 1, whose weights were selected by", "beta=.2")
	p.Replaces.Selection = p.Selection
	_, err = p.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: t.TempDir()}, func(r *study.Results) error {
		_, err := r.Over(p.Replaces)
		return err
	})
	testerror.Want(t, err, "results to replace have the selected weights beta=.1, not beta=.2", "name another file (-o)")
}

// Results are written over old ones of their plan with what only those have.
func TestOver(t *testing.T) {
	p := smallPlan(t)
	p.Seeds = []uint64{1, 2, 3}
	of := func(ensemble []uint64, seeds ...uint64) *study.Results {
		r := made(t, p, 1, seeds...)
		r.Seeds = p.Seeds
		if ensemble != nil {
			r.Ensembles = []study.EnsembleResult{{Method: "cross-entropy", Seeds: ensemble, Calibration: r.Runs[0].Calibration}}
		}
		return r
	}
	for name, c := range map[string]struct {
		now, old, want []uint64
	}{
		"none now":       {nil, []uint64{2, 3}, []uint64{2, 3}},
		"none before":    {[]uint64{1, 2}, nil, []uint64{1, 2}},
		"of more runs":   {[]uint64{1, 2, 3}, []uint64{2, 3}, []uint64{1, 2, 3}},
		"of fewer runs":  {[]uint64{1, 2}, []uint64{1, 2, 3}, []uint64{1, 2, 3}},
		"of other runs":  {[]uint64{1, 2}, []uint64{2, 3}, []uint64{2, 3}},
		"made once more": {[]uint64{2, 1}, []uint64{1, 2}, []uint64{2, 1}},
	} {
		now, old := of(c.now, 1, 2), of(c.old, 2, 3)
		now.Selected, now.Runs[2].Training.Seconds = nil, 99
		if slices.Contains(c.old, 1) {
			old = of(c.old, p.Seeds...)
		}
		all, err := now.Over(old)
		if err != nil {
			t.Fatal(err)
		}
		if e := all.Ensemble("cross-entropy"); !slices.Equal(e.Seeds, c.want) {
			t.Errorf("%s: the ensemble is of %v", name, e.Seeds)
		}
		if len(copied(t, all).Runs) != 6 || all.Selected == nil || all.Find("cross-entropy", 2).Training.Seconds != 99 || len(now.Runs) != 4 {
			t.Errorf("%s: %s", name, all)
		}
	}
	now, old := of(nil, 1, 2), of([]uint64{2, 3}, 2, 3)
	now.Runs[2].Checkpoint = "trained again"
	if all, err := now.Over(old); err != nil || all.Ensemble("cross-entropy") != nil {
		t.Errorf("an ensemble of weights that are no longer there stays: %v (%v)", all, err)
	}
	old.Measure.OODDatasets = nil
	_, err := now.Over(old)
	testerror.Want(t, err, "results to replace differ in the OOD datasets (-ood-datasets) that are on the machine: none, now svhn", "name another file (-o)")
	now, old = of(nil, 1), of(nil, 1, 2)
	old.Runs[0].Run = "abc"
	_, err = now.Over(old)
	testerror.Want(t, err, "have cross-entropy, seed 1, which is another run (…-abc, not …-cross-entropy-hash)", "(-o)")
	old = of(nil, 2)
	old.Runs[0].Sets[2].Checksum = "03"
	_, err = now.Over(old)
	testerror.Want(t, err, "such runs cannot be in one table", "name another file (-o)")
}
