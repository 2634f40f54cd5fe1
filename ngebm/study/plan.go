// Package experiment asks one question of several ways of training, with several
// seeds: it trains what is missing, measures every run alike, and puts all figures
// with where they come from into one [Results], a file that can be committed, merged
// with those of other machines ([Merge]) and drawn.
package experiment

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ngebm/data/nearest"
	"ngebm/ngebm"
	"ngebm/ngebm/study"
)

// Chosen is the method whose weights [Choice] finds on validation data: NG-EBM with
// one of the candidates' settings.
const Chosen = "ng-ebm-chosen"

// Plan says what is trained and how it is measured.
type Plan struct {
	Preset  string       `json:"preset"`  // the base's name, for people
	Base    ngebm.Config `json:"base"`    // of every run, but for method and seed
	Methods []string     `json:"methods"` // of ngebm.Methods, or Chosen
	Seeds   []uint64     `json:"seeds"`
	Choice  Choice       `json:"choice,omitzero"` // of Chosen, where it is among the methods
	Measure Protocol     `json:"measure"`
}

// Choice says how the weights of [Chosen] are chosen: each candidate is trained with
// each of the seeds, judged on the validation examples that it held out (see
// study.OnValidation), and the one with the best mean figure is taken, the first of
// equals. The test set has no part in it.
type Choice struct {
	Candidates []string `json:"candidates,omitempty"` // settings, as in "beta=.1,gamma=.1"
	Seeds      []uint64 `json:"seeds,omitempty"`
	Figure     string   `json:"figure,omitempty"` // of study.ValidationFigures: "NLL"
}

// Methods returns the names that a plan's methods can have.
func Methods() []string {
	var names []string
	for _, m := range ngebm.Methods() {
		names = append(names, m.Name)
	}
	return append(names, Chosen)
}

// Title is a method's name in figures and tables. It holds the words that
// plots.MethodColor goes by.
func Title(method string) string {
	switch method {
	case "label-smoothing":
		return "label smoothing"
	case "ng-ebm":
		return "NG-EBM β=γ=.1"
	case "ng-ebm-paper":
		return "NG-EBM, paper's weights"
	case Chosen:
		return "NG-EBM, chosen weights"
	}
	return method
}

// Validate reports what of the plan cannot be done.
func (p Plan) Validate() error {
	switch {
	case len(p.Methods) == 0:
		return fmt.Errorf("experiment: the plan has no methods; give one or more of %s", strings.Join(Methods(), ", "))
	case len(p.Seeds) == 0:
		return errors.New("experiment: the plan has no seeds; give one or more, three make an interval that says something")
	case p.Base.Validation < 1:
		return errors.New("experiment: the configuration holds out no validation data, which the temperature is fitted to; set validation to a number of training examples, as in validation=500")
	}
	for i, m := range p.Methods {
		if !slices.Contains(Methods(), m) {
			return fmt.Errorf("experiment: no method is named %.60q%s; there are %s", m, nearest.Hint(m, Methods()), strings.Join(Methods(), ", "))
		}
		if slices.Contains(p.Methods[:i], m) {
			return fmt.Errorf("experiment: the method %s stands there twice; each counts once", m)
		}
	}
	if err := distinct("the plan", p.Seeds); err != nil {
		return err
	}
	if slices.Contains(p.Methods, Chosen) {
		if err := p.Choice.validate(); err != nil {
			return err
		}
	}
	if err := p.Measure.validate(); err != nil {
		return err
	}
	for _, j := range append(p.candidates(), p.jobs(p.firstCandidate())...) {
		if j.err != nil {
			return j.err
		}
		if err := j.config.Validate(); err != nil {
			return fmt.Errorf("%w (in %s)", err, j.name())
		}
	}
	return nil
}

func (c Choice) validate() error {
	switch {
	case len(c.Candidates) == 0:
		return fmt.Errorf("experiment: there are no candidates to choose the weights of %s from; give one or more, as in beta=.1,gamma=.1;beta=.01,gamma=.01", Chosen)
	case len(c.Seeds) == 0:
		return errors.New("experiment: there are no seeds to choose weights with; give one or more")
	case !slices.Contains(study.ValidationFigures(), c.Figure):
		return fmt.Errorf("experiment: weights cannot be chosen by %.60q%s; there are %s", c.Figure, nearest.Hint(c.Figure, study.ValidationFigures()), strings.Join(study.ValidationFigures(), ", "))
	}
	return distinct("the choice of weights", c.Seeds)
}

func distinct(what string, seeds []uint64) error {
	for i, seed := range seeds {
		if slices.Contains(seeds[:i], seed) {
			return fmt.Errorf("experiment: %s has seed %d twice; each run counts once", what, seed)
		}
	}
	return nil
}

// job is one run: to be measured, or to be judged as a candidate.
type job struct {
	method    string
	candidate int // its place among the candidates, or -1
	config    ngebm.Config
	err       error // of settings that there are not
}

func (j job) name() string {
	if j.candidate >= 0 {
		return fmt.Sprintf("candidate %d, seed %d", j.candidate+1, j.config.Seed)
	}
	return fmt.Sprintf("%s, seed %d", j.method, j.config.Seed)
}

// candidates lists the runs by which weights are chosen, seed by seed.
func (p Plan) candidates() []job {
	if !slices.Contains(p.Methods, Chosen) {
		return nil
	}
	var jobs []job
	for _, seed := range p.Choice.Seeds {
		for i, settings := range p.Choice.Candidates {
			j := p.job(Chosen, seed, settings)
			j.candidate = i
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// jobs lists the runs to measure, seed by seed, so that all methods have been seen
// once before any is seen twice; chosen is what the choice came to.
func (p Plan) jobs(chosen string) []job {
	var jobs []job
	for _, seed := range p.Seeds {
		for _, method := range p.Methods {
			jobs = append(jobs, p.job(method, seed, chosen))
		}
	}
	return jobs
}

// firstCandidate stands for what will be chosen where only the form counts.
func (p Plan) firstCandidate() string {
	if len(p.Choice.Candidates) == 0 {
		return ""
	}
	return p.Choice.Candidates[0]
}

func (p Plan) job(method string, seed uint64, chosen string) job {
	j := job{method: method, candidate: -1, config: p.Base}
	name, settings := method, ""
	if method == Chosen {
		name, settings = "ng-ebm", chosen
	}
	if j.err = j.config.SetMethod(name); j.err == nil {
		j.err = j.config.Set(settings)
	}
	j.config.Seed = seed
	return j
}

// String says what will be done, in lines.
func (p Plan) String() string {
	var b strings.Builder
	c := p.Base
	fmt.Fprintf(&b, "preset %s: %s on %s", p.Preset, c.Net, publicName(c.Data))
	if c.Limit > 0 {
		fmt.Fprintf(&b, ", %d training examples", c.Limit)
	}
	fmt.Fprintf(&b, ", %d of them held out; %d epochs of batches of %d\n", c.Validation, c.Epochs, c.Batch)
	if n := len(p.candidates()); n > 0 {
		fmt.Fprintf(&b, "choose weights by %s on validation data: %d runs, seeds %s, of\n", p.Choice.Figure, n, list(p.Choice.Seeds))
		for _, candidate := range p.Choice.Candidates {
			fmt.Fprintf(&b, "  %s\n", candidate)
		}
	}
	fmt.Fprintf(&b, "train and measure: %d runs, seeds %s, of\n", len(p.Methods)*len(p.Seeds), list(p.Seeds))
	for _, m := range p.Methods {
		fmt.Fprintf(&b, "  %s\n", m)
	}
	b.WriteString(p.Measure.String())
	return b.String()
}

// list writes values with commas between them.
func list[T any](values []T) string {
	var parts []string
	for _, v := range values {
		parts = append(parts, fmt.Sprint(v))
	}
	return strings.Join(parts, ", ")
}
