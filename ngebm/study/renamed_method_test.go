package study_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"ngebm/ngebm/study"
)

// Results and plans of before keep their meaning: jem++ is read as what it was.
func TestRenamedMethod(t *testing.T) {
	m, err := study.FindMethod("jem++")
	if err != nil || m.Name != "jem-informative" || study.Title("jem++") != "JEM, informative start" {
		t.Errorf("jem++ is %+v, %q, %v", m, study.Title("jem++"), err)
	}
}

// A method that was renamed is one method, by whatever name a file has it.
func TestRenamedMethodInResults(t *testing.T) {
	p := smallPlan(t)
	p.Methods, p.Selection = []string{"jem-informative"}, study.Selection{}
	now := made(t, p, 1, 1, 2)
	now.Selected = nil
	now.Ensembles = []study.EnsembleResult{{Method: "jem-informative", Seeds: []uint64{1, 2}, Calibration: now.Runs[0].Calibration}}
	b, err := json.Marshal(now)
	if err != nil {
		t.Fatal(err)
	}
	old, err := study.ParseResults(bytes.ReplaceAll(b, []byte(`"jem-informative"`), []byte(`"jem++"`)))
	if err != nil {
		t.Fatal(err)
	}
	merged, err := study.Merge(old, now)
	if err != nil || len(merged.Methods) != 1 || len(merged.Runs) != 2 || len(merged.Ensembles) != 1 {
		t.Errorf("%v\n%s", err, merged)
	}
	both := bytes.Replace(b, []byte(`["jem-informative"]`), []byte(`["jem++","jem-informative"]`), 1)
	if old, err = study.ParseResults(both); err != nil || len(old.Methods) != 1 {
		t.Errorf("of both names: %v, %v", old.Methods, err)
	}
}
