package experiment_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"ngebm/ngebm/attack"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/experiment"
	"ngebm/ngebm/ood"
)

// made is results of the small plan with these seeds, of no run: the more confident the
// larger the sharpness.
func made(t testing.TB, p experiment.Plan, sharpness float64, seeds ...uint64) *experiment.Results {
	t.Helper()
	p.Seeds = seeds
	r := &experiment.Results{Format: 1, Plan: p, Chosen: &experiment.Outcome{Settings: "beta=1,gamma=1", Figure: "NLL"}, Runs: []experiment.Result{}}
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
			r.Runs = append(r.Runs, experiment.Result{
				Method: method, Seed: seed, Run: method + "-hash", Checkpoint: "01", Network: "mlp-16",
				Sets:     []experiment.Set{{Name: "a", Split: "train"}, {Name: "a", Split: "validation"}, {Name: "a", Split: "test", Checksum: "02"}},
				Training: experiment.Training{Steps: 10, Work: experiment.Work{Seconds: 1}}, Calibration: report,
				Detection:  []experiment.Detection{{Set: "noise", Score: "px", Report: ood.Report{Metrics: ood.Metrics{AUROC: .75}}}},
				Robustness: []*attack.Curve{{Attack: "PGD", Norm: attack.Linf, N: 40, Points: []attack.Point{{Epsilon: .1, Accuracy: .5}}}},
			})
		}
	}
	return r
}

// copied is results as another machine would have them.
func copied(t *testing.T, r *experiment.Results) *experiment.Results {
	t.Helper()
	path := filepath.Join(t.TempDir(), "results.json")
	if err := r.Write(path); err != nil {
		t.Fatal(err)
	}
	again, err := experiment.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestMerge(t *testing.T) {
	p := small(t)
	one, other := made(t, p, 1, 1, 2), made(t, p, 1, 2, 5)
	for i := range other.Runs {
		other.Runs[i].Training.Seconds, other.Runs[i].Training.Device = 99, "another"
	}
	merged, err := experiment.Merge(one, copied(t, other))
	if err != nil {
		t.Fatal(err)
	}
	if len(merged.Runs) != 6 || len(merged.Missing()) != 0 || merged.Find("cross-entropy", 2).Training.Seconds != 1 || merged.Find(experiment.Chosen, 5).Training.Seconds != 99 {
		t.Errorf("merged: %d runs, missing %v\n%s", len(merged.Runs), merged.Missing(), merged)
	}
	if again, err := experiment.Merge(copied(t, other), one); err != nil || len(again.Runs) != 6 || again.Seeds[0] != 2 {
		t.Errorf("the other way round: %v, %v", again, err)
	}
	part := made(t, p, 1, 1, 2)
	part.Runs = part.Runs[:1]
	if merged, err = experiment.Merge(part); err != nil || len(merged.Missing()) != 3 || !strings.Contains(merged.String(), "missing: cross-entropy, seed 2") {
		t.Errorf("of unfinished results: %v\n%s", err, merged)
	}
	for want, change := range map[string]func(*experiment.Results){
		"another base configuration":          func(r *experiment.Results) { r.Base.Epochs++ },
		"another way of measuring":            func(r *experiment.Results) { r.Measure.Test = 500 },
		"chose weights otherwise":             func(r *experiment.Results) { r.Chosen.Settings = "beta=.01,gamma=.01" },
		"seed 2: the weights differ":          func(r *experiment.Results) { r.Runs[0].Checkpoint = "03" },
		"configuration and data differ":       func(r *experiment.Results) { r.Runs[0].Run = "other" },
		"the calibration differ":              func(r *experiment.Results) { r.Runs[0].Calibration.ECE += 1e-9 },
		"the detection differ":                func(r *experiment.Results) { r.Runs[0].Detection[0].AUROC = .7 },
		"the robustness differ":               func(r *experiment.Results) { r.Runs[0].Robustness = nil },
		"the what became of it differ":        func(r *experiment.Results) { r.Runs[0].Failed = "loss is NaN" },
		"such runs cannot stand in one table": func(r *experiment.Results) { r.Runs[3].Sets[2].Checksum = "04" },
	} {
		spoilt := copied(t, other)
		change(spoilt)
		if _, err := experiment.Merge(one, spoilt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := experiment.Merge(); err == nil {
		t.Error("nothing was merged without an error")
	}
}

// Ratios and differences are of runs with the same seed.
func TestRatio(t *testing.T) {
	r := made(t, small(t), 1, 1, 2, 3)
	f := experiment.Calibration("ECE")
	ratio := r.Ratio("cross-entropy", f, experiment.Chosen, f)
	product := 1.
	for i, v := range ratio.Values {
		product *= v
		if want := f.Of(r.Of("cross-entropy")[i]) / f.Of(r.Of(experiment.Chosen)[i]); v != want {
			t.Errorf("ratio %v, want %v", v, want)
		}
	}
	if cube := ratio.Mean * ratio.Mean * ratio.Mean; cube/product > 1+1e-9 || cube/product < 1-1e-9 || !(ratio.Low < ratio.Mean && ratio.Mean < ratio.High) {
		t.Errorf("%+v is no geometric mean with an interval", ratio)
	}
	if e := r.Ratio("jem", f, "cross-entropy", f); len(e.Values) != 0 {
		t.Errorf("of a method without runs: %+v", e)
	}
	confidence, accuracy := experiment.Calibration("mean_confidence"), experiment.Calibration("accuracy")
	for i, d := range r.Difference("cross-entropy", confidence, experiment.Chosen, accuracy).Values {
		if want := confidence.Of(r.Of("cross-entropy")[i]) - accuracy.Of(r.Of(experiment.Chosen)[i]); d != want {
			t.Errorf("difference %v, want %v", d, want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := made(t, small(t), 1, 1)
	write := func(change func(r *experiment.Results)) string {
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
		"no results file":               text,
		"its format is 2":               write(func(r *experiment.Results) { r.Format = 2 }),
		"has no seeds":                  write(func(r *experiment.Results) { r.Seeds = nil; r.Runs = nil }),
		"that its plan has not":         write(func(r *experiment.Results) { r.Runs[0].Method = "jem" }),
		"or has twice":                  write(func(r *experiment.Results) { r.Runs[1] = r.Runs[0] }),
		"it has no calibration":         write(func(r *experiment.Results) { r.Runs[0].Calibration = nil }),
		"it names 1 data sets":          write(func(r *experiment.Results) { r.Runs[0].Sets = r.Runs[0].Sets[:1] }),
		"a robustness curve that is":    write(func(r *experiment.Results) { r.Runs[0].Robustness[0] = nil }),
		"cross-entropy, seed 1: it has": write(func(r *experiment.Results) { r.Runs[0].Calibration.Calibrated = nil }),
	} {
		if _, err := experiment.Read(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// No text of a results file reaches the tables as more than one line, or as anything that
// steers a terminal.
func TestForgedResultsArePlain(t *testing.T) {
	const forged = "\x1b[2J\nforged\u009b"
	r := made(t, small(t), 1, 1)
	r.Preset, r.Chosen.Figure, r.Chosen.Candidates = forged, forged, []experiment.Candidate{{Settings: forged, Failed: []string{forged}}}
	r.Measure.Absent = []string{forged}
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
	p := small(f)
	for _, seeds := range [][]uint64{{1}, {1, 2}} {
		b, err := json.Marshal(made(f, p, 2, seeds...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"format":1,"methods":["jem"],"seeds":[1],"base":{"validation":5},"runs":[{"method":"jem","seed":1,"failed":"x","sets":[{},{},{}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := experiment.Parse(b)
		if err != nil {
			return
		}
		_, _, _ = r.String(), r.Costs(), r.Missing()
		if _, err := experiment.Merge(r, r); err != nil && !strings.Contains(err.Error(), "one table") {
			t.Error(err)
		}
	})
}
