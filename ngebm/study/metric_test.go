package study_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"ngebm/ngebm/study"
)

// A sweep's table that was written before metrics had these names is read as ever, and
// written with the same keys.
func TestSweepTableKeepsItsFormat(t *testing.T) {
	const stored = `{"grid":[{"key":"gamma","values":["0"]}],"seeds":[1,2],"validation":200,` +
		`"figures":[{"name":"accuracy","is":"share answered right","better":"higher"},{"name":"NLL","is":"nats","better":"lower"}],` +
		`"interval":"95 %","rows":[{"settings":["0"],"runs":["a","b"],"figures":[{"mean":0.5,"low":0.4,"high":0.6,"values":[0.4,0.6]},{"mean":1,"low":1,"high":1,"values":[1,1]}]}]}`
	var table study.SweepTable
	if err := json.Unmarshal([]byte(stored), &table); err != nil {
		t.Fatal(err)
	}
	if m := table.Metrics; len(m) != 2 || !m[0].HigherIsBetter || m[1].HigherIsBetter || m[0].Definition != "share answered right" || table.Rows[0].Metrics[0].Mean != .5 {
		t.Errorf("read as %+v", table)
	}
	again, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	if _, rest, _ := strings.Cut(stored, `"grid"`); !strings.HasSuffix(string(again), rest) {
		t.Errorf("written as %s", again)
	}
	var m study.Metric
	if err := json.Unmarshal([]byte(`{"name":"ECE","better":"sideways"}`), &m); err == nil || !strings.Contains(err.Error(), "higher or lower") {
		t.Errorf("a metric without a direction: %v", err)
	}
}

// The t-interval of 1, 2 and 3 is 2 ± 4.3027·1/√3 (t of 2 degrees of freedom, R's
// qt(.975, 2) = 4.302653).
func TestEstimateAsText(t *testing.T) {
	for _, c := range []struct {
		values []float64
		half   float64
		text   string
	}{
		{[]float64{1, 2, 3}, 2.484138, "2.00 [-0.48, 4.48]"},
		{[]float64{2}, 0, "2.00"},
		{nil, math.NaN(), "-"},
	} {
		e := study.NewEstimate(c.values)
		if half := e.High - e.Mean; math.Abs(half-c.half) > 1e-6 || e.Format(2) != c.text {
			t.Errorf("%v: %+v, as text %q", c.values, e, e.Format(2))
		}
	}
}

// Titles and colors are those of the method, whatever it is called.
func TestMethods(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range study.Methods() {
		if found, err := study.FindMethod(m.Name); err != nil || found != m || m.Title == "" || m.Color == nil || seen[m.Name] {
			t.Errorf("%+v is found as %+v (%v)", m, found, err)
		}
		seen[m.Name] = true
	}
	if title := study.Title("ng-ebm-paper"); title != "NG-EBM, paper's weights" || study.Title("jem") != "jem" || study.Title("mine") != "mine" {
		t.Errorf("title %q", title)
	}
	if _, err := study.FindMethod("jm"); err == nil || !strings.Contains(err.Error(), `unknown method "jm"`) {
		t.Errorf("%v", err)
	}
}
