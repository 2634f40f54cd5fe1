package study

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ngebm/ngebm"
	"ngebm/ngebm/bootstrap"
)

// Plan is an experiment: which methods are trained with which seeds, and how every run is
// measured.
type Plan struct {
	Preset    string       `json:"preset"`          // the base's name, for people
	Base      ngebm.Config `json:"base"`            // of every run, except for method and seed
	Methods   []string     `json:"methods"`         // names of Methods
	Seeds     []uint64     `json:"seeds"`           // each decides weights, order and validation split
	Selection Selection    `json:"choice,omitzero"` // of Selected, if it is one of the methods
	Measure   Protocol     `json:"measure"`
	Part      Part         `json:"-"` // of the runs, for several machines
	// Done are results of the plan from a machine whose folder of runs is not at hand: their
	// selection and those of their runs that are planned are kept as they are, and only the
	// other runs are trained.
	Done *Results `json:"-"`
	// Replaces are results that the plan's are written over, see [Results.Over]. That a run of theirs would be
	// another is an error before anything is trained, and so are another protocol and other OOD datasets.
	Replaces *Results `json:"-"`
}

// Validate reports the first part of the plan that cannot be done.
func (p Plan) Validate() error {
	p = p.canonical()
	if err := p.validate(); err != nil {
		return err
	}
	if p.selects() {
		if err := (Validation{}).CheckExamples(p.Base.Validation); err != nil {
			return err
		}
		for _, candidate := range p.Selection.Candidates {
			if _, ok := ngebm.FindSetting(candidate, "validation"); ok {
				return fmt.Errorf("study: the candidate %.200q sets validation, and would be evaluated on different examples; set it for all (-set)", candidate)
			}
		}
	}
	if err := p.Measure.checkTwice(); err != nil {
		return err
	}
	if err := (bootstrap.Options{Resamples: p.Measure.Resamples}).Validate(); err != nil {
		return fmt.Errorf("study: intervals (-bootstrap): %w", err)
	}
	for _, m := range p.Methods {
		settings := []string{""}
		if m == Selected {
			settings = p.candidates()
		}
		for _, s := range settings {
			c, err := p.configure(m, p.Seeds[0], s)
			if err == nil {
				err = p.Measure.checkConfig(c)
			}
			if err != nil {
				return fmt.Errorf("%w (in %s)", err, strings.TrimSpace(m+" "+s))
			}
		}
	}
	return nil
}

// canonical is the plan with the current names of methods and OOD kinds.
func (p Plan) canonical() Plan {
	p.Measure = p.Measure.canonical()
	p.Methods = slices.Clone(p.Methods)
	for i, m := range p.Methods {
		p.Methods[i] = ngebm.CanonicalMethod(m)
	}
	return p
}

// validate is Validate without what earlier versions did not refuse: their results can be read.
func (p Plan) validate() error {
	switch {
	case len(p.Methods) == 0:
		return fmt.Errorf("study: the plan has no methods; give at least one of %s", strings.Join(MethodNames(), ", "))
	case p.Base.Validation < 1:
		return errors.New("study: the configuration holds out no validation data, to which the temperature is fitted; set validation to a number of training examples, such as validation=500")
	}
	for i, m := range p.Methods {
		if _, err := FindMethod(m); err != nil {
			return err
		}
		if slices.Contains(p.Methods[:i], m) {
			return fmt.Errorf("study: the plan has the method %s twice; each counts once", m)
		}
	}
	if err := checkSeeds("the plan", p.Seeds); err != nil {
		return err
	}
	if p.selects() {
		if err := p.Selection.validate(); err != nil {
			return err
		}
	}
	if err := p.Measure.validate(); err != nil {
		return err
	}
	if p.Part != (Part{}) && !p.Part.valid() {
		return fmt.Errorf("study: part %d of %d; parts are counted from 1", p.Part.Index, p.Part.Of)
	}
	settings := p.candidates()
	for i, candidate := range settings {
		if err := p.check(Selected, candidate); err != nil {
			return fmt.Errorf("%w (in candidate %d)", err, i+1)
		}
	}
	for _, m := range p.Methods {
		if m == Selected {
			continue
		}
		if err := p.check(m, ""); err != nil {
			return fmt.Errorf("%w (in %s)", err, m)
		}
	}
	return nil
}

// check validates the configuration of a method.
func (p Plan) check(method, selected string) error {
	config, err := p.configure(method, p.Seeds[0], selected)
	if err != nil {
		return err
	}
	return config.Validate()
}

// selects reports whether weights are selected.
func (p Plan) selects() bool { return slices.Contains(p.Methods, Selected) }

// candidates are the settings to select from, none if the part has no run that needs them.
func (p Plan) candidates() []string {
	if !slices.ContainsFunc(p.partRuns(), func(r planned) bool { return r.method == Selected }) {
		return nil
	}
	return p.Selection.Candidates
}

// planned is one run of a plan.
type planned struct {
	method string
	seed   uint64
}

func (r planned) String() string { return fmt.Sprintf("%s, seed %d", r.method, r.seed) }

// runs lists the runs to measure, seed by seed, so that every method is seen once before
// any is seen twice.
func (p Plan) runs() []planned {
	var runs []planned
	for _, seed := range p.Seeds {
		for _, method := range p.Methods {
			runs = append(runs, planned{method, seed})
		}
	}
	return runs
}

// partRuns lists the runs of the plan's part, in the same order. The parts share the seeds of each method: methods differ in
// time, and so would parts that had one each; and machines differ, so no method shall have the times of one only.
// Where weights are selected the parts share the runs as they come, so that few of them have to select.
func (p Plan) partRuns() []planned {
	runs, methods, seeds := p.runs(), len(p.Methods), len(p.Seeds)
	if p.Part == (Part{}) {
		return runs
	}
	var mine []planned
	for i, run := range runs {
		if !p.selects() {
			i = i%methods*seeds + i/methods
		}
		if i%p.Part.Of == p.Part.Index-1 {
			mine = append(mine, run)
		}
	}
	return mine
}

// configure returns the configuration of a run; selected are the settings of [Selected].
func (p Plan) configure(method string, seed uint64, selected string) (ngebm.Config, error) {
	m, err := FindMethod(method)
	if err != nil {
		return p.Base, err
	}
	if method == Selected {
		m.Settings = selected
	}
	return m.Configure(p.Base, seed)
}

// String describes the plan, in lines.
func (p Plan) String() string {
	var b strings.Builder
	c := p.Base
	fmt.Fprintf(&b, "preset %s: %s on %s", p.Preset, c.Net, publicName(c.Data))
	if c.Limit > 0 {
		fmt.Fprintf(&b, ", %d training examples", c.Limit)
	}
	if c.Draw > 0 {
		fmt.Fprintf(&b, ", %d training examples drawn by the seed", c.Draw)
	}
	fmt.Fprintf(&b, ", %d of them held out; %d epochs of batches of %d\n", c.Validation, c.Epochs, c.Batch)
	if p.selects() {
		s := p.Selection
		fmt.Fprintf(&b, "select weights by %s on validation data: %d runs, seeds %s, of\n", s.Metric, len(s.Candidates)*len(s.Seeds), list(s.Seeds))
		for _, candidate := range s.Candidates {
			fmt.Fprintf(&b, "  %s\n", candidate)
		}
	}
	fmt.Fprintf(&b, "train and measure: %d runs, seeds %s, of\n", len(p.Methods)*len(p.Seeds), list(p.Seeds))
	if n := len(p.kept()); n > 0 {
		fmt.Fprintf(&b, "  (of these, %d are kept from earlier results)\n", n)
	}
	if p.Part != (Part{}) {
		fmt.Fprintf(&b, "  (of these, part %d of %d: %d runs: %s)\n", p.Part.Index, p.Part.Of, len(p.partRuns()), p.partNames())
	}
	for _, m := range p.Methods {
		fmt.Fprintf(&b, "  %s\n", m)
	}
	b.WriteString(p.Measure.String())
	return b.String()
}

// partNames lists the runs of the plan's part by method: "ng-ebm, seeds 1, 3; jem, seeds 2".
func (p Plan) partNames() string {
	seeds := map[string][]uint64{}
	for _, run := range p.partRuns() {
		seeds[run.method] = append(seeds[run.method], run.seed)
	}
	var parts []string
	for _, method := range p.Methods {
		if len(seeds[method]) > 0 {
			parts = append(parts, method+", seeds "+list(seeds[method]))
		}
	}
	return strings.Join(parts, "; ")
}

// list writes values with commas between them.
func list[T any](values []T) string {
	var parts []string
	for _, v := range values {
		parts = append(parts, fmt.Sprint(v))
	}
	return strings.Join(parts, ", ")
}
