package experiment

import (
	"context"
	"fmt"
	"ngebm/ngebm/study"
	"slices"
)

// judgement is what validation data told of a candidate's run.
type judgement struct {
	candidate int
	seed      uint64
	run       string
	figures   []study.Figure
	failed    string
}

// judge judges a candidate's run, or loads what was found of it. The judge sees
// nothing of the test set.
func (r *runner) judge(ctx context.Context, j job) (*judgement, bool, error) {
	run, why, err := r.train(ctx, j)
	if err != nil {
		return nil, false, err
	}
	defer run.Close()
	found := &judgement{candidate: j.candidate, seed: j.config.Seed, run: run.Hash, failed: why}
	if why == "" {
		judged := *run
		judged.Test = nil
		found.figures, err = study.OnValidation(study.Validation{Progress: r.opts.Progress})(ctx, &judged)
	}
	return found, !run.Loaded, err
}

// choose finds the candidate with the best mean.
func (c Choice) choose(judged []*judgement) (*Outcome, error) {
	out := &Outcome{Figure: c.Figure}
	for _, settings := range c.Candidates {
		out.Candidates = append(out.Candidates, Candidate{Settings: settings, Figures: map[string][]float64{}})
	}
	better := study.Lower
	for _, j := range judged {
		candidate := &out.Candidates[j.candidate]
		candidate.Runs = append(candidate.Runs, j.run)
		if j.failed != "" {
			candidate.Failed = append(candidate.Failed, fmt.Sprintf("seed %d: %s", j.seed, j.failed))
		}
		for _, f := range j.figures {
			candidate.Figures[f.Name] = append(candidate.Figures[f.Name], f.Value)
			if f.Name == c.Figure {
				better, out.Is = f.Better, f.Is
			}
		}
	}
	best := -1
	mean := func(i int) float64 { return study.NewEstimate(out.Candidates[i].Figures[c.Figure]).Mean }
	for i, candidate := range out.Candidates {
		if len(candidate.Failed) > 0 || len(candidate.Figures[c.Figure]) != len(c.Seeds) {
			continue
		}
		if best < 0 || better == study.Lower && mean(i) < mean(best) || better == study.Higher && mean(i) > mean(best) {
			best = i
		}
	}
	if best < 0 {
		why := slices.Concat(out.Candidates[0].Failed, []string{"no figures"})[0]
		return nil, fmt.Errorf("experiment: no candidate has figures for all seeds, so that none can be chosen; the first says: %s", why)
	}
	out.Settings = out.Candidates[best].Settings
	return out, nil
}
