package nb

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/train"
)

// smallRun trains for a moment.
func smallRun(t *testing.T) *ngebm.Run {
	t.Helper()
	t.Setenv("NGEBM_DEVICE", "go")
	cfg := ngebm.DefaultConfig("moons:120", "mlp-8")
	cfg.Epochs = 2
	run, err := train.Run(t.Context(), Backend(), cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// What is computed of a run's outputs agrees with its definition.
func TestOutputs(t *testing.T) {
	run := smallRun(t)
	probabilities := Must(run.Classifier.Probabilities(t.Context(), run.Test))
	confidences, predictions := Confidences(run, run.Test), Predictions(run, run.Test)
	right, mean := 0., 0.
	for i, p := range probabilities {
		if want := slices.Max(p); confidences[i] != want {
			t.Fatalf("confidence %d is %v, not %v", i, confidences[i], want)
		}
		if predictions[i] == run.Test.Labels[i] {
			right += 1 / float64(len(probabilities))
		}
		mean += confidences[i] / float64(len(probabilities))
	}
	if math.Abs(Accuracy(run)-right) > 1e-9 || math.Abs(MeanConfidence(run, run.Test)-mean) > 1e-9 {
		t.Errorf("accuracy %v and confidence %v, not %v and %v", Accuracy(run), MeanConfidence(run, run.Test), right, mean)
	}
	energies := Must(run.Classifier.Energies(t.Context(), run.Test))
	square := 0.
	for _, e := range energies {
		square += (e - MeanEnergy(run, run.Test)) * (e - MeanEnergy(run, run.Test)) / float64(len(energies)-1)
	}
	if d := EnergyDeviation(run, run.Test); math.Abs(d-math.Sqrt(square)) > 1e-9 || MeanGradientNorm(run, run.Test) <= 0 {
		t.Errorf("deviation %v, not %v", d, math.Sqrt(square))
	}
	if some := First(run.Test, 3); some.Len() != 3 || !slices.Equal(some.Labels, run.Test.Labels[:3]) {
		t.Errorf("the first three are %v of %v", some.Labels, run.Test.Labels[:3])
	}
}

// A preset with a method is the preset's configuration with the method's settings,
// whichever of the two ways a cell takes to it.
func TestPreset(t *testing.T) {
	cfg := Preset("digits-few", "", "epochs=40")
	Check(cfg.SetMethod("jem"))
	if direct := Preset("digits-few", "jem", "epochs=40"); direct.Hash("") != cfg.Hash("") || direct.Name != "digits-few-jem" {
		t.Errorf("%+v and %+v", direct, cfg)
	}
	if points := Preset("digits", "jem", "net=mlp-8,data=moons:200"); points.Method() != "jem" {
		t.Errorf("JEM on points has the settings for images: it differs from cross-entropy by %s", points.Method())
	}
	w := Weights{Alpha: 1, Beta: .3, Gamma: .2}
	if p := w.Preset("moons"); p.Beta != .3 || p.Gamma != .2 || !w.Are(1, .3, .2) || w.Are(1, .3, .1) {
		t.Errorf("%+v", p)
	}
}

// Published results are read by name, and the caption of figures names their test set.
func TestResults(t *testing.T) {
	before := len(used)
	r := Results("cifar10-cpu")
	if len(r.Runs) == 0 || len(used) != before+1 || used[before].Name != r.Runs[0].Sets[2].Name {
		t.Errorf("%d runs, used %v", len(r.Runs), used[before:])
	}
}

// heard collects what is reported.
type heard struct{ tasks []string }

func (h *heard) Report(r progress.Report) { h.tasks = append(h.tasks, r.Task) }

// Notes of the runs of a published sweep are shown with it.
func TestNotesAreShown(t *testing.T) {
	var told heard
	before := cellProgress
	cellProgress = func() progress.Reporter { return &told }
	defer func() { cellProgress = before }()
	Sweep("gauge")
	if len(told.tasks) != 1 || !strings.HasPrefix(told.tasks[0], "gauge, 200 of 200 runs: it was trained by other code") {
		t.Errorf("told was %q", told.tasks)
	}
}

// The time of a step leaves out the first steps, and what is not training.
func TestStepTime(t *testing.T) {
	for _, test := range []struct {
		name    string
		reports []progress.Report
		want    time.Duration
	}{
		{"one step a report", []progress.Report{
			{Unit: "bytes", Done: 7, Elapsed: time.Hour},
			{Unit: "steps", Done: 1, Elapsed: 5 * time.Second},
			{Unit: "steps", Done: 20, Elapsed: 6 * time.Second},
			{Unit: "steps", Done: 60, Elapsed: 6*time.Second + 80*time.Millisecond},
			{Unit: "steps", Done: 61, Elapsed: time.Hour, Finished: true},
		}, 2 * time.Millisecond},
		{"64 steps a report", []progress.Report{
			{Unit: "steps", Done: 64, Elapsed: 5 * time.Second},
			{Unit: "steps", Done: 128, Elapsed: 5*time.Second + 64*time.Millisecond},
		}, time.Millisecond},
		{"12 steps a report", []progress.Report{
			{Unit: "steps", Done: 12, Elapsed: 5 * time.Second},
			{Unit: "steps", Done: 24, Elapsed: 6 * time.Second},
			{Unit: "steps", Done: 36, Elapsed: 6*time.Second + 24*time.Millisecond},
		}, 2 * time.Millisecond},
		{"a run that is too short", []progress.Report{
			{Unit: "steps", Done: 64, Elapsed: 5 * time.Second},
			{Unit: "steps", Done: 64, Elapsed: 6 * time.Second, Finished: true},
		}, 0},
		{"a run without steps", nil, 0},
	} {
		var timer stepTimer
		for _, r := range test.reports {
			timer.Report(r)
		}
		if got := timer.mean(); got != test.want {
			t.Errorf("%s: %v, not %v", test.name, got, test.want)
		}
	}
}

// A run that is timed takes the data as others do, and is stored elsewhere.
func TestStepTimeOptions(t *testing.T) {
	t.Setenv("NGEBM_OFFLINE", "1")
	t.Setenv("NGEBM_DATA", "/data")
	t.Setenv("NGEBM_RUNS", "/runs")
	var timer stepTimer
	if o := timer.options("/timing"); !o.Offline || o.Cache != "/data" || o.Runs != "/timing" || o.Progress != &timer {
		t.Errorf("%+v", o)
	}
}
