package study_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/study"
	"ngebm/ngebm/train"
)

// The metrics are those of the validation set, whatever the test set is, and are
// stored.
func TestValidation(t *testing.T) {
	cfg := ngebm.DefaultConfig("digits", "mlp-64")
	cfg.Epochs, cfg.Validation = 10, 200
	run, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	run.Test = nil
	evaluate := study.Validation{AttackExamples: 50}.Evaluate
	metrics, err := evaluate(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	value := map[string]float64{}
	var names []string
	for _, f := range metrics {
		names, value[f.Name] = append(names, f.Name), f.Value
		if f.Definition == "" || math.IsNaN(f.Value) || f.Value < 0 || f.Value > 1 && f.Name != "NLL" {
			t.Errorf("%+v", f)
		}
	}
	if !slices.Equal(names, study.ValidationMetrics()) {
		t.Errorf("metrics %v, want %v", names, study.ValidationMetrics())
	}
	accuracy, err := run.Classifier.Accuracy(t.Context(), run.Validation)
	if err != nil || accuracy != value["accuracy"] {
		t.Errorf("accuracy %v, the classifier's on the validation set is %v (%v)", value["accuracy"], accuracy, err)
	}
	scores, err := measure.Scores(t.Context(), run.Classifier, run.Validation)
	if err != nil {
		t.Fatal(err)
	}
	turned, err := run.Validation.SynthesizeOOD("rotated", run.Config.Seed)
	if err != nil {
		t.Fatal(err)
	}
	outside, err := measure.Scores(t.Context(), run.Classifier, turned)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"px", "py"} { // by counting pairs
		above, pairs := 0., 0.
		for _, in := range scores[name] {
			for _, out := range outside[name] {
				pairs++
				if in > out {
					above++
				} else if in == out {
					above += .5
				}
			}
		}
		if math.Abs(above/pairs-value["AUROC_"+name]) > 1e-12 {
			t.Errorf("AUROC of %s is %v, counted %v", name, value["AUROC_"+name], above/pairs)
		}
	}

	// Stored, and evaluated again only for other options.
	stored := func() []string {
		f, _ := filepath.Glob(filepath.Join(run.Dir, "judged-*.json"))
		return f
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel() // an attack would notice
	again, err := evaluate(cancelled, run)
	if err != nil || !slices.Equal(again, metrics) || len(stored()) != 1 {
		t.Errorf("evaluated again %v (%v), %d files", again, err, len(stored()))
	}
	stronger, err := study.Validation{AttackExamples: 50, Epsilon: .2}.Evaluate(t.Context(), run)
	if err != nil || len(stored()) != 2 || stronger[6].Value >= value["robust_accuracy"] {
		t.Errorf("under a stronger attack %v (%v), %d files", stronger, err, len(stored()))
	}
	for _, path := range stored() {
		if err := os.WriteFile(path, []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		options study.Validation
		change  func(*ngebm.Run)
		want    string
	}{
		{study.Validation{AttackExamples: 50}, func(*ngebm.Run) {}, "lacks accuracy; delete it to evaluate again"},
		{study.Validation{OODKind: "melted"}, func(*ngebm.Run) {}, `no synthetic OOD set is called "melted"`},
		{study.Validation{Epsilon: math.Inf(1)}, func(*ngebm.Run) {}, "(-epsilon) is +Inf"},
		{study.Validation{Epsilon: 8}, func(*ngebm.Run) {}, "(-epsilon) is 8 times the range of pixels, which reaches every image; give a fraction"},
		{study.Validation{AttackExamples: -1}, func(*ngebm.Run) {}, "(-attack-examples) is -1"},
		{study.Validation{}, func(r *ngebm.Run) { r.Validation = oneOf(t, r.Validation) }, "1 validation examples are too few for 15 bins"},
		{study.Validation{}, func(r *ngebm.Run) { r.Validation = nil }, "no validation set"},
	} {
		changed := *run
		c.change(&changed)
		if _, err := c.options.Evaluate(t.Context(), &changed); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

func oneOf(t *testing.T, d *data.Dataset) *data.Dataset {
	t.Helper()
	s, err := d.Subset(d.Split, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
