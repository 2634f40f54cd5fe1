package study_test

import (
	"fmt"
	"math"
	"testing"

	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/ood"
	"ngebm/ngebm/study"
)

// ofSeeds is a row whose ECE by seed is given.
func ofSeeds(eces ...float64) study.Row {
	row := study.Row{}
	for i, ece := range eces {
		row.Results = append(row.Results, &study.Result{Seed: uint64(i + 1), Calibration: &calibration.Report{Metrics: calibration.Metrics{ECE: ece}}})
	}
	return row
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-9*max(1, math.Abs(want))) {
		t.Errorf("%s: %.12g, want %.12g", what, got, want)
	}
}

// The paired t-test is scipy 1.17.1's ttest_1samp of the logarithms of the ratios, with its
// confidence interval; of differences it is that of the delta method (numpy, scipy's t).
func TestComparisonsEqualScipy(t *testing.T) {
	ece := study.Calibration("ECE")
	d := study.Difference(ofSeeds(.11, .13, .12, .15), ofSeeds(.1, .1, .1, .1), ece)
	near(t, "mean difference", d.Mean, .0275)
	near(t, "its p", d.P, 0.0486269926649361)
	r := study.Ratio(ofSeeds(.15, .25, .09, .18), ofSeeds(.1, .1, .1, .1), ece)
	near(t, "ratio", r.Mean, 1.5699527090882)
	near(t, "its p", r.P, 0.12501568480183)
	near(t, "low", r.Low, 0.79588475452039)
	near(t, "high", r.High, 3.096869860585)
	if d.Shows() != 1 || r.Shows() != 0 || study.Difference(ofSeeds(.1), ofSeeds(.2), ece).Shows() != 0 {
		t.Errorf("a difference of p %v shows %d, a ratio of p %v %d", d.P, d.Shows(), r.P, r.Shows())
	}
	if swapped := study.Ratio(ofSeeds(.1, .1, .1), ofSeeds(.2, .21, .22), ece); swapped.Shows() != -1 {
		t.Errorf("half as large shows %d (p %v)", swapped.Shows(), swapped.P)
	}
}

// R's p.adjust(c(.01, .04, .03, .005), "holm") is .03, .06, .06, .02.
func TestHolm(t *testing.T) {
	nan := math.NaN()
	for _, c := range [][2][]float64{
		{{.01, .04, .03, .005}, {.03, .06, .06, .02}},
		{{.6, .7}, {1, 1}},
		{{.01, nan}, {.02, nan}},
		{nil, nil},
	} {
		var family []study.Comparison
		for _, p := range c[0] {
			family = append(family, study.Comparison{P: p})
		}
		for i, adjusted := range study.Holm(family...) {
			if want := c[1][i]; math.Abs(adjusted.P-want) > 1e-12 || math.IsNaN(adjusted.P) != math.IsNaN(want) {
				t.Errorf("of %v, %v is adjusted to %v, want %v", c[0], c[0][i], adjusted.P, want)
			}
			if math.IsNaN(c[0][i]) != math.IsNaN(family[i].P) {
				t.Error("the family was changed")
			}
		}
	}
}

// Intervals of differences of bounded metrics stay between -1 and 1, and agree with P, however
// large they are: mean, interval and p by numpy 2.4.6 and scipy 1.17.1's t.
func TestDifferenceOfBounded(t *testing.T) {
	auroc := study.AUROC("noise", "kNN")
	for _, c := range []struct {
		values             []float64 // minus those of a row of zeros
		mean, low, high, p float64
	}{
		{[]float64{0.9, 0.3, 0.54}, 0.58, -0.436603994796286, 0.94607131245504, 0.127828118883971},
		{[]float64{-0.2, -0.25, -0.22, -0.3}, -0.2425, -0.310374943050748, -0.172165008727907, 0.00174097477011639},
		{[]float64{0.85, 0.99, 0.96, 0.999}, 0.94975, 0.614274793899517, 0.994455809578835, 0.0136139315321873},
		{[]float64{0.1, -0.2, 0.02}, -0.0266666666666667, -0.390895061339316, 0.344782452959406, 0.794355622644277},
	} {
		var a, b study.Row
		for i, v := range c.values {
			for row, v := range map[*study.Row]float64{&a: max(v, 0), &b: max(-v, 0)} {
				row.Results = append(row.Results, &study.Result{Seed: uint64(i), Detection: []study.Detection{{Set: "noise", Score: "kNN", Report: ood.Report{Metrics: ood.Metrics{AUROC: v}}}}})
			}
		}
		d := study.Difference(a, b, auroc)
		near(t, "mean", d.Mean, c.mean)
		near(t, "low", d.Low, c.low)
		near(t, "high", d.High, c.high)
		near(t, "p", d.P, c.p)
		if excludes := d.Low > 0 || d.High < 0; excludes != (d.Shows() != 0) {
			t.Errorf("%v: [%v, %v] shows %d", c.values, d.Low, d.High, d.Shows())
		}
		// A metric that does not say its range, and one that is told it.
		custom := study.Custom("AUROC", "", func(r *study.Result) float64 { return auroc(r).Value })
		if linear := study.Difference(a, b, custom); math.Abs(linear.High+linear.Low-2*linear.Mean) > 1e-12 {
			t.Errorf("%v: the linear interval is [%v, %v]", c.values, linear.Low, linear.High)
		}
		if told := study.Difference(a, b, custom.WithScale(bootstrap.Share)); told.Low != d.Low || told.P != d.P {
			t.Errorf("%v: [%v, %v] of a metric that is told its range", c.values, told.Low, told.High)
		}
	}
}

// Equal values have no interval, and say so; equal differences have the sign test's p.
func TestEqualSeeds(t *testing.T) {
	ece := study.Calibration("ECE")
	for n, p := range map[int]float64{2: .5, 3: .25, 10: 1. / 512} {
		a, b := make([]float64, n), make([]float64, n)
		for i := range n {
			b[i] = float64(i+1) / 16
			a[i] = b[i] + .1
		}
		d := study.Difference(ofSeeds(a...), ofSeeds(b...), ece)
		near(t, "p", d.P, p)
		if got, want := d.Format(2), fmt.Sprintf("0.10 (all %d equal)", n); got != want || !d.Equal() {
			t.Errorf("%q, want %q", got, want)
		}
	}
	same := ofSeeds(.1, .1, .1)
	if d := study.Difference(same, same, ece); d.P != 1 || d.Format(1) != "0.0 (all 3 equal)" {
		t.Errorf("a difference of nothing: %v, p %v", d.Format(1), d.P)
	}
	if got := study.Ratio(ofSeeds(.2, .2, .2), same, ece).InWords(); got != "2.00 times smaller, in 3 of 3 seeds; not settled" {
		t.Errorf("%q", got)
	}
}

// A ratio of which one side is 0 says nothing of how much the ratios of other seeds differ.
func TestRatioOfZero(t *testing.T) {
	ece := study.Calibration("ECE")
	some, zero, zeros := ofSeeds(.2, .3, .1, .4, .2, .3), ofSeeds(.1, 0, .1, .1, .1, .1), ofSeeds(0, 0, 0, 0, 0, 0)
	for name, c := range map[string]struct {
		a, b  study.Row
		words string
	}{
		"one is infinite": {some, zero, "+Inf times smaller [0.00, +Inf], in 6 of 6 seeds; not settled"},
		"one is 0":        {zero, some, "+Inf times larger [0.00, +Inf], in 5 of 6 seeds; not settled"},
		"all are 0":       {zeros, some, "+Inf times larger, in 6 of 6 seeds; not settled"},
		"one of each":     {ofSeeds(0, .2, .3), ofSeeds(.1, 0, .1), "NaN times smaller [NaN, NaN], in 2 of 3 seeds; not settled"},
	} {
		if r := study.Ratio(c.a, c.b, ece); !math.IsNaN(r.P) || r.InWords() != c.words {
			t.Errorf("%s: %q, p %v", name, r.InWords(), r.P)
		}
	}
	if e := study.NewEstimate([]float64{1, 2, math.Inf(1)}); e.Equal() {
		t.Errorf("%v are equal", e.Values)
	}
}

// Intervals over seeds stay in the metric's range (values by numpy 2.4.6 and scipy's t).
func TestEstimateOn(t *testing.T) {
	for _, c := range []struct {
		scale     bootstrap.Scale
		values    []float64
		low, high float64
	}{
		{bootstrap.Share, []float64{.97, .99, .999}, 0.823984596049675, 0.9991020419546701},
		{bootstrap.Positive, []float64{.1, .4, .2}, 0.045888666750906804, 1.1864464212913435},
		{bootstrap.Share, []float64{1, 1, 1}, 1, 1},
		{bootstrap.Gap, []float64{0, 0}, 0, 0},
		{bootstrap.Share, []float64{.4}, .4, .4},
		{bootstrap.Linear, []float64{1, 3}, 2 - 12.706204736432, 2 + 12.706204736432},
	} {
		e := study.NewEstimateOn(c.scale, c.values)
		near(t, "low", e.Low, c.low)
		near(t, "high", e.High, c.high)
	}
	if e := ofSeeds(.01, .09).Estimate(study.Calibration("ECE")); !(e.Low >= 0 && e.High <= 1) {
		t.Errorf("the ECE's interval is %+v", e)
	}
	// Every metric that is bounded says so: two seeds that differ much.
	var row study.Row
	for _, v := range []float64{.02, .98} {
		r := &study.Result{Run: "01", Detection: []study.Detection{{Set: "noise", Score: "kNN", Group: study.Near, Report: ood.Report{Metrics: ood.Metrics{AUROC: v}}}}}
		r.Energy.Deviation, r.GradientNorm.Mean = v, v
		row.Results = append(row.Results, r)
	}
	auroc := study.AUROC("noise", "kNN")
	for name, of := range map[string]study.MetricOf{
		"a group": study.GroupMetric(study.Near, "kNN", "AUROC"), "a mean": study.MeanOver("mean", auroc, auroc),
		"the energy's deviation": study.EnergyDeviation(), "the gradient norm": study.MeanGradientNorm(),
	} {
		if e := row.Estimate(of); !(e.Low > 0) || e.Mean != .5 {
			t.Errorf("%s: the interval is %+v", name, e)
		}
	}
}
