package study_test

import (
	"math"
	"ngebm/ngebm"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/study"
	"ngebm/ngebm/train"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// pooling is a network with a layer that cannot be differentiated twice.
type pooling struct{}

func (pooling) String() string { return "pooling" }

func (pooling) Logits(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
	x = nets.Dense(scope.In("wide"), x, 8)
	x = graph.MaxPool(graph.InsertAxes(x, -1)).Window(2).Done()
	return nets.Dense(scope.In("out"), graph.Reshape(x, -1, 4), classes)
}

// Methods share the base configuration but for their settings and the seed; a
// comparison made before is loaded.
func TestCompare(t *testing.T) {
	backend := testdevice.Open(t, "go")
	base := ngebm.DefaultConfig("moons:200", "mlp-16")
	base.Epochs, base.Validation = 3, 40
	compare := func(methods []study.Method, runs string) ([]study.Compared, error) {
		return study.Compare(t.Context(), backend, base, methods, []uint64{1, 2}, train.Options{Runs: runs},
			func(*ngebm.Run) (measure.Options, error) { return measure.Options{}, nil })
	}
	runs := t.TempDir()
	for round := range 2 {
		all, err := compare(study.ComparisonMethods(), runs)
		if err != nil {
			t.Fatal(err)
		}
		hashes := map[string]bool{}
		rows := study.Rows(all)
		for i, c := range all {
			if ece := rows[i].Values(study.Calibration("ECE")); rows[i].Title != c.Title || len(ece) != 2 || ece[1] != c.Reports[1].Calibration.ECE {
				t.Errorf("%s has %d reports, and the row %+v", c.Name, len(c.Reports), rows[i])
			}
			for _, r := range c.Runs {
				hashes[r.Hash] = true
				if r.Loaded != (round == 1) {
					t.Errorf("round %d: %s was loaded: %v", round, c.Name, r.Loaded)
				}
			}
		}
		checkRecalibrated(t, all[0])
		if len(hashes) != 8 {
			t.Errorf("4 methods with 2 seeds made %d different runs", len(hashes))
		}
	}
	// What cannot be trained is found before anything has been: nothing is in the folder.
	nothing := t.TempDir()
	plain := study.Method{Name: "plain"}
	if _, err := compare([]study.Method{plain, {Name: "mine", Settings: "gamma=-1"}}, nothing); err == nil || !strings.Contains(err.Error(), "mine: ngebm: gamma is -1") {
		t.Errorf("a setting that cannot be trained gives %v", err)
	}
	base.Net = ""
	_, err := study.Compare(t.Context(), backend, base, []study.Method{plain, {Name: "mine", Settings: "gamma=.1"}}, []uint64{1},
		train.Options{Runs: nothing, Network: pooling{}}, func(*ngebm.Run) (measure.Options, error) { return measure.Options{}, nil })
	if err == nil || !strings.Contains(err.Error(), "comparison, run 1 of 2 (mine, seed 1): ngebm: cannot build the training step of pooling") || !strings.Contains(err.Error(), "use nets.MaxPool2D") {
		t.Errorf("a network that has no gradient norm gives %v", err)
	}
	if trained, _ := filepath.Glob(filepath.Join(nothing, "*", "checkpoint.ngebm")); len(trained) > 0 {
		t.Errorf("all the same there are %v", trained)
	}
	base.Net = "mlp-16"
	if _, err := compare([]study.Method{{Name: "mine", Settings: "delta=1"}}, runs); err == nil || !strings.Contains(err.Error(), `mine: ngebm: there is no setting "delta"`) {
		t.Errorf("a setting that does not exist gives %v", err)
	}
}

// Calibrators and ensembles work on trained runs, and train nothing.
func checkRecalibrated(t *testing.T, c study.Compared) {
	t.Helper()
	accuracy, nll := study.Calibration("accuracy"), study.Calibration("NLL")
	plain := study.Rows([]study.Compared{c})[0]
	o := calibration.Options{}
	for _, m := range calibration.CalibrationMethods() {
		if m.Name == "vector" {
			continue // 40 points of the moons can be separated
		}
		row, err := study.Recalibrated(t.Context(), c, m, o)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(row.Values(accuracy), plain.Values(accuracy)) {
			t.Errorf("%s: accuracies %v, not %v", row.Title, row.Values(accuracy), plain.Values(accuracy))
		}
		if m.Name == "temperature" && math.Abs(row.Mean(nll)-plain.AfterT().Mean(nll)) > 1e-9 {
			t.Errorf("%s: NLL %v, not %v", row.Title, row.Mean(nll), plain.AfterT().Mean(nll))
		}
	}
	ensemble, err := study.EnsembleRow(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(ensemble.Results) != 1 || ensemble.Title != "cross-entropy, ensemble of 2" || ensemble.Mean(nll) > plain.Mean(nll) {
		t.Errorf("%s: NLL %v; the models' mean is %v", ensemble.Title, ensemble.Values(nll), plain.Mean(nll))
	}
	c.Runs[0].Validation, c.Runs = nil, c.Runs[:1]
	if _, err := study.Recalibrated(t.Context(), c, calibration.CalibrationMethods()[0], o); err == nil || !strings.Contains(err.Error(), "no validation split") {
		t.Errorf("without a validation split: %v", err)
	}
}
