package study_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/study"
	"ngebm/ngebm/train"
)

// validationOf evaluates by the last validation figures in the history.
func validationOf(_ context.Context, r *ngebm.Run) ([]study.Metric, error) {
	e := r.History.Evaluations[len(r.History.Evaluations)-1]
	if e.Split != "validation" || r.Test != nil {
		return nil, fmt.Errorf("the evaluation sees the test set: %s, %v", e.Split, r.Test)
	}
	return []study.Metric{
		{Name: "accuracy", Definition: "share answered right", HigherIsBetter: true, Value: e.Accuracy},
		{Name: "loss", Definition: "weighted total", Value: e.Loss},
	}, nil
}

func smallSweep(t *testing.T) study.Sweep {
	t.Helper()
	grid, err := study.ParseGrid("beta=0,.1; gamma=0,.1")
	if err != nil {
		t.Fatal(err)
	}
	return study.Sweep{Base: small(), Grid: grid, Seeds: []uint64{1, 2}, Evaluate: validationOf}
}

func asJSON(t *testing.T, table *study.SweepTable) string {
	t.Helper()
	b, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// stopAtRun cancels a context in the middle of the sweep's n-th run, counted from 0.
type stopAtRun struct {
	n      int64
	cancel func()
	at     *int64
	tasks  map[string]bool
}

func (s stopAtRun) Report(r progress.Report) {
	s.tasks[strings.Fields(r.Task)[0]] = true
	if r.Unit == "runs" {
		*s.at = r.Done
	}
	if r.Unit == "steps" && *s.at == s.n && r.Done == 20 {
		s.cancel()
	}
}

// A sweep that was stopped twice gives the table of one left alone, trains nothing
// twice, and shows the progress of its runs and its own.
func TestSweepResumes(t *testing.T) {
	backend, s := testdevice.Open(t, "go"), smallSweep(t)
	alone, err := s.Run(t.Context(), backend, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if alone.Trained != 8 || alone.Loaded != 0 {
		t.Errorf("%d trained, %d loaded, want 8 and 0", alone.Trained, alone.Loaded)
	}
	runs := t.TempDir()
	for _, n := range []int64{2, 5} {
		ctx, cancel := context.WithCancel(t.Context())
		watch := stopAtRun{n, cancel, new(int64), map[string]bool{}}
		_, err := s.Run(ctx, backend, train.Options{Runs: runs, Progress: watch})
		cancel()
		if !errors.Is(err, train.ErrStopped) || !strings.Contains(err.Error(), fmt.Sprintf("sweep, run %d of 8 (beta=", n+1)) {
			t.Fatalf("stopped in run %d: %v", n+1, err)
		}
		if !watch.tasks["sweep"] || !watch.tasks["train"] {
			t.Errorf("tasks reported: %v", watch.tasks)
		}
	}
	finished, err := s.Run(t.Context(), backend, train.Options{Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	if finished.Trained != 3 || finished.Loaded != 5 {
		t.Errorf("%d trained, %d loaded, want 3 and 5", finished.Trained, finished.Loaded)
	}
	if a, b := asJSON(t, alone), asJSON(t, finished); a != b {
		t.Errorf("left alone\n%s\nstopped and continued\n%s", a, b)
	}
	if folders, _ := filepath.Glob(filepath.Join(runs, "*", "checkpoint.ngebm")); len(folders) != 8 {
		t.Errorf("%d runs in the folder, want 8", len(folders))
	}
	// A run trained outside of the sweep is the sweep's.
	cfg := small()
	cfg.Beta, cfg.Gamma, cfg.Seed = .1, 0, 2
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
	if err != nil || !run.Loaded || !slices.Contains(finished.Rows[2].Runs, run.Hash) {
		t.Errorf("loaded is %v, %s is not among %v (%v)", run.Loaded, run.Hash, finished.Rows[2].Runs, err)
	}
}

// A table does not say where on a machine the data lie.
func TestSweepNamesNoFolder(t *testing.T) {
	s := smallSweep(t)
	trainSet, testSet, err := data.Open(t.Context(), s.Base.Data, data.Options{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	s.Base.Data = "folder:" + filepath.Join(t.TempDir(), "photos")
	s.Grid, s.Seeds = study.Grid{{Key: "beta", Values: []string{"0"}}}, []uint64{1}
	table, err := s.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: t.TempDir(), TrainSet: trainSet, TestSet: testSet})
	if err != nil {
		t.Fatal(err)
	}
	if table.Base.Data != "folder:photos" {
		t.Errorf("the table's data are %q", table.Base.Data)
	}
}

// Seeds that diverge are told, the sweep goes on, and their row is never best.
func TestSweepWithDivergence(t *testing.T) {
	s := smallSweep(t)
	s.Grid = study.Grid{{Key: "learning_rate", Values: []string{".001", "1e9"}}}
	table, err := s.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	bad := table.Rows[1]
	if len(bad.Failed) != 2 || !strings.HasPrefix(bad.Failed[0], "seed 1: ") || len(bad.Runs) != 2 {
		t.Errorf("the row that diverged: %+v", bad)
	}
	best, err := table.Best("accuracy")
	front, err2 := table.Pareto()
	if best != 0 || !slices.Equal(front, []int{0}) || errors.Join(err, err2) != nil {
		t.Errorf("best is %d, front %v (%v)", best, front, errors.Join(err, err2))
	}
	if !strings.Contains(table.String(), "seed 2: ") {
		t.Errorf("the table hides that a seed failed:\n%s", table)
	}
	s.Evaluate = func(context.Context, *ngebm.Run) ([]study.Metric, error) {
		return []study.Metric{{Name: "ECE", Value: math.NaN()}}, nil
	}
	s.Grid[0].Values = s.Grid[0].Values[:1]
	if table, err = s.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Best("ECE"); err == nil || !strings.Contains(err.Error(), "seed 1: ECE is NaN") {
		t.Errorf("best of nothing but NaN: %v", err)
	}
}

// What a checksum stands for once the data are opened tells rows of a grid from each other, too.
func TestSweepOfData(t *testing.T) {
	for key, values := range map[string][]string{"limit": {"100", "150"}, "data": {"moons:200", "moons:300"}} {
		s := smallSweep(t)
		s.Grid = study.Grid{{Key: key, Values: values}}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if _, err := s.Run(ctx, testdevice.Open(t, "go"), train.Options{Runs: t.TempDir()}); !errors.Is(err, train.ErrStopped) {
			t.Errorf("%s: %v, want that it was stopped", key, err)
		}
	}
}

func TestSweepBadInput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*study.Sweep)
		want   []string
	}{
		{"no validation", func(s *study.Sweep) { s.Base.Validation = 0 }, []string{"never by the test set", "validation=200"}},
		{"no seeds", func(s *study.Sweep) { s.Seeds = nil }, []string{"no seeds"}},
		{"seed twice", func(s *study.Sweep) { s.Seeds = []uint64{1, 2, 1} }, []string{"seed 1 twice"}},
		{"no evaluation", func(s *study.Sweep) { s.Evaluate = nil }, []string{"no Evaluate", "study.Validation"}},
		{"no grid", func(s *study.Sweep) { s.Grid = nil }, []string{"no settings", "beta=0,.01,.1"}},
		{"unknown setting", func(s *study.Sweep) { s.Grid[0].Key = "betta" }, []string{`"betta"`, "beta"}},
		{"bad value", func(s *study.Sweep) { s.Grid[0].Values[1] = "-1" }, []string{"beta is -1", "beta=-1,gamma=0"}},
		{"the same twice", func(s *study.Sweep) { s.Grid[0].Values[1] = "0.0" }, []string{"beta=0,gamma=0 and beta=0.0,gamma=0", "the same"}},
		{"no figures", func(s *study.Sweep) {
			s.Evaluate = func(context.Context, *ngebm.Run) ([]study.Metric, error) { return nil, nil }
		}, []string{"run 1 of 8 (beta=0,gamma=0, seed 1)", "0 metrics"}},
		{"other definitions", func(s *study.Sweep) {
			s.Evaluate = func(_ context.Context, r *ngebm.Run) ([]study.Metric, error) {
				return []study.Metric{{Name: "AUROC", Definition: fmt.Sprint("of data with ", r.Config.Gamma)}}, nil
			}
		}, []string{"run 2 of 8", `AUROC is "of data with 0.1", and of runs before "of data with 0"`, "(-epsilon)", "(-ood)"}},
		{"no name", func(s *study.Sweep) {
			s.Evaluate = func(context.Context, *ngebm.Run) ([]study.Metric, error) {
				return []study.Metric{{Value: 1}}, nil
			}
		}, []string{"1 metrics", "each with a name"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := smallSweep(t)
			c.change(&s)
			_, err := s.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: t.TempDir()})
			testerror.Want(t, err, c.want...)
		})
	}
}

func TestParseGrid(t *testing.T) {
	for _, c := range []struct{ in, want, err string }{
		{"beta=0,.01,.1;gamma=0,.1", "beta=0,.01,.1;gamma=0,.1", ""},
		{" alpha = 1 , .5 ; ", "alpha=1,.5", ""},
		{"decay_epochs=[1,2],[3];epochs=4", "decay_epochs=[1,2],[3];epochs=4", ""},
		{"margin.outliers=uniform noise,blobs", "margin.outliers=uniform noise,blobs", ""},
		{"beta + gamma=0,.1;net=mlp-8", "beta+gamma=0,.1;net=mlp-8", ""},
		{"beta+gamma=1;gamma=2", "", "grid lists gamma twice"},
		{"beta+=1", "", "setting 1 of the grid has no name"},
		{"beta+seed=1", "", "the grid cannot contain seed"},
		{"", "", "no settings"},
		{"beta", "", `"beta" of the grid has no values`},
		{"=1", "", "setting 1 of the grid has no name"},
		{"beta=", "", "beta of the grid lacks a value"},
		{"beta=1,,2", "", "beta of the grid lacks a value"},
		{"beta=1;beta=2", "", "grid lists beta twice"},
		{"seed=1,2", "", "the grid cannot contain seed"},
		{"validation=20,40", "", "the grid cannot contain validation; rows would be evaluated on different examples"},
	} {
		g, err := study.ParseGrid(c.in)
		switch {
		case c.err != "":
			testerror.Want(t, err, c.err)
		case err != nil || g.String() != c.want:
			t.Errorf("%q reads as %q (%v), want %q", c.in, g, err, c.want)
		}
	}
}

func FuzzParseGrid(f *testing.F) {
	for _, s := range []string{"beta=0,.01;gamma=1", "decay_epochs=[1,2],[3]", "a=]],1", ";=;", "x=[", "β=γ,ε"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		g, err := study.ParseGrid(s)
		if err != nil {
			return
		}
		again, err := study.ParseGrid(g.String())
		if err != nil || again.String() != g.String() {
			t.Errorf("%q reads as %q, which reads as %q (%v)", s, g, again, err)
		}
	})
}

// A warm-up longer than half of the run is reported once in a sweep.
func TestSweepReportsLongWarmupOnce(t *testing.T) {
	now := &said{}
	sweep := smallSweep(t)
	sweep.Base.Epochs, sweep.Base.Warmup = 1, 1000
	if _, err := sweep.Run(t.Context(), testdevice.Open(t, "go"), train.Options{Runs: t.TempDir(), Progress: now}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, task := range now.tasks {
		if strings.HasPrefix(task, "the warm-up takes") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the sweep said it %d times: %q", n, now.tasks)
	}
}
