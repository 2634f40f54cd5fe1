package study_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"ngebm/data/testerror"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/ood"
	"ngebm/ngebm/study"
)

// made is results of the small plan with these seeds, of no run: the more confident the
// larger the sharpness.
func made(t testing.TB, p study.Plan, sharpness float64, seeds ...uint64) *study.Results {
	t.Helper()
	p.Seeds = seeds
	r := &study.Results{Format: 1, Plan: p, Selected: &study.Outcome{Settings: "beta=1,gamma=1", Metric: "NLL"}, Runs: []study.Result{}}
	for _, seed := range seeds {
		for i, method := range p.Methods {
			s := calibration.Sample{}
			for k := range 40 {
				s.Logits, s.Labels = append(s.Logits, []float64{sharpness * float64(k%(7+i)) / float64(seed+1), 1}), append(s.Labels, int32(k%2))
			}
			report, err := calibration.Measure(s, calibration.Options{Validation: &s})
			if err != nil {
				t.Fatal(err)
			}
			r.Runs = append(r.Runs, study.Result{
				Method: method, Seed: seed, Run: method + "-hash", Checkpoint: "01", Network: "mlp-16",
				Sets:     []study.DatasetInfo{{Name: "a", Split: "train"}, {Name: "a", Split: "validation"}, {Name: "a", Split: "test", Checksum: "02"}},
				Training: study.Training{Steps: 10, Work: study.Work{Seconds: 1}}, Calibration: report,
				Detection:  []study.Detection{{Set: "noise", Score: "px", Report: ood.Report{Metrics: ood.Metrics{AUROC: .75}}}},
				Robustness: []*attack.Curve{{Attack: "PGD", Norm: attack.Linf, N: 40, Points: []attack.Point{{Epsilon: .1, Accuracy: .5}}}},
			})
		}
	}
	return r
}

// copied is results as another machine would have them.
func copied(t *testing.T, r *study.Results) *study.Results {
	t.Helper()
	path := filepath.Join(t.TempDir(), "results.json")
	if err := r.Write(path); err != nil {
		t.Fatal(err)
	}
	again, err := study.ReadResults(path)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestMerge(t *testing.T) {
	p := smallPlan(t)
	one, other := made(t, p, 1, 1, 2), made(t, p, 1, 2, 5)
	for i := range other.Runs {
		other.Runs[i].Training.Seconds, other.Runs[i].Training.Device = 99, "another"
	}
	merged, err := study.Merge(one, copied(t, other))
	if err != nil {
		t.Fatal(err)
	}
	if len(merged.Runs) != 6 || len(merged.Missing()) != 0 || merged.Find("cross-entropy", 2).Training.Seconds != 1 || merged.Find(study.Selected, 5).Training.Seconds != 99 {
		t.Errorf("merged: %d runs, missing %v\n%s", len(merged.Runs), merged.Missing(), merged)
	}
	if again, err := study.Merge(copied(t, other), one); err != nil || len(again.Runs) != 6 || again.Seeds[0] != 2 {
		t.Errorf("the other way round: %v, %v", again, err)
	}
	// Machines round the metrics of the selection differently, and may have other versions of the code.
	rounded := copied(t, other)
	rounded.Selected.Candidates = []study.Candidate{{Settings: "beta=1,gamma=1", Metrics: map[string][]float64{"NLL": {.1}}}}
	rounded.Runs[3].Measuring.Source = "another"
	if again, err := study.Merge(one, rounded); err != nil || len(again.Selected.Candidates) != 0 || !strings.Contains(again.String(), "note: the runs were measured by 2 versions of the code") {
		t.Errorf("of another machine: %v\n%s", err, again)
	}
	if note := "versions of the code"; strings.Contains(merged.String(), note) {
		t.Errorf("one version is said to be several:\n%s", merged)
	}
	part := made(t, p, 1, 1, 2)
	part.Runs = part.Runs[:1]
	if merged, err = study.Merge(part); err != nil || len(merged.Missing()) != 3 || !strings.Contains(merged.String(), "missing: cross-entropy, seed 2") {
		t.Errorf("of unfinished results: %v\n%s", err, merged)
	}
	for want, change := range map[string]func(*study.Results){
		"differ from the first in the base configuration": func(r *study.Results) { r.Base.Epochs++ },
		"differ from the first in the protocol":           func(r *study.Results) { r.Measure.TestExamples = 500 },
		"selected other weights":                          func(r *study.Results) { r.Selected.Settings = "beta=.01,gamma=.01" },
		"(-candidates, -select-by, -select-seeds)":        func(r *study.Results) { r.Selection.Seeds = []uint64{2} },
		"both of seed 5, have other train examples":       func(r *study.Results) { r.Runs[3].Sets[0].Checksum = "05" },
		"both of seed 5, have other validation examples":  func(r *study.Results) { r.Runs[2].Sets[1].Checksum = "06" },
		"was measured on other examples of the OOD set noise": func(r *study.Results) {
			r.Runs[2].Detection[0].Checksum, r.Runs[3].Detection[0].Checksum = "07", "08"
		},
		"seed 5 was trained on examples of a (0a…), and cross-entropy, seed 5 on examples of a (09…)": func(r *study.Results) {
			r.Runs[2].TrainingSet, r.Runs[3].TrainingSet = "09", "0a"
		},
		"seed 5 were chosen on another OOD validation set than those of": func(r *study.Results) {
			r.Runs[2].OODValidationSet, r.Runs[3].OODValidationSet = "09", "0a"
		},
		"seed 2: different weights":        func(r *study.Results) { r.Runs[0].Checkpoint = "03" },
		"different configuration and data": func(r *study.Results) { r.Runs[0].Run = "other" },
		"different calibration":            func(r *study.Results) { r.Runs[0].Calibration.ECE += 1e-9 },
		"different detection":              func(r *study.Results) { r.Runs[0].Detection[0].AUROC = .7 },
		"different robustness":             func(r *study.Results) { r.Runs[0].Robustness = nil },
		"different failure":                func(r *study.Results) { r.Runs[0].Failed = "loss is NaN" },
		"such runs cannot be in one table": func(r *study.Results) { r.Runs[3].Sets[2].Checksum = "04" },
	} {
		spoilt := copied(t, other)
		change(spoilt)
		if _, err := study.Merge(one, spoilt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := study.Merge(); err == nil {
		t.Error("nothing was merged without an error")
	}
}

// OOD sets and test sets of one content may have other names on another machine. Tables have one column
// for each.
func TestMergeOtherNames(t *testing.T) {
	named := func(name string, seeds ...uint64) *study.Results {
		r := made(t, smallPlan(t), 1, seeds...)
		for i := range r.Runs {
			d := r.Runs[i].Detection[0]
			d.Set, d.Checksum = name+", one", "05"
			twin := d
			twin.Set = name + ", its copy"
			r.Runs[i].Detection, r.Runs[i].Robustness[0].Dataset = []study.Detection{d, twin}, name
		}
		return r
	}
	one, other := named("a", 1, 2), named("b", 2, 5)
	merged, err := study.Merge(one, other)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range merged.Runs {
		if d := run.Detection; d[0].Set != "a, one" || d[1].Set != "a, its copy" {
			t.Errorf("%s, seed %d: the sets are called %q and %q", run.Method, run.Seed, d[0].Set, d[1].Set)
		}
	}
	if got := other.Runs[0].Detection[0].Set; got != "b, one" {
		t.Errorf("what was merged is changed: %q", got)
	}
}

// A file that is replaced by merged results is one of the same experiment, and they have all that it has.
func TestMergedKeeps(t *testing.T) {
	p := smallPlan(t)
	p.Base.Margin.Outliers = "uniform box"
	of := func() *study.Results {
		r := made(t, p, 1, 1, 2)
		for i := range r.Runs {
			r.Runs[i].Detection[0].Checksum = "05"
		}
		return r
	}
	merged := of()
	for name, c := range map[string]struct {
		change func(*study.Results)
		want   string
	}{
		"the same":          {func(*study.Results) {}, ""},
		"an earlier state":  {func(r *study.Results) { r.Runs, r.Selected = r.Runs[:1], nil }, ""},
		"on other machines": {func(r *study.Results) { r.Base.Data, r.Runs[0].Measuring.Machine = "tar:x.tar.gz", "another" }, ""},
		"other set names":   {func(r *study.Results) { r.Runs[0].Detection[0].Set, r.Runs[2].Detection[0].Set = "b", "c" }, ""},
		"an old name":       {func(r *study.Results) { r.Base.Margin.Outliers = "far away" }, ""},
		"another base":      {func(r *study.Results) { r.Base.Epochs++ }, "it differs in the base configuration"},
		"another protocol":  {func(r *study.Results) { r.Measure.TestExamples = 500 }, "it differs in the protocol"},
		"another selection": {func(r *study.Results) { r.Selected.Settings = "beta=.5" }, "it has the selected weights beta=.5"},
		"another seed":      {func(r *study.Results) { r.Runs[3].Seed = 5 }, "it has ng-ebm-chosen, seed 5"},
		"another run":       {func(r *study.Results) { r.Runs[0].Run = "other" }, "it has cross-entropy, seed 1 with different configuration and data"},
		"an ensemble": {func(r *study.Results) {
			r.Ensembles = []study.EnsembleResult{{Method: "cross-entropy", Seeds: []uint64{1, 2}}}
		}, "it has the ensemble of cross-entropy, seeds 1, 2"},
		"other weights": {func(r *study.Results) { r.Runs[0].Checkpoint = "03" }, "it has cross-entropy, seed 1 with different weights"},
	} {
		t.Run(name, func(t *testing.T) {
			old := of()
			c.change(old)
			if err := merged.Keeps(old); c.want == "" {
				if err != nil {
					t.Error(err)
				}
			} else {
				testerror.Want(t, err, c.want)
			}
		})
	}
}

// Ratios and differences are of runs with the same seed.
func TestRatio(t *testing.T) {
	r := made(t, smallPlan(t), 1, 1, 2, 3)
	f := study.Calibration("ECE")
	ratio := r.Ratio("cross-entropy", f, study.Selected, f)
	product := 1.
	for i, v := range ratio.Values {
		product *= v
		if want := f(r.Of("cross-entropy")[i]).Value / f(r.Of(study.Selected)[i]).Value; v != want {
			t.Errorf("ratio %v, want %v", v, want)
		}
	}
	if cube := ratio.Mean * ratio.Mean * ratio.Mean; cube/product > 1+1e-9 || cube/product < 1-1e-9 || !(ratio.Low < ratio.Mean && ratio.Mean < ratio.High) {
		t.Errorf("%+v is no geometric mean with an interval", ratio)
	}
	if e := r.Ratio("jem", f, "cross-entropy", f); len(e.Values) != 0 {
		t.Errorf("of a method without runs: %+v", e)
	}
	confidence, accuracy := study.Calibration("mean_confidence"), study.Calibration("accuracy")
	for i, d := range r.Difference("cross-entropy", confidence, study.Selected, accuracy).Values {
		if want := confidence(r.Of("cross-entropy")[i]).Value - accuracy(r.Of(study.Selected)[i]).Value; d != want {
			t.Errorf("difference %v, want %v", d, want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := made(t, smallPlan(t), 1, 1)
	write := func(change func(r *study.Results)) string {
		r := copied(t, good)
		change(r)
		path := filepath.Join(t.TempDir(), "r.json")
		if err := r.Write(path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := filepath.Join(t.TempDir(), "text.json")
	if err := os.WriteFile(text, []byte("ECE 0.05"), 0o644); err != nil {
		t.Fatal(err)
	}
	for want, path := range map[string]string{
		"no such file":                  filepath.Join(t.TempDir(), "none.json"),
		"not a results file":            text,
		"results of format 2":           write(func(r *study.Results) { r.Format = 2 }),
		"has no seeds":                  write(func(r *study.Results) { r.Seeds = nil; r.Runs = nil }),
		"one that is not in their plan": write(func(r *study.Results) { r.Runs[0].Method = "jem" }),
		"cross-entropy, seed 1 twice":   write(func(r *study.Results) { r.Runs[1] = r.Runs[0] }),
		"calibration before and after":  write(func(r *study.Results) { r.Runs[0].Calibration = nil }),
		"it names 1 datasets":           write(func(r *study.Results) { r.Runs[0].Sets = r.Runs[0].Sets[:1] }),
		"a robustness curve is null":    write(func(r *study.Results) { r.Runs[0].Robustness[0] = nil }),
		"jem, seed 1: a robustness curve is": write(func(r *study.Results) {
			r.Methods, r.Runs[0].Method, r.Runs[0].Failed, r.Runs[0].Robustness[0] = []string{"jem"}, "jem", "diverged", nil
			r.Runs = r.Runs[:1]
		}),
		"cross-entropy, seed 1: calibration": write(func(r *study.Results) { r.Runs[0].Calibration.Calibrated = nil }),
	} {
		if _, err := study.ReadResults(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// No text of a results file reaches the tables as more than one line, or as anything that
// steers a terminal.
func TestForgedResultsArePlain(t *testing.T) {
	const forged = "\x1b[2J\nforged\u009b"
	r := made(t, smallPlan(t), 1, 1)
	r.Preset, r.Selected.Metric, r.Selected.Candidates = forged, forged, []study.Candidate{{Settings: forged, Failed: []string{forged}, Notes: []string{forged}}}
	r.Measure.Missing = []string{forged}
	r.Runs[0].Notes = []string{forged}
	r.Runs[0].Sets[0].Name, r.Runs[0].Detection[0].Set, r.Runs[0].Robustness[0].Attack = forged, forged, forged
	r.Runs[1].Failed = forged
	r = copied(t, r)
	for line := range strings.Lines(r.String() + r.Costs()) {
		if line = strings.TrimSuffix(line, "\n"); strings.ContainsFunc(line, unicode.IsControl) || strings.HasPrefix(line, "forged") {
			t.Errorf("it prints %q", line)
		}
	}
}

// What can be read can be shown and merged with itself.
func FuzzParse(f *testing.F) {
	p := smallPlan(f)
	for _, seeds := range [][]uint64{{1}, {1, 2}} {
		b, err := json.Marshal(made(f, p, 2, seeds...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"format":1,"methods":["jem"],"seeds":[1],"base":{"validation":5},"runs":[{"method":"jem","seed":1,"failed":"x","sets":[{},{},{}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := study.ParseResults(b)
		if err != nil {
			return
		}
		_, _, _ = r.String(), r.Costs(), r.Missing()
		if _, err := study.Merge(r, r); err != nil && !strings.Contains(err.Error(), "one table") {
			t.Error(err)
		}
	})
}

// One seed has no interval.
func TestTableOfOneSeed(t *testing.T) {
	r := made(t, smallPlan(t), 1, 1)
	if text := r.String(); strings.Contains(text, " … ") {
		t.Errorf("with one seed the table has ranges:\n%s", text)
	}
}
