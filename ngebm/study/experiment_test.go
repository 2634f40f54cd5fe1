package study_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/ood"
	"ngebm/ngebm/study"
	"ngebm/ngebm/train"
)

// small is a plan of four runs and two candidates, some seconds in pure Go.
func smallPlan(t testing.TB) study.Plan {
	t.Helper()
	base, err := ngebm.PresetConfig("digits-few")
	if err != nil {
		t.Fatal(err)
	}
	if err := base.Set("net=mlp-16,epochs=10,eval_every=5"); err != nil {
		t.Fatal(err)
	}
	return study.Plan{
		Preset: "digits-few", Base: base, Methods: []string{"cross-entropy", study.Selected}, Seeds: []uint64{1, 2},
		Selection: study.Selection{Candidates: []string{"beta=1,gamma=1", "beta=.01,gamma=.01"}, Seeds: []uint64{1}, Metric: "NLL"},
		Measure: study.Protocol{
			TestExamples: 300, OODExamples: 100, AttackExamples: 40, EnsembleExamples: 20, OODKinds: []string{"rotated"}, OODDatasets: []string{"svhn"},
			Linf: []float64{8, 24}, L2: []float64{64}, Resamples: 20, Seed: 1,
		},
	}
}

// briefPlan is smallPlan with less training and fewer attacks.
func briefPlan(t testing.TB) study.Plan {
	t.Helper()
	p := smallPlan(t)
	if err := p.Base.Set("epochs=2"); err != nil {
		t.Fatal(err)
	}
	p.Measure.AttackExamples, p.Measure.EnsembleExamples, p.Measure.Linf = 15, 15, []float64{8}
	return p
}

func run(t *testing.T, p study.Plan, runs string) (*study.Results, error) {
	t.Helper()
	return p.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: runs}, nil)
}

// What an experiment finds is what its parts find: the classifier's own answers, the
// candidate that validation data prefer, the same examples for every run; and it says
// where it comes from, without naming a folder.
func TestRun(t *testing.T) {
	p := smallPlan(t)
	p.Measure.Detectors, p.Measure.Near, p.Measure.OODValidation = []string{"kNN", "MDS"}, []string{"rotated"}, "uniform noise"
	folder := t.TempDir()
	kept, selected := 0, false
	backend := testdevice.Open(t, "go")
	r, err := p.Run(t.Context(), backend, train.Options{Runs: folder, Cache: t.TempDir()}, func(r *study.Results) error {
		if r.Selected != nil && !selected {
			selected = true
			return nil
		}
		if kept++; len(r.Runs) != kept || len(r.Missing()) != 4-kept {
			t.Errorf("after %d runs there are %d results, %d missing", kept, len(r.Runs), len(r.Missing()))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if kept != 4 || len(r.Of("cross-entropy")) != 2 || len(r.Of(study.Selected)) != 2 {
		t.Fatalf("%d runs were kept; the results are\n%s", kept, r)
	}
	// Chosen by the least NLL on validation examples, and trained with that.
	nll := func(i int) float64 { return r.Selected.Candidates[i].Metrics["NLL"][0] }
	best := p.Selection.Candidates[0]
	if nll(1) < nll(0) {
		best = p.Selection.Candidates[1]
	}
	if r.Selected.Settings != best || best != "beta=.01,gamma=.01" || r.Of(study.Selected)[1].Config.Gamma != .01 {
		t.Errorf("chosen %s with NLL %v and %v", r.Selected.Settings, nll(0), nll(1))
	}
	if !slices.Equal(r.Measure.Missing, []string{"svhn"}) || len(r.Measure.OODDatasets) != 0 {
		t.Errorf("there: %v, absent: %v", r.Measure.OODDatasets, r.Measure.Missing)
	}
	for _, found := range r.Runs {
		trained, err := train.Run(t.Context(), backend, found.Config, train.Options{Runs: folder})
		if err != nil || !trained.Loaded || trained.Hash != found.Run {
			t.Fatalf("the configuration in the results gives run %s, not %s (%v)", trained.Hash, found.Run, err)
		}
		_, part, err := trained.Test.RandomSplit(300, 1, "test", "test")
		if err != nil {
			t.Fatal(err)
		}
		accuracy, err := trained.Classifier.Accuracy(t.Context(), part)
		if err != nil || math.Abs(accuracy-found.Calibration.Accuracy) > 1e-12 || found.Calibration.Samples != 300 {
			t.Errorf("accuracy %v of %d, the classifier's is %v (%v)", found.Calibration.Accuracy, found.Calibration.Samples, accuracy, err)
		}
		if checkpoint, err := trained.Checksum(); err != nil || checkpoint != found.Checkpoint {
			t.Errorf("checkpoint %s, want %s (%v)", found.Checkpoint, checkpoint, err)
		}
		if s := found.Sets; s[0].Examples != 300 || s[1].Examples != 200 || s[2].Checksum != trained.Test.Checksum || found.Training.Steps != trained.History.Steps() {
			t.Errorf("sets %+v, %d steps", s, found.Training.Steps)
		}
		curve, worst := found.Curve(attack.Linf, false), found.Curve(attack.Linf, true)
		if curve.N != 40 || len(curve.Points) != 2 || worst.N != 20 || found.Curve(attack.L2, false).N != 40 || found.Curve(attack.L2, true) != nil {
			t.Errorf("curves %+v", found.Robustness)
		}
		if e := curve.Points[0].Epsilon; e != 8./255 {
			t.Errorf("ε is %v", e)
		}
		if len(found.Detection) != 9 || found.Detection[0].In != 100 || found.Detection[0].Set != "UCI digits, rotated" {
			t.Errorf("detection %+v", found.Detection)
		}
		if odin := found.Detection[6]; odin.Score != "ODIN" || !slices.ContainsFunc(ood.ODINCandidates(), func(p ood.ODINParameters) bool { return p.String() == odin.Is }) {
			t.Errorf("%s is %q", odin.Score, odin.Is)
		}
		knn := found.Detection[7]
		if knn.Score != "kNN" || knn.Group != study.Near || !slices.Contains([]float64{50, 100, 200}, knn.Parameter) || found.Detection[8].Parameter != 0 {
			t.Errorf("detectors %+v", found.Detection[7:])
		}
		if of := study.GroupMetric(study.Near, "kNN", "AUROC"); of(&found).Value != knn.AUROC {
			t.Errorf("the mean AUROC of one near set is %v, its own %v", of(&found).Value, knn.AUROC)
		}
		if of := study.GroupMetric(study.Far, "kNN", "AUROC"); !math.IsNaN(of(&found).Value) {
			t.Errorf("without far sets the mean AUROC is %v", of(&found).Value)
		}
	}
	// Read again it is the same, and nothing in it names a folder of this machine.
	path := filepath.Join(t.TempDir(), "results.json")
	if err := r.Write(path); err != nil {
		t.Fatal(err)
	}
	again, err := study.ReadResults(path)
	if err != nil || again.String() != r.String() || again.Costs() != r.Costs() {
		t.Errorf("read again (%v):\n%s\nwritten:\n%s", err, again, r)
	}
	for _, w := range []string{"cross-entropy", "+ temperature", "selected", "px", "worst case Linf", "AUROC near", "datasets that were missing: svhn"} {
		if !strings.Contains(r.String(), w) {
			t.Errorf("the table does not say %q:\n%s", w, r)
		}
	}
}

// Results say which kind of machine trained a run, as its folder does, and which measured it.
func TestMachines(t *testing.T) {
	p := briefPlan(t)
	p.Methods, p.Selection, p.Seeds = []string{"cross-entropy"}, study.Selection{}, []uint64{1}
	p.Measure = study.Protocol{OODExamples: 20}
	folder := t.TempDir()
	first, err := run(t, p, folder)
	if err != nil {
		t.Fatal(err)
	}
	if got := first.Runs[0].Training.Machine; got != ngebm.Machine() {
		t.Errorf("trained here by %q, not %q", got, ngebm.Machine())
	}
	costs, err := filepath.Glob(filepath.Join(folder, "*", "cost.json"))
	if err != nil || len(costs) != 1 {
		t.Fatal(costs, err)
	}
	for i, machine := range []string{"plan9/mips, 3 processors", ""} {
		text, err := json.Marshal(ngebm.Cost{Seconds: 7, Machine: machine})
		if err == nil {
			err = os.WriteFile(costs[0], text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Measure.Seed = uint64(i + 2) // else it is not measured again
		r, err := run(t, p, folder)
		if err != nil {
			t.Fatal(err)
		}
		got := copied(t, r).Runs[0]
		if got.Training.Machine != machine || got.Training.Seconds != 7 || got.Measuring.Machine != ngebm.Machine() {
			t.Errorf("trained by %q, measured by %q; want %q and %q", got.Training.Machine, got.Measuring.Machine, machine, ngebm.Machine())
		}
		if merged, err := study.Merge(r, copied(t, r)); err != nil || merged.Costs() != r.Costs() || merged.Setup() != r.Setup() {
			t.Errorf("merged (%v) it is\n%s\nnot\n%s", err, merged.Setup(), r.Setup())
		}
	}
}

// What is not known of a candidate's run is said, as of other runs.
func TestCandidatesNotes(t *testing.T) {
	p := briefPlan(t)
	p.Seeds, p.Measure = []uint64{1}, study.Protocol{OODExamples: 20}
	folder := t.TempDir()
	if r, err := run(t, p, folder); err != nil || len(r.Selected.Candidates[0].Notes) != 0 || strings.Contains(r.String(), "note: ") {
		t.Fatalf("%v\n%s", err, r)
	}
	costs, err := filepath.Glob(filepath.Join(folder, "*", "cost.json"))
	if err != nil || len(costs) != 3 {
		t.Fatal(costs, err)
	}
	for _, path := range costs {
		if err := os.WriteFile(path, []byte(`{"source":"0123456789ab"}`), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r, err := run(t, p, folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, candidate := range p.Selection.Candidates {
		if want := "\nnote: the candidate " + candidate + ", seed 1: it was trained by other code than this (source 0123456789ab"; !strings.Contains(copied(t, r).String(), want) {
			t.Errorf("%s\ndoes not say %q", r, want)
		}
	}
}

// What was done names every kind of machine that trained or measured a run, once.
func TestSetupNamesMachines(t *testing.T) {
	r := made(t, smallPlan(t), 1, 1, 2)
	for i, machines := range [][2]string{{"Zen 4", "Zen 5"}, {"", "Zen 4"}, {"Xeon", "Zen 5"}, {"", ""}} {
		r.Runs[i].Training.Machine, r.Runs[i].Measuring.Machine = machines[0], machines[1]
		r.Runs[i].Training.Device, r.Runs[i].Measuring.Device = "CPU", "CPU"
	}
	if want := "\nmachine    Zen 4; CPU\n           Zen 5; CPU\n           Xeon; CPU\ncode "; !strings.Contains(r.Setup(), want) {
		t.Errorf("%s\ndoes not say %q", r.Setup(), want)
	}
}

// Two processes share a plan, here two goroutines: every run is trained once, and both
// end with the same results, which are those of one alone.
func TestShared(t *testing.T) {
	p := smallPlan(t)
	p.Measure = study.Protocol{OODExamples: 50, Ensembles: true, Seed: 1}
	alone, err := run(t, p, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	var both [2]*study.Results
	var group sync.WaitGroup
	for i := range both {
		group.Go(func() {
			var err error
			if both[i], err = run(t, p, folder); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, r := range both {
		if r.String() != alone.String() {
			t.Errorf("shared\n%s\nalone\n%s", r, alone)
		}
	}
	if !reflect.DeepEqual(both[0].Runs, both[1].Runs) {
		t.Error("two processes that shared the runs have other records of them")
	}
	merged, err := study.Merge(alone, both[0])
	if err != nil {
		t.Fatal(err)
	}
	// The log of a mean is at least the mean of logs (Jensen), so that an ensemble's NLL is at
	// most its members'.
	nll := study.Calibration("NLL")
	for _, method := range p.Methods {
		e := merged.Ensemble(method)
		if e == nil || !slices.Equal(e.Seeds, p.Seeds) {
			t.Errorf("%s: the ensemble is %+v", method, e)
		} else if got, members := e.Calibration.NLL, merged.Estimate(method, nll).Mean; got > members {
			t.Errorf("%s: the ensemble's NLL is %v, that of its members %v", method, got, members)
		}
	}
	if !strings.Contains(merged.String(), "  ensemble of 2") {
		t.Errorf("no row of the ensemble:\n%s", merged)
	}
}

// A file of results cannot name an ensemble that its runs do not make, and one of fewer runs
// than the merged results have is left out.
func TestEnsemblesOfResults(t *testing.T) {
	r := made(t, smallPlan(t), 1, 1, 2)
	r.Ensembles = []study.EnsembleResult{{Method: "cross-entropy", Seeds: []uint64{1, 2}, Calibration: r.Runs[0].Calibration}}
	if copied(t, r).Ensemble("cross-entropy") == nil {
		t.Error("an ensemble was not stored")
	}
	merged, err := study.Merge(r, made(t, smallPlan(t), 1, 3))
	if err != nil || merged.Ensemble("cross-entropy") != nil {
		t.Errorf("an ensemble of two of three runs was kept (%v)", err)
	}
	for _, seeds := range [][]uint64{{1}, {1, 4}} {
		r.Ensembles[0].Seeds = seeds
		path := filepath.Join(t.TempDir(), "results.json")
		if err := r.Write(path); err != nil {
			t.Fatal(err)
		}
		if _, err := study.ReadResults(path); err == nil || !strings.Contains(err.Error(), "ensemble") {
			t.Errorf("an ensemble of %v: %v", seeds, err)
		}
	}
}

// A run that diverges does not end an experiment, and is in no mean.
func TestDivergedRun(t *testing.T) {
	p := smallPlan(t)
	p.Methods, p.Measure = []string{"cross-entropy"}, study.Protocol{OODExamples: 50}
	p.Base.LearningRate, p.Base.Schedule = 1e12, "constant"
	r, err := run(t, p, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Runs) != 2 || r.Runs[0].Failed == "" || len(r.Of("cross-entropy")) != 0 || !strings.Contains(r.String(), "failed: cross-entropy, seed 1: loss is") {
		t.Errorf("%+v\n%s", r.Runs, r)
	}
	p.Methods = []string{study.Selected}
	if _, err := run(t, p, t.TempDir()); err == nil || !strings.Contains(err.Error(), "no setting finished with every seed") {
		t.Errorf("where all candidates diverge: %v", err)
	}
}

func TestStopped(t *testing.T) {
	backend := testdevice.Open(t, "go")
	p := smallPlan(t)
	p.Measure = study.Protocol{OODExamples: 50}
	stop := errors.New("enough")
	r, err := p.Run(t.Context(), backend, train.Options{Runs: t.TempDir()}, func(*study.Results) error { return stop })
	if !errors.Is(err, stop) || len(r.Runs) != 1 {
		t.Errorf("%v, %+v", err, r)
	}
}

// Kinds of OOD inputs that the data do not have, and too few classes for AutoAttack, are found
// before anything is trained.
func TestExperimentChecksOODKinds(t *testing.T) {
	p, runs := smallPlan(t), t.TempDir()
	p.Measure.OODKinds = []string{"uniform box"} // of points
	_, err := p.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: runs}, nil)
	testerror.Want(t, err, `"uniform box" (-ood)`, "rotated")

	p = smallPlan(t)
	p.Base.Data, p.Measure.OODKinds, p.Measure.AutoAttack, p.Measure.Linf = "moons", nil, true, []float64{.1}
	_, err = p.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: runs}, nil)
	testerror.Want(t, err, "-autoattack", "needs 4 classes", "has 2")
	if trained, err := os.ReadDir(runs); err != nil || len(trained) > 0 {
		t.Errorf("%v (%v)", trained, err)
	}
}

func TestValidate(t *testing.T) {
	for want, change := range map[string]func(*study.Plan){
		"has no methods":                        func(p *study.Plan) { p.Methods = nil },
		"has no seeds":                          func(p *study.Plan) { p.Seeds = nil },
		"seed 2 twice":                          func(p *study.Plan) { p.Seeds = []uint64{1, 2, 2} },
		`unknown method "best"`:                 func(p *study.Plan) { p.Methods = []string{"best"} },
		"the method jem twice":                  func(p *study.Plan) { p.Methods = []string{"jem", "jem"} },
		"no validation data":                    func(p *study.Plan) { p.Base.Validation = 0 },
		"no candidates":                         func(p *study.Plan) { p.Selection.Candidates = nil },
		"the selection of weights has no seeds": func(p *study.Plan) { p.Selection.Seeds = nil },
		`cannot select weights by "loss"`:       func(p *study.Plan) { p.Selection.Metric = "loss" },
		"there is no setting":                   func(p *study.Plan) { p.Selection.Candidates = []string{"betta=1"} },
		"sets the seed":                         func(p *study.Plan) { p.Selection.Candidates = []string{"beta=1,seed=3"} },
		`"validation=100" sets validation`:      func(p *study.Plan) { p.Selection.Candidates = []string{"validation=100"} },
		`"rotated" is given twice (-ood)`:       func(p *study.Plan) { p.Measure.OODKinds = []string{"rotated", "blobs", "rotated"} },
		`"uniform box" is given twice (-ood)`:   func(p *study.Plan) { p.Measure.OODKinds = []string{"far away", "uniform box"} },
		`"rotated" is given twice (-near)`:      func(p *study.Plan) { p.Measure.Near = []string{"rotated", "rotated"} },
		"chosen on uniform box (-ood-validation), which is also tested": func(p *study.Plan) {
			p.Measure.OODKinds, p.Measure.OODValidation = []string{"uniform box"}, "far away"
		},
		"10 validation examples are too few": func(p *study.Plan) { p.Base.Validation = 10 },
		"2000000 resamples; it must be":      func(p *study.Plan) { p.Measure.Resamples = 2_000_000 },
		"every 5 epochs (eval_every) of 4; set eval_every to 4 or less (in ng-ebm-chosen beta=1,epochs=4)": func(p *study.Plan) {
			p.Measure.Best, p.Selection.Candidates = true, []string{"beta=1,epochs=4"}
		},
		"the detectors kNN (-detectors) are fitted on features, and the network convnet+gauge-mlp offers none": func(p *study.Plan) {
			p.Measure.Detectors, p.Base.Net = []string{"kNN"}, "convnet+gauge-mlp"
		},
		"the method jem-informative twice": func(p *study.Plan) { p.Methods = []string{"jem-informative", "jem++"} },
		"beta is -1":                       func(p *study.Plan) { p.Selection.Candidates = []string{"beta=-1"} },
		"(-attack-examples) is 7;":         func(p *study.Plan) { p.Measure.AttackExamples = 7 },
		"(-test) is -1;":                   func(p *study.Plan) { p.Measure.TestExamples = -1 },
		"(-bootstrap) is -1;":              func(p *study.Plan) { p.Measure.Resamples = -1 },
		"(-attack-batch) is -1;":           func(p *study.Plan) { p.Measure.AttackBatch = -1 },
		"(did you mean rotated?)":          func(p *study.Plan) { p.Measure.OODKinds = []string{"rotatd"} },
		"ε of an attack is -1 (-l2)":       func(p *study.Plan) { p.Measure.L2 = []float64{-1} },
		"ε of an attack is 0":              func(p *study.Plan) { p.Measure.Linf = []float64{0} },
		"ε of an attack is +Inf":           func(p *study.Plan) { p.Measure.L2 = []float64{math.Inf(1)} },
	} {
		p := smallPlan(t)
		change(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if names := study.MethodNames(); !slices.Contains(names, study.Selected) || study.Title("jem") != "jem" {
		t.Errorf("methods %v", names)
	}
	if !slices.Contains(study.ValidationMetrics(), smallPlan(t).Selection.Metric) {
		t.Error("the plan of these tests chooses by a figure that there is not")
	}
}

// OOD sets that no run can be measured on, or that results could not tell apart, are refused before
// anything is trained.
func TestOODDatasetsRefused(t *testing.T) {
	digits := briefPlan(t)
	digits.Measure.OODDatasets = []string{"digits@16", "digits@16"}
	itself := briefPlan(t)
	itself.Measure.OODDatasets = []string{"digits"}
	points := briefPlan(t)
	moons, err := ngebm.PresetConfig("moons")
	if err != nil {
		t.Fatal(err)
	}
	points.Base = moons
	points.Base.Validation = 100
	points.Measure.OODKinds, points.Measure.OODDatasets, points.Measure.Linf, points.Measure.L2 = []string{"uniform box"}, []string{"digits"}, nil, nil
	chosen, twice := briefPlan(t), briefPlan(t)
	chosen.Measure.OODValidation = "digits"
	twice.Measure.OODDatasets, twice.Measure.OODValidation = []string{"folder:" + photos(t, filepath.Join(t.TempDir(), "a"), 50, 1)}, "folder:"+photos(t, filepath.Join(t.TempDir(), "b"), 50, 1)
	few := points
	rows := filepath.Join(t.TempDir(), "few.csv")
	if err := os.WriteFile(rows, []byte("a,b,class\n"+strings.Repeat("1,2,x\n2,1,y\n", 30)), 0o644); err != nil {
		t.Fatal(err)
	}
	few.Base.Data, few.Base.Validation, few.Base.Batch, few.Measure.OODDatasets = "csv:"+rows+"@class", 15, 5, nil
	for want, p := range map[string]study.Plan{
		"the OOD validation set digits (-ood-validation) has the examples of the test set itself":        chosen,
		"the OOD validation set folder:b (-ood-validation) has the examples of folder:a (-ood-datasets)": twice,
		"test examples, too few for 15 calibration bins":                                                 few,
		"two OOD sets (-ood-datasets) are called UCI digits":                                             digits,
		"the OOD dataset digits (-ood-datasets) has the examples of the test set itself":                 itself,
		"OOD dataset digits has examples of shape [8 8 1]":                                               points,
	} {
		folder := t.TempDir()
		_, err := run(t, p, folder)
		testerror.Want(t, err, want)
		if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
			t.Errorf("%s: trained %v (%v)", want, entries, err)
		}
	}
}
