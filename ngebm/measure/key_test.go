package measure

import (
	"strings"
	"testing"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/jem"
)

// A stored report is found again only for the same weights, sets, attacks and settings.
func TestKey(t *testing.T) {
	set := func(checksum string) *data.Dataset { return &data.Dataset{Info: data.Info{Checksum: checksum}} }
	options := func(a attack.Attack, epsilons ...float64) Options {
		return Options{Attacks: []Plan{{Attack: a, Epsilons: epsilons}}}
	}
	pgd := attack.PGD{Norm: attack.Linf, Steps: 40, Step: .1, RandomStart: true}
	finer, longer, fixed, l2, restarted := pgd, pgd, pgd, pgd, pgd
	finer.Step, longer.Steps, fixed.RandomStart, l2.Norm, restarted.Restarts = .10000001, 41, false, attack.L2, 2
	type asked struct {
		checkpoint string
		in         *data.Dataset
		o          Options
	}
	features := map[string]string{"other features": "6"}
	seen := map[string]string{}
	for name, a := range map[string]asked{
		"nothing else":          {"a", set("1"), Options{}},
		"other weights":         {"b", set("1"), Options{}},
		"another test set":      {"a", set("2"), Options{}},
		"a validation split":    {"a", set("1"), Options{Validation: set("3")}},
		"another split":         {"a", set("1"), Options{Validation: set("4")}},
		"an OOD set":            {"a", set("1"), Options{Out: []*data.Dataset{set("5")}}},
		"another OOD set":       {"a", set("1"), Options{Out: []*data.Dataset{set("6")}}},
		"bins":                  {"a", set("1"), Options{Bins: 20}},
		"intervals":             {"a", set("1"), Options{Bootstrap: bootstrap.Options{Resamples: 10}}},
		"the attacks' seed":     {"a", set("1"), Options{Seed: 2}},
		"a batch of attacks":    {"a", set("1"), Options{AttackBatch: 7}},
		"refined inputs":        {"a", set("1"), Options{Refine: jem.Refinement{Steps: 3}}},
		"an attack":             {"a", set("1"), options(pgd, .1)},
		"its size":              {"a", set("1"), options(pgd, .1000000001)},
		"its step, by 1e-8":     {"a", set("1"), options(finer, .1)},
		"its steps":             {"a", set("1"), options(longer, .1)},
		"its start":             {"a", set("1"), options(fixed, .1)},
		"its norm":              {"a", set("1"), options(l2, .1)},
		"its restarts":          {"a", set("1"), options(restarted, .1)},
		"Square":                {"a", set("1"), options(attack.Square{Norm: attack.Linf, Queries: 10, P: .8}, .1)},
		"its windows, by 1e-8":  {"a", set("1"), options(attack.Square{Norm: attack.Linf, Queries: 10, P: .80000001}, .1)},
		"several":               {"a", set("1"), options(attack.Ensemble{pgd, l2}, .1)},
		"detectors":             {"a", set("1"), Options{Detectors: []string{"kNN"}}},
		"other features":        {"a", set("1"), Options{Detectors: []string{"kNN"}}},
		"several, one of which": {"a", set("1"), options(attack.Ensemble{finer, l2}, .1)},
	} {
		key := a.o.key("source 1", a.checkpoint, features[name], a.in)
		if other, ok := seen[key]; ok {
			t.Errorf("%s has the report of %s", name, other)
		}
		seen[key] = name
		if a.o.key("source 2", a.checkpoint, features[name], a.in) == key {
			t.Errorf("%s: other code has the same report", name)
		}
	}
}

// A report that lacks what was asked for is refused, and not shown: printing it would panic.
func TestReportsAreChecked(t *testing.T) {
	whole := &calibration.Report{}
	curve := &attack.Curve{Points: make([]attack.Point, 1)}
	noise := data.Info{Checksum: "1"}
	detecting := Options{Out: []*data.Dataset{{Info: noise}, {Info: data.Info{Checksum: "2"}}}}
	attacked := Options{Attacks: []Plan{{Epsilons: []float64{.1}}}}
	refined := Options{Attacks: attacked.Attacks, Refine: jem.Refinement{Steps: 3}}
	for want, c := range map[string]struct {
		r Report
		o Options
	}{
		"":                               {Report{Calibration: whole, Examples: 5}, Options{}},
		"has no calibration":             {Report{Examples: 5}, Options{}},
		"has no calibration ":            {Report{Calibration: &calibration.Report{Calibrated: &calibration.Calibrated{}}, Examples: 5}, Options{}},
		"is of 4 examples, not 5":        {Report{Calibration: whole, Examples: 4}, Options{}},
		"is not of the 2 OOD sets":       {Report{Calibration: whole, Examples: 5}, detecting},
		"is not of the 2 OOD sets ":      {Report{Calibration: whole, Examples: 5, OOD: []Detection{{Set: noise}}}, detecting},
		"is not of the 2 OOD sets  ":     {Report{Calibration: whole, Examples: 5, OOD: []Detection{{Set: noise}, {Set: noise}}}, detecting},
		"is not of the 0 OOD sets":       {Report{Calibration: whole, Examples: 5, OOD: []Detection{{Set: noise}}}, Options{}},
		"has not the 1 attacks":          {Report{Calibration: whole, Examples: 5}, attacked},
		"has not the 1 attacks ":         {Report{Calibration: whole, Examples: 5, Robustness: []*attack.Curve{nil}}, attacked},
		"has not the 0 attacks":          {Report{Calibration: whole, Examples: 5, Robustness: []*attack.Curve{curve}}, Options{}},
		"does not fit the refinement":    {Report{Calibration: whole, Examples: 5, Refined: &Refined{}}, Options{}},
		"does not fit the refinement ":   {Report{Calibration: whole, Examples: 5, Robustness: []*attack.Curve{curve}}, refined},
		"has no calibration or attacks ": {Report{Calibration: whole, Examples: 5, Robustness: []*attack.Curve{curve}, Refined: &Refined{}}, refined},
		"has 1 points of an attack, and 0": {Report{Calibration: whole, Examples: 5, Robustness: []*attack.Curve{curve},
			Refined: &Refined{Calibration: whole, Robustness: []*attack.Curve{{}}}}, refined},
	} {
		err := c.r.check(5, c.o)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want))) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A run's notes are shown with its report.
func TestNotesAreShown(t *testing.T) {
	r := Report{Calibration: &calibration.Report{}, Notes: []string{"it was trained by other code"}, Code: ngebm.Version()}
	if text := r.String(); !strings.Contains(text, "note: it was trained by other code\n") {
		t.Error(text)
	}
}
