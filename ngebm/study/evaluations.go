package study

import (
	"context"
	"fmt"
	"math"
	"slices"

	"ngebm/ngebm"
)

// evaluations collects the metrics of runs, by setting and seed, in whatever order the
// runs are done.
type evaluations struct {
	evaluate Evaluate
	seeds    []uint64
	metrics  []Metric        // of every run, without values
	found    [][]*evaluation // by setting and seed, nil where it is missing
}

// evaluation is what validation data say of one run.
type evaluation struct {
	run    string // hash
	failed string // why there are no values
	values []float64
	notes  []string
	loaded bool
}

func newEvaluations(evaluate Evaluate, settings int, seeds []uint64) *evaluations {
	e := &evaluations{evaluate: evaluate, seeds: seeds, found: make([][]*evaluation, settings)}
	for i := range e.found {
		e.found[i] = make([]*evaluation, len(seeds))
	}
	return e
}

// job is the job that evaluates the i-th setting with the k-th seed. The evaluation sees
// nothing of the test set.
func (e *evaluations) job(name string, i, k int, config ngebm.Config) job {
	return job{name: name, config: known(config), evaluate: func(ctx context.Context, run *ngebm.Run, diverged error) (fresh bool, err error) {
		hidden := run.WithoutTest()
		found := &evaluation{run: run.Hash, notes: hidden.Notes, loaded: run.Loaded}
		if diverged != nil {
			found.failed = run.History.Stopped
		} else if err := e.enter(ctx, found, hidden); err != nil {
			return false, err
		}
		e.found[i][k] = found
		return false, nil
	}}
}

// enter evaluates a run.
func (e *evaluations) enter(ctx context.Context, found *evaluation, run *ngebm.Run) error {
	metrics, err := e.evaluate(ctx, run)
	if err != nil {
		return err
	}
	if e.metrics == nil {
		for _, m := range metrics {
			m.Value, m.Interval = 0, nil
			e.metrics = append(e.metrics, m)
		}
	}
	if len(metrics) == 0 || !slices.EqualFunc(metrics, e.metrics, func(a, b Metric) bool { return a.Name == b.Name && a.Name != "" }) {
		return fmt.Errorf("study: Evaluate returned %d metrics, %d before; it must return the same ones for every run, at least one, each with a name", len(metrics), len(e.metrics))
	}
	for i, m := range metrics {
		if was := e.metrics[i].Definition; m.Definition != was {
			return fmt.Errorf("study: %s is %q, and of runs before %q; a table has one definition: set the attack's radius (-epsilon) and the OOD kind (-ood) for all, or evaluate the data separately", m.Name, m.Definition, was)
		}
		if found.failed == "" && (math.IsNaN(m.Value) || math.IsInf(m.Value, 0)) {
			found.failed = fmt.Sprintf("%s is %v", m.Name, m.Value)
		}
		found.values = append(found.values, m.Value)
	}
	return nil
}

// complete reports whether every setting was evaluated with every seed.
func (e *evaluations) complete() bool {
	return !slices.ContainsFunc(e.found, func(row []*evaluation) bool { return slices.Contains(row, nil) })
}

// fill makes the rows' metrics of a table, which has a row for each setting.
func (e *evaluations) fill(t *SweepTable) {
	t.Metrics, t.Seeds = e.metrics, e.seeds
	for i, found := range e.found {
		row := &t.Rows[i]
		values := make([][]float64, len(e.metrics))
		for k, f := range found {
			row.Runs = append(row.Runs, f.run)
			for _, note := range f.notes {
				row.Notes = append(row.Notes, fmt.Sprintf("seed %d: %s", e.seeds[k], note))
			}
			if f.loaded {
				t.Loaded++
			} else {
				t.Trained++
			}
			if f.failed != "" {
				row.Failed = append(row.Failed, fmt.Sprintf("seed %d: %s", e.seeds[k], f.failed))
				continue
			}
			for m, v := range f.values {
				values[m] = append(values[m], v)
			}
		}
		for k, v := range values {
			if len(v) > 0 {
				row.Metrics = append(row.Metrics, NewEstimateOn(e.metrics[k].Scale, v))
			}
		}
	}
}
