package measure_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"ngebm/data/progress"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/measure"
)

// stopAfter interrupts after a number of reports of a task whose name holds a word.
type stopAfter struct {
	task string
	left int
	stop context.CancelFunc
	seen int
}

func (s *stopAfter) Report(r progress.Report) {
	if strings.Contains(r.Task, s.task) {
		s.seen++
		if s.left--; s.left == 0 {
			s.stop()
		}
	}
}

// A measurement that is interrupted in its attacks resumes there, and gives the report of one that was
// not. What it kept is removed.
func TestMeasureResumes(t *testing.T) {
	run := trained(t)
	options := measure.Options{
		Bootstrap: bootstrap.Options{Resamples: 50, Seed: 1},
		Attacks: []measure.Plan{
			{Attack: attack.PGD{Norm: attack.L2, Steps: 5, Step: .4, RandomStart: true, Restarts: 3}, Epsilons: []float64{.5, .2}, Examples: 100, Masking: true},
			{Attack: attack.Square{Norm: attack.Linf, Queries: 300}, Epsilons: []float64{.1}, Examples: 100},
		},
		AttackBatch: 25,
		Seed:        1,
	}
	whole := options
	whole.Validation = run.Validation
	want, err := measure.Measure(t.Context(), run.Classifier, run.Test, whole)
	if err != nil {
		t.Fatal(err)
	}
	kept := func() []string {
		files, err := filepath.Glob(filepath.Join(run.Dir, "attacking-*.json"))
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	for _, stop := range []stopAfter{{task: "with PGD L2, 5", left: 20}, {task: "with Square Linf, 300", left: 700}} {
		ctx, cancel := context.WithCancel(t.Context())
		stop.stop, options.Progress = cancel, &stop
		_, err := measure.MeasureCached(ctx, run, options)
		cancel()
		if !errors.Is(err, context.Canceled) || len(kept()) != 1 {
			t.Fatalf("%v, kept %q", err, kept())
		}
	}
	b, err := os.ReadFile(kept()[0])
	if err != nil {
		t.Fatal(err)
	}

	// Of another network.
	spoilt := strings.Replace(string(b), `-1`, `0`, 1)
	if err := os.WriteFile(kept()[0], []byte(spoilt), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := measure.MeasureCached(t.Context(), run, options); !errors.Is(err, attack.ErrState) || !strings.Contains(err.Error(), `attacking-`) || !strings.Contains(err.Error(), "delete it to measure again") {
		t.Errorf("a spoilt file gives %v", err)
	}
	if err := os.WriteFile(kept()[0], b, 0o644); err != nil {
		t.Fatal(err)
	}

	masking := stopAfter{task: "for masking"}
	options.Progress = &masking
	got, err := measure.MeasureCached(t.Context(), run, options)
	if err != nil {
		t.Fatal(err)
	}
	if masking.seen > 0 {
		t.Errorf("the masking checks, which were done, are made again: %d reports", masking.seen)
	}
	got.Run, got.Code = "", ""
	if a, b := marshal(t, got), marshal(t, want); a != b {
		t.Errorf("interrupted, attacks give %+v and %+v, and otherwise %+v and %+v; all else is equal: %v", got.Robustness[0].Points, got.Robustness[1].Points,
			want.Robustness[0].Points, want.Robustness[1].Points, reflect.DeepEqual(got.Calibration, want.Calibration))
	}
	if len(kept()) > 0 {
		t.Errorf("%q is kept after the report", kept())
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
