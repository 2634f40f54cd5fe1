package published_test

import (
	"fmt"
	"strings"
	"testing"

	"ngebm/ngebm"
	"ngebm/ngebm/study"
	"ngebm/ngebm/study/published"
)

// What is committed can be read, is of its plan, says which code, data and machine it is of,
// names no folder, and tests the claim: cross-entropy is over-confident. It may lack runs, but has
// three seeds of all methods that the plan's questions are about.
func TestCommitted(t *testing.T) {
	if len(published.Names()) == 0 {
		t.Fatal("no results")
	}
	for _, name := range published.Names() {
		r, err := published.Read(name)
		if err != nil {
			t.Error(err)
			continue
		}
		plan, err := published.ReadPlan(name)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, q := range plan.Family {
			for _, method := range []string{q.Method, q.Against} {
				if n := len(r.Of(method)); n < 3 {
					t.Errorf("%s: %d seeds of %s; intervals want three", name, n, method)
				}
			}
		}
		hasProvenance(t, name, r)
		for _, v := range r.Values("cross-entropy", study.Temperature()) {
			if v <= 1.2 {
				t.Errorf("%s: cross-entropy's best temperature is %.3f, so that the claim is not tested", name, v)
			}
		}
		isPlanned(t, name, r, plan)
	}
	if _, err := published.Read("mnist"); err == nil || !strings.Contains(err.Error(), "there are ") {
		t.Errorf("results that there are not: %v", err)
	}
}

// isPlanned reports results that are not of the plan, so that the experiment could not go on from
// them.
func isPlanned(t *testing.T, name string, r *study.Results, plan *study.Registered) {
	t.Helper()
	was, is := r.Plan, plan.Plan
	was.Base.Data, is.Base.Data, was.Base.Name, is.Base.Name = "", "", "", ""
	if got, want := fmt.Sprintf("%+v", was), fmt.Sprintf("%+v", is); got != want {
		t.Errorf("%s is of another plan: %s, not %s", name, got, want)
	}
	if !plan.Planned(r) {
		t.Errorf("%s is not said to be as planned", name)
	}
	for what, change := range map[string]func(*study.Results){
		"measured otherwise":         func(r *study.Results) { r.Measure.Seed++ },
		"on another test set":        func(r *study.Results) { r.Runs[1].Sets[2].Checksum = strings.Repeat("0", 64) },
		"with another method":        func(r *study.Results) { r.Methods = append(r.Methods, "jem") },
		"with seeds not of the plan": func(r *study.Results) { r.Seeds = []uint64{1, 11} },
	} {
		other, err := published.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if change(other); plan.Planned(other) {
			t.Errorf("%s, %s, is said to be as planned", name, what)
		}
	}
	r.Methods, r.Seeds, r.Runs = r.Methods[:1], r.Seeds[:1], r.Runs[:1]
	if !plan.Planned(r) {
		t.Errorf("a part of %s is not said to be as planned", name)
	}
}

// hasProvenance reports runs that do not say where they come from, or that name a folder.
func hasProvenance(t *testing.T, name string, r *study.Results) {
	t.Helper()
	for _, run := range r.Runs {
		for what, is := range map[string]string{
			"code": run.Training.Code, "code that measured": run.Measuring.Code, "device": run.Training.Device,
			"machine": run.Measuring.Machine, "checkpoint": run.Checkpoint, "data": run.Sets[0].Checksum, "test data": run.Sets[2].Checksum,
		} {
			if is == "" || strings.HasSuffix(is, "+modified") || is == "unknown" || strings.Contains(is, "/root") || strings.Contains(is, "/home") {
				t.Errorf("%s: %s, seed %d: the %s is %q", name, run.Method, run.Seed, what, is)
			}
		}
		if strings.ContainsAny(run.Config.Data, `/\`) {
			t.Errorf("%s: %s, seed %d names the folder %s", name, run.Method, run.Seed, run.Config.Data)
		}
	}
}

// A table of a sweep that is committed has every row with every seed.
func TestCommittedSweeps(t *testing.T) {
	if len(published.Sweeps()) == 0 {
		t.Fatal("no sweeps")
	}
	for _, name := range published.Sweeps() {
		table, err := published.ReadSweep(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if len(table.Rows) == 0 || strings.ContainsAny(table.Base.Data, `/\`) {
			t.Errorf("%s: %d rows, trained on %s", name, len(table.Rows), table.Base.Data)
		}
		for _, row := range table.Rows {
			if len(row.Failed) > 0 || len(row.Runs) != len(table.Seeds) || len(row.Metrics) != len(table.Metrics) {
				t.Errorf("%s: %v has %d runs and %d metrics of %d and %d; failed: %v", name, row.Settings, len(row.Runs), len(row.Metrics), len(table.Seeds), len(table.Metrics), row.Failed)
			}
		}
	}
	if _, err := published.ReadSweep("gouge"); err == nil || !strings.Contains(err.Error(), "did you mean gauge") {
		t.Errorf("a sweep that there is not: %v", err)
	}
}

// The plan that ngebm experiment takes for a preset is of that preset as it is, and asks only
// what it measures. Results of an earlier form of the preset keep their own configuration.
func TestCommittedPlans(t *testing.T) {
	for _, name := range published.Plans() {
		plan, err := published.ReadPlan(name)
		if err != nil {
			t.Fatal(err)
		}
		preset, err := ngebm.PresetConfig(name)
		if err != nil {
			t.Fatal(err)
		}
		if plan.Preset != name || plan.Base.String() != preset.String() {
			t.Errorf("the plan %s is of %s, %s, not of the preset's settings, %s", name, plan.Preset, plan.Base, preset)
		}
		if len(plan.About) == 0 || len(plan.Family) == 0 {
			t.Errorf("%s: %d lines and %d questions", name, len(plan.About), len(plan.Family))
		}
	}
	if _, err := published.ReadPlan("mnist"); err == nil || !strings.Contains(err.Error(), "there are ") {
		t.Errorf("a plan that there is not: %v", err)
	}
}
