package study_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/ood"
	"ngebm/ngebm/study"
	"ngebm/ngebm/study/published"
)

// calibrated is a report of an accuracy, and of an ECE before and after temperature scaling.
func calibrated(accuracy, ece, after float64) *calibration.Report {
	interval := func(v float64) map[string]bootstrap.Interval {
		return map[string]bootstrap.Interval{"ECE": {Low: v - .01, High: v + .01}}
	}
	scaled := &calibration.Report{Metrics: calibration.Metrics{Accuracy: accuracy, ECE: after}, Intervals: interval(after)}
	return &calibration.Report{Metrics: calibration.Metrics{Accuracy: accuracy, ECE: ece}, Intervals: interval(ece),
		Calibrated: &calibration.Calibrated{TOpt: 1.5, ECEAfterT: after, AfterT: scaled}}
}

// twoRows are two methods with two seeds.
func twoRows() []study.Row {
	row := func(title string, reports ...*calibration.Report) study.Row {
		r := study.Row{Title: title}
		for i, c := range reports {
			auroc := ood.Report{}
			auroc.AUROC = .5 + float64(i)/10
			r.Results = append(r.Results, &study.Result{Seed: uint64(i + 1), Calibration: c,
				Sets:      []study.DatasetInfo{{}, {}, {Name: "digits"}},
				Detection: []study.Detection{{Set: "digits, rotated", Score: "px", Report: auroc}},
				Robustness: []*attack.Curve{{Norm: attack.Linf, Clean: attack.Point{Accuracy: .9, Low: .8, High: .95},
					Points: []attack.Point{{Accuracy: .4, Low: .3, High: .5}}}},
			})
		}
		return r
	}
	return []study.Row{
		row("cross-entropy", calibrated(.9, .06, .02), calibrated(.8, .04, .03)),
		row("NG-EBM", calibrated(.95, .02, .02), calibrated(.85, .03, .01)),
	}
}

// A row reads every metric; what was not measured is NaN and has no range.
func TestRow(t *testing.T) {
	row := twoRows()[0]
	for _, c := range []struct {
		name      string
		of        study.MetricOf
		mean      float64
		low, high float64 // NaN for no range
	}{
		{"ECE", study.Calibration("ECE"), .05, .03, .07},
		{"ECE at T", study.AtT("ECE"), .025, .01, .04},
		{"accuracy without intervals", study.Calibration("accuracy"), .85, math.NaN(), math.NaN()},
		{"temperature", study.Temperature(), 1.5, math.NaN(), math.NaN()},
		{"AUROC of a kind", study.SynthesizedAUROC("rotated", "px"), .55, math.NaN(), math.NaN()},
		{"AUROC of another kind", study.SynthesizedAUROC("inverted", "px"), math.NaN(), math.NaN(), math.NaN()},
		{"robust accuracy", study.RobustAccuracy(attack.Linf, false, 0), .4, .3, .5},
		{"accuracy of the attacked examples", study.UnattackedAccuracy(attack.Linf), .9, .8, .95},
		{"accuracy without a curve", study.UnattackedAccuracy(attack.L2), math.NaN(), math.NaN(), math.NaN()},
	} {
		low, high := math.NaN(), math.NaN()
		if r := row.Range(c.of); r != nil {
			low, high = r.Low, r.High
		}
		for _, pair := range [][2]float64{{row.Mean(c.of), c.mean}, {low, c.low}, {high, c.high}} {
			if got, want := pair[0], pair[1]; math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: mean %v, from %v to %v; want %v, from %v to %v", c.name, row.Mean(c.of), low, high, c.mean, c.low, c.high)
				break
			}
		}
	}
	if e := row.Estimate(study.Calibration("ECE")); e.Mean != row.Mean(study.Calibration("ECE")) || !(e.Low < .04) {
		t.Errorf("estimate %+v", e)
	}
	scaled := row.AfterT()
	if v := scaled.Values(study.Calibration("ECE")); !slices.Equal(v, []float64{.02, .03}) {
		t.Errorf("ECE after temperature scaling %v", v)
	}
	for name, of := range map[string]study.MetricOf{"temperature": study.Temperature(), "ECE at T": study.AtT("ECE"), "AUROC": study.SynthesizedAUROC("rotated", "px")} {
		if v := scaled.Mean(of); !math.IsNaN(v) {
			t.Errorf("after temperature scaling, %s is %v", name, v)
		}
	}
	if again := scaled.AfterT(); len(again.Results) != 0 {
		t.Errorf("scaled twice: %+v", again)
	}
}

// Rows of published results have the estimates, titles and colors of the results.
func TestRowsOfResults(t *testing.T) {
	r, err := published.Read("cifar10-cpu")
	if err != nil {
		t.Fatal(err)
	}
	rows := r.Rows()
	methods := slices.DeleteFunc(slices.Clone(r.Methods), func(m string) bool { return len(r.Of(m)) == 0 })
	if len(rows) != len(methods) || len(rows) < 5 {
		t.Fatalf("%d rows of %d methods", len(rows), len(methods))
	}
	for i, row := range rows {
		want := r.Estimate(methods[i], study.Calibration("ECE"))
		if got := row.Estimate(study.Calibration("ECE")); got.Mean != want.Mean || got.High != want.High || row.Title != study.Title(methods[i]) || row.Color == nil {
			t.Errorf("%s: %+v, not %+v", row.Title, got, want)
		}
	}
	for _, line := range []string{"preset     cifar10-cpu\n", "\ntest       10000 examples of CIFAR-10 (JPEG), lossy, SHA-256 bebd212f8722…\n", "\nnetwork    wrn-10-2, 303466 weights\n", "\nseeds      [1 2 3 4 5], weights"} {
		if !strings.Contains(r.Setup(), line) {
			t.Errorf("the set-up lacks %q:\n%s", line, r.Setup())
		}
	}
	if empty := (&study.Results{Plan: study.Plan{Preset: "none"}}).Setup(); empty != "preset     none\n" {
		t.Errorf("the set-up without runs: %q", empty)
	}
	if one := r.Rows("ng-ebm-paper"); len(one) != 1 || len(one[0].Results) != 5 {
		t.Errorf("rows of one method: %+v", one)
	}
}

// Under corruption a method has a row at each severity, before and after temperature
// scaling.
func TestShiftedRows(t *testing.T) {
	shift := measure.Shift{Kind: "contrast", Reports: []*calibration.Report{calibrated(.9, .05, .02), calibrated(.6, .3, .2)}}
	s := study.Shifted{Title: "cross-entropy", Seeds: []uint64{1, 2}, Shifts: [][]measure.Shift{{shift}, {shift}}}
	if n := s.Severities("contrast"); n != 2 || s.Severities("jpeg") != 0 {
		t.Errorf("%d severities", n)
	}
	if v := s.At("contrast", 1).Values(study.Calibration("accuracy")); !slices.Equal(v, []float64{.6, .6}) {
		t.Errorf("accuracies at severity 1: %v", v)
	}
	if r := s.AfterT().At("contrast", 1).Results; r[0].Seed != 1 || r[1].Seed != 2 { // else comparisons pair the wrong runs
		t.Errorf("seeds %d and %d", r[0].Seed, r[1].Seed)
	}
	for _, severity := range []int{-1, 2} {
		if v := s.At("contrast", severity).Results; len(v) != 0 {
			t.Errorf("severity %d: %v", severity, v)
		}
	}
	after := s.AfterT()
	if v := after.At("contrast", 1).Mean(study.Calibration("ECE")); after.Title != "cross-entropy + temperature" || v != .2 {
		t.Errorf("%s: ECE %v", after.Title, v)
	}
}

// Of an experiment that is under way, what is said of seeds and images is true of the runs that
// are there.
func TestPartOfAnExperiment(t *testing.T) {
	p := smallPlan(t)
	r := made(t, p, 1, 1, 2, 3)
	if got := study.HowMany(r.Rows()); got != "3 seeds" {
		t.Errorf("all methods have %q", got)
	}
	if got := study.HowMany(made(t, p, 1, 1).Rows()); got != "1 seed" {
		t.Errorf("with one seed methods have %q", got)
	}
	for _, line := range []string{"\nseeds      [1 2 3],", "\ntrain      0 examples of a, SHA-256 "} {
		if !strings.Contains(r.Setup(), line) {
			t.Errorf("the set-up of all lacks %q:\n%s", line, r.Setup())
		}
	}
	r.Runs = r.Runs[:len(p.Methods)+1]
	for i := range r.Runs {
		r.Runs[i].Sets[0].Checksum = fmt.Sprint("drawn with ", r.Runs[i].Seed)
	}
	if got := study.HowMany(r.Rows()); got != "1 to 2 seeds" {
		t.Errorf("some methods have %q", got)
	}
	for _, line := range []string{"\nseeds      [1 2] of [1 2 3],", "\ntrain      0 examples of a, drawn by each seed\n", "\ntest       0 examples of a, SHA-256 02"} {
		if !strings.Contains(r.Setup(), line) {
			t.Errorf("the set-up of a part lacks %q:\n%s", line, r.Setup())
		}
	}
}

// What the set-up says was measured is what [study.Protocol] draws: each part from the one before.
func TestSetupOfMeasured(t *testing.T) {
	for _, c := range []struct {
		m    study.Protocol
		want string // made has 40 test examples
	}{
		{study.Protocol{OODExamples: 30, AttackExamples: 25, EnsembleExamples: 20, OODKinds: []string{"rotated"}, Linf: []float64{8}}, "; 30 for OOD detection; 25 attacked, 20 of them by the ensemble"},
		{study.Protocol{OODExamples: 20, OODKinds: []string{"rotated"}, Linf: []float64{8}}, "; 20 for OOD detection; 20 attacked, 20 of them by the ensemble"},
		{study.Protocol{OODExamples: 20, AttackExamples: 500, OODDatasets: []string{"svhn"}, L2: []float64{8}}, "; 20 for OOD detection; 20 attacked"},
		{study.Protocol{OODExamples: 20}, ""},
	} {
		p := smallPlan(t)
		p.Measure = c.m
		if setup, line := made(t, p, 1, 1).Setup(), "\nmeasured   40 test examples"+c.want+"\n"; !strings.Contains(setup, line) {
			t.Errorf("the set-up lacks %q:\n%s", line, setup)
		}
	}
}

// What a ratio says in words depends on its interval, and on its P, which Holm adjusts.
func TestComparisonInWords(t *testing.T) {
	for _, c := range []struct {
		e     study.Estimate
		p     float64
		words string
	}{
		{study.Estimate{Mean: 2, Low: 1.5, High: 3, Values: []float64{1.8, 2.2}}, .01, "2.00 times smaller [1.50, 3.00], in 2 of 2 seeds"},
		{study.Estimate{Mean: 2, Low: 1.5, High: 3, Values: []float64{1.8, 2.2}}, .06, "2.00 times smaller [1.50, 3.00], in 2 of 2 seeds; not settled"},
		{study.Estimate{Mean: .5, Low: .2, High: 1.25, Values: []float64{.4, 1.1}}, .2, "2.00 times larger [0.80, 5.00], in 1 of 2 seeds; not settled"},
		{study.Estimate{Mean: 3, Low: math.Inf(-1), High: math.Inf(1), Values: []float64{3}}, math.NaN(), "3.00 times smaller, in 1 of 1 seeds; not settled"},
	} {
		if got := (study.Comparison{Estimate: c.e, P: c.p}).InWords(); got != c.words {
			t.Errorf("%+v: %q", c.e, got)
		}
	}
}
