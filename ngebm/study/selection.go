package study

import (
	"fmt"
	"slices"
	"strings"

	"ngebm/data/nearest"
	"ngebm/data/progress"
	"ngebm/ngebm"
)

// Selection says how the weights of [Selected] are found: each candidate is trained with
// each seed and evaluated on the validation examples that it held out (see
// [Validation]). The candidate with the best mean of one metric is selected, the first of
// equals. The test set has no part in it.
type Selection struct {
	Candidates []string `json:"candidates,omitempty"` // settings, such as "beta=.1,gamma=.1"
	Seeds      []uint64 `json:"seeds,omitempty"`
	Metric     string   `json:"figure,omitempty"` // of ValidationMetrics: "NLL"
}

// Outcome is what a selection found.
type Outcome struct {
	Settings   string      `json:"settings"` // of the candidate with the best mean
	Metric     string      `json:"figure"`   // by which it was selected
	Definition string      `json:"is"`       // of the metric
	Candidates []Candidate `json:"candidates"`
}

// Candidate is what validation data say of one candidate, seed by seed.
type Candidate struct {
	Settings string               `json:"settings"`
	Runs     []string             `json:"runs"` // hashes
	Metrics  map[string][]float64 `json:"figures,omitempty"`
	// Failed says which seeds diverged, and why; such a candidate is not selected.
	Failed []string `json:"failed,omitempty"`
	// Notes say in what the runs could differ from runs trained now; see [SweepRow].
	Notes []string `json:"notes,omitempty"`
}

func (s Selection) validate() error {
	switch {
	case len(s.Candidates) == 0:
		return fmt.Errorf("study: no candidates to select the weights of %s from; give at least one, such as beta=.1,gamma=.1;beta=.01,gamma=.01", Selected)
	case !slices.Contains(ValidationMetrics(), s.Metric):
		return fmt.Errorf("study: cannot select weights by %.60q%s; choose from %s", s.Metric, nearest.Hint(s.Metric, ValidationMetrics()), strings.Join(ValidationMetrics(), ", "))
	}
	for _, candidate := range s.Candidates {
		if _, ok := ngebm.FindSetting(candidate, "seed"); ok {
			return fmt.Errorf("study: the candidate %.200q sets the seed; give the seeds of all candidates separately (-select-seeds)", candidate)
		}
	}
	return checkSeeds("the selection of weights", s.Seeds)
}

// evaluations is where the candidates' runs are evaluated.
func (s Selection) evaluations(report progress.Reporter) *evaluations {
	return newEvaluations(Validation{Progress: report}.Evaluate, len(s.Candidates), s.Seeds)
}

// resolve finds the candidate with the best mean.
func (s Selection) resolve(e *evaluations) (*Outcome, error) {
	t := &SweepTable{}
	for _, settings := range s.Candidates {
		t.Rows = append(t.Rows, SweepRow{Settings: []string{settings}})
	}
	e.fill(t)
	best, err := t.Best(s.Metric)
	if err != nil {
		return nil, err
	}
	k, err := t.Index(s.Metric)
	if err != nil {
		return nil, err
	}
	out := &Outcome{Settings: s.Candidates[best], Metric: s.Metric, Definition: t.Metrics[k].Definition}
	for i, row := range t.Rows {
		c := Candidate{Settings: s.Candidates[i], Runs: row.Runs, Failed: row.Failed, Notes: row.Notes, Metrics: map[string][]float64{}}
		for k, estimate := range row.Metrics {
			c.Metrics[t.Metrics[k].Name] = estimate.Values
		}
		out.Candidates = append(out.Candidates, c)
	}
	return out, nil
}
