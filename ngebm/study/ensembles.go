package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/internal/cache"
)

// EnsembleResult is what the mean probabilities of a method's runs give on the test
// examples (Lakshminarayanan et al. 2017). Nothing is trained for it.
type EnsembleResult struct {
	Method      string              `json:"method"`
	Seeds       []uint64            `json:"seeds"` // of the runs
	Calibration *calibration.Report `json:"calibration"`
}

// outputs are the logits of a run on the test examples, as they are stored in its folder.
type outputs struct {
	Run    string      `json:"run"`
	Logits [][]float64 `json:"logits"`
}

// addMember adds a measured run to its method's ensemble, of the runs that were measured so far.
func (x *experiment) addMember(ctx context.Context, run *ngebm.Run, result *Result) error {
	if !x.plan.Measure.Ensembles || result.Failed != "" {
		return nil
	}
	if err := x.draw(run); err != nil {
		return err
	}
	logits, err := logitsOf(ctx, run, result.Checkpoint, x.parts.test)
	if err != nil {
		return fmt.Errorf("study: the ensemble of %s, seed %d: %w", result.Method, result.Seed, err)
	}
	if x.members == nil {
		x.members = map[string]map[uint64]calibration.Sample{}
	}
	if x.members[result.Method] == nil {
		x.members[result.Method] = map[uint64]calibration.Sample{}
	}
	members := x.members[result.Method]
	members[result.Seed] = calibration.Sample{Logits: logits, Labels: x.parts.test.Labels}
	if len(members) < 2 {
		return nil
	}
	one := EnsembleResult{Method: result.Method}
	var models []calibration.Sample
	for _, seed := range x.plan.Seeds {
		if m, ok := members[seed]; ok {
			one.Seeds, models = append(one.Seeds, seed), append(models, m)
		}
	}
	sample, err := calibration.Ensemble(models...)
	if err == nil {
		one.Calibration, err = calibration.Measure(sample, calibration.Options{})
	}
	if err != nil {
		return fmt.Errorf("study: the ensemble of %s: %w", result.Method, err)
	}
	if one.follows(x.results.Ensemble(result.Method)) { // else that is of runs that are not at hand
		x.results.putEnsemble(one)
	}
	return nil
}

// follows reports whether an ensemble takes the place of the one before, if there is one: it is of more
// runs, or of the same.
func (e EnsembleResult) follows(before *EnsembleResult) bool {
	return before == nil || len(e.Seeds) > len(before.Seeds) || e.has(before.Seeds)
}

// has reports whether an ensemble is of the runs with all these seeds.
func (e EnsembleResult) has(seeds []uint64) bool {
	return !slices.ContainsFunc(seeds, func(seed uint64) bool { return !slices.Contains(e.Seeds, seed) })
}

// logitsOf computes a run's logits on a set, or loads what was computed.
func logitsOf(ctx context.Context, run *ngebm.Run, checkpoint string, set *data.Dataset) ([][]float64, error) {
	name := "outputs-" + cache.Key([]string{run.Computation(), checkpoint, set.Checksum}) + ".json"
	stored, err := cache.Read[outputs](run.Dir, name)
	switch {
	case err == nil && (stored.Run != run.Hash || len(stored.Logits) != set.Len()):
		return nil, cache.WrongRun(run.Dir, name, stored.Run)
	case err == nil:
		return stored.Logits, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	logits, err := run.Classifier.Logits(ctx, set)
	if err != nil {
		return nil, err
	}
	if err := cache.Write(run.Dir, name, outputs{run.Hash, logits}); !errors.Is(err, cache.ErrTooLarge) {
		return logits, err
	}
	return logits, nil // computed again the next time
}

// putEnsemble enters a method's ensemble, in the plan's order.
func (r *Results) putEnsemble(one EnsembleResult) {
	kept := slices.DeleteFunc(slices.Clone(r.Ensembles), func(e EnsembleResult) bool { return e.Method == one.Method })
	r.Ensembles = append(kept, one)
	slices.SortFunc(r.Ensembles, func(a, b EnsembleResult) int {
		return slices.Index(r.Methods, a.Method) - slices.Index(r.Methods, b.Method)
	})
}

// Ensemble is the ensemble of a method's runs, or nil.
func (r *Results) Ensemble(method string) *EnsembleResult {
	for i := range r.Ensembles {
		if r.Ensembles[i].Method == method {
			return &r.Ensembles[i]
		}
	}
	return nil
}

// checkEnsembles reports an ensemble that is not of the results' runs.
func (r *Results) checkEnsembles() error {
	found, seen := r.byName(), map[string]bool{}
	for _, e := range r.Ensembles {
		if e.Calibration == nil || len(e.Seeds) < 2 {
			return fmt.Errorf("study: the ensemble of %s has %d runs, or no calibration", e.Method, len(e.Seeds))
		}
		if seen[e.Method] {
			return fmt.Errorf("study: the results have two ensembles of %s", e.Method)
		}
		seen[e.Method] = true
		for _, seed := range e.Seeds {
			if found[planned{e.Method, seed}] == nil {
				return fmt.Errorf("study: the results have an ensemble with %s, and no such run", planned{e.Method, seed})
			}
		}
	}
	return nil
}

// mergeEnsembles keeps the ensembles that are of all the runs of their method: others
// cannot be made of files, which hold no probabilities.
func (r *Results) mergeEnsembles(all []*Results) {
	for _, one := range all {
		for _, e := range one.Ensembles {
			if len(e.Seeds) == len(r.Of(e.Method)) {
				r.putEnsemble(e)
			}
		}
	}
}
