package study_test

import (
	"encoding/json"
	"strings"
	"testing"

	"ngebm/ngebm/calibration"
	"ngebm/ngebm/study"
)

// Files written while the OOD kind "uniform box" was called "far away", and while warnings
// and definitions had other words, merge with files of now.
func TestMergeOldResults(t *testing.T) {
	p := smallPlan(t)
	p.Measure.OODKinds = []string{"uniform box"}
	now := made(t, p, 1, 1, 2)
	now.Selected.Definition = "the words of now"
	for i := range now.Runs {
		now.Runs[i].Detection[0].Set = "moons, uniform box"
	}
	b, err := json.Marshal(now)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("uniform box", "far away", "the words of now", "the words of then").Replace(string(b))
	if !strings.Contains(text, `"strange":["far away"]`) {
		t.Fatalf("the file of then is no test: %.500s", text)
	}
	old, err := study.ParseResults([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for i := range old.Runs {
		old.Runs[i].Calibration.Warnings = []string{"other words"}
	}
	for i := range old.Runs { // as they were while intervals were percentiles
		for _, c := range []*calibration.Report{old.Runs[i].Calibration, old.Runs[i].Calibration.AfterT} {
			c.IntervalKind, c.Further, c.Perfect = "", nil, nil
			for name, interval := range c.Intervals {
				interval.High++
				c.Intervals[name] = interval
			}
			for k := range c.Reliability {
				c.Reliability[k].Perfect = nil
			}
		}
		for k := range old.Runs[i].Detection {
			old.Runs[i].Detection[k].IntervalKind, old.Runs[i].Detection[k].Intervals = "", nil
		}
	}
	merged, err := study.Merge(old, now)
	if err != nil {
		t.Fatal(err)
	}
	if tables := merged.String(); strings.Contains(tables, "far away") || !strings.Contains(tables, "moons, uniform box") {
		t.Error(tables)
	}
	old.Runs[0].Calibration.ECE++
	if _, err := study.Merge(old, now); err == nil || !strings.Contains(err.Error(), "different calibration") {
		t.Errorf("another ECE: %v", err)
	}
}

// A plan that is refused now, and was not before, can be read.
func TestReadRefusedPlan(t *testing.T) {
	p := smallPlan(t)
	p.Measure.OODKinds, p.Selection.Candidates = []string{"rotated", "rotated"}, []string{"beta=1,gamma=1", "validation=100"}
	if err := p.Validate(); err == nil {
		t.Fatal("the plan is no test")
	}
	if r := copied(t, made(t, p, 1, 1)); len(r.Runs) != 2 {
		t.Errorf("%d runs", len(r.Runs))
	}
}
