package plots

import (
	"slices"
	"testing"

	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/study"
	"ngebm/ngebm/study/published"
)

// A study's rows become what figures draw: titles, colors and values of all seeds.
func TestRowsAsPanels(t *testing.T) {
	r, err := published.Read("cifar10-cpu")
	if err != nil {
		t.Fatal(err)
	}
	rows, ece := r.Rows(), study.Calibration("ECE")
	mean, whole := MeanPanel("ECE", "15 bins", rows, ece), RangePanel("ECE", "15 bins", rows, ece)
	for i, row := range rows {
		a, b, e := mean.Estimates[i], whole.Estimates[i], row.Estimate(ece)
		if a.Name != row.Title || a.Color != row.Color || !slices.Equal(a.Seeds, e.Values) || (a.Interval == nil) != (len(e.Values) == 1) {
			t.Errorf("estimate %+v of %+v", a, e)
		}
		if a.Interval != nil && *a.Interval != (bootstrap.Interval{Low: e.Low, High: e.High}) {
			t.Errorf("estimate %+v of %+v", a, e)
		}
		if !slices.Equal(b.Seeds, a.Seeds) || (b.Interval == nil) != (row.Range(ece) == nil) {
			t.Errorf("estimate %+v with the range %v", b, row.Range(ece))
		}
	}
	alone, same := rows[0], rows[0]
	alone.Results, same.Results = rows[0].Results[:1], []*study.Result{rows[0].Results[0], rows[0].Results[0]}
	for i, e := range MeanPanel("ECE", "15 bins", []study.Row{alone, same}, ece).Estimates {
		if e.Interval != nil {
			t.Errorf("row %d has an interval, of the values %v", i, e.Seeds)
		}
	}
	if first := FirstSeeds(rows); len(first) != len(rows) || first[1].Report != rows[1].Results[0].Calibration || first[1].Name != rows[1].Title {
		t.Errorf("calibrations of the first seeds: %+v", first)
	}
	p := AttackPanel("PGD", In255ths, rows, attack.Linf)
	if n := len(r.Runs); len(p.Runs) != n || len(p.Worst) != n || p.Runs[n-1].Name != rows[len(rows)-1].Title || p.Runs[0].Curve.Norm != attack.Linf || len(AttackPanel("PGD", In255ths, rows, attack.L2).Worst) != 0 {
		t.Errorf("%d curves, %d of the ensemble", len(p.Runs), len(p.Worst))
	}
	for _, draw := range []func() (*Figure, error){
		func() (*Figure, error) { return Summary(mean) },
		func() (*Figure, error) { return Reliability(FirstSeeds(rows)...) },
		func() (*Figure, error) { return Robustness(p) },
	} {
		if _, err := draw(); err != nil {
			t.Error(err)
		}
	}
}

// Values by severity become one line for each seed.
func TestShiftPanels(t *testing.T) {
	shift := func(accuracies ...float64) []measure.Shift {
		one := measure.Shift{Kind: "contrast"}
		for _, a := range accuracies {
			one.Reports = append(one.Reports, &calibration.Report{Metrics: calibration.Metrics{Accuracy: a}})
		}
		return []measure.Shift{one}
	}
	all := []study.Shifted{{Title: "mine", Seeds: []uint64{1, 2}, Shifts: [][]measure.Shift{shift(.9, .5), shift(.8, .4)}}}
	panels := ShiftPanels(all, study.Calibration("accuracy"), "contrast", "jpeg")
	if len(panels) != 2 || len(panels[0].Runs) != 2 || len(panels[1].Runs) != 0 {
		t.Fatalf("%+v", panels)
	}
	if r := panels[0].Runs[1]; r.Name != "mine" || !slices.Equal(r.Values, []float64{.8, .4}) {
		t.Errorf("the second seed is %+v", r)
	}
	short := []study.Shifted{{Title: "mine", Seeds: []uint64{1, 2}, Shifts: [][]measure.Shift{shift(.9, .5), shift(.8)}}}
	if _, err := Severities("accuracy", "", ShiftPanels(short, study.Calibration("accuracy"), "contrast")...); err == nil {
		t.Error("seeds with different severities are drawn")
	}
}
