package plots

import (
	"math"
	"strings"
	"testing"

	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/ood"
)

// degenerateEval are the figures of what was measured of models.
func degenerateEval(t *testing.T) map[string]degenerateCases {
	nan, inf := math.NaN(), math.Inf(1)

	bars := func(fault, says string, all ...Bar) degenerate {
		return degenerate{fault, func() (*Figure, error) { return Bars("title", "unit", all...) }, says}
	}
	confused := func(fault, says string, classes []string, counts ...[]int) degenerate {
		return degenerate{fault, func() (*Figure, error) { return Confusion("title", classes, counts) }, says}
	}
	two := []string{"1", "2"}
	report := func(ece float64, bins ...calibration.Bin) *calibration.Report {
		return &calibration.Report{Reliability: bins, Metrics: calibration.Metrics{ECE: ece}}
	}
	calibrated := func(fault, says string, r *calibration.Report) degenerate {
		return degenerate{fault, func() (*Figure, error) { return Reliability(Calibration{Name: "run", Report: r}) }, says}
	}
	whole := calibration.Bin{Low: 0, High: 1, Count: 4, Confidence: .9, Accuracy: .5}
	never := report(0, whole)
	never.Intervals = map[string]bootstrap.Interval{"ECE": {Low: 0, High: nan}}

	risk := func(fault, says string, aurc float64, points ...calibration.RiskPoint) degenerate {
		return degenerate{fault, func() (*Figure, error) { return RiskCoverage(RiskCurve{Name: "run", Points: points, AURC: aurc}) }, says}
	}
	at := func(coverage, risk float64) calibration.RiskPoint {
		return calibration.RiskPoint{Coverage: coverage, Risk: risk}
	}

	all := []ood.Point{{TPR: 1, FPR: 1, Precision: .5}}
	detection := func(draw func(...DetectionPanel) (*Figure, error)) degenerateCases {
		row := func(fault, says string, points []ood.Point, r *ood.Report) degenerate {
			return degenerate{fault, func() (*Figure, error) {
				return draw(DetectionPanel{"set", []Detection{{Name: "px", Points: points, Report: r}}})
			}, says}
		}
		of := func(v float64) *ood.Report { return &ood.Report{Metrics: ood.Metrics{AUROC: v, AUPRIn: v}} }
		return degenerateCases{[]degenerate{
			{"nothing", func() (*Figure, error) { return draw() }, "no detection"},
			{"nothing", func() (*Figure, error) { return draw(DetectionPanel{Title: "set"}) }, `"set" has no detections`},
			row("nothing", "lacks its points or its report", nil, of(.5)), row("nothing", "lacks its points", all, nil),
			row("one", "", all, of(.5)),
			row("all equal", "", []ood.Point{all[0], all[0]}, of(.5)),
			row("NaN", "AUROC of NaN", all, of(nan)),
			row("NaN", `point 1 of "px"`, []ood.Point{{TPR: nan}}, of(.5)),
			row("infinite", "AUROC of +Inf", all, of(inf)),
			row("infinite", `point 1 of "px"`, []ood.Point{{TPR: inf}}, of(.5)),
		}, []string{"one class", "one bin", "mismatched", "no size"}}
	}

	robust := func(fault, says string, c *attack.Curve) degenerate {
		return degenerate{fault, func() (*Figure, error) {
			return Robustness(RobustPanel{Title: "L∞", Runs: []RobustRun{{Name: "run", Curve: c}}})
		}, says}
	}
	pgd := func(clean float64, epsilons ...float64) *attack.Curve {
		return falling("PGD", attack.Linf, 10, clean, .1, epsilons...)
	}

	scores := func(fault, says string, in, out []float64) degenerate {
		p := ScorePanel{Title: "px", In: Scores{"in", in}}
		if out != nil {
			p.Out = []Scores{{"out", out}}
		}
		return degenerate{fault, func() (*Figure, error) { return ScoreHistograms(p) }, says}
	}
	severe := func(fault, says string, runs ...[]float64) degenerate {
		p := SeverityPanel{Title: "fog"}
		for _, values := range runs {
			p.Runs = append(p.Runs, SeverityRun{Name: "run", Values: values})
		}
		return degenerate{fault, func() (*Figure, error) { return Severities("accuracy", "", p) }, says}
	}

	panel := func(values ...float64) SummaryPanel {
		p := SummaryPanel{Title: "NLL"}
		for i, v := range values {
			p.Estimates = append(p.Estimates, Estimate{Name: []string{"cross-entropy", "NG-EBM"}[i], Seeds: []float64{v}})
		}
		return p
	}
	endless := panel(1)
	endless.Estimates[0].Interval = &bootstrap.Interval{Low: 0, High: inf}
	costs := map[string]float64{"cross-entropy": 1, "NG-EBM": 2}
	// The same estimates in both functions that take them.
	rows := func(draw func(SummaryPanel) (*Figure, error)) []degenerate {
		row := func(fault, says string, p SummaryPanel) degenerate {
			return degenerate{fault, func() (*Figure, error) { return draw(p) }, says}
		}
		return []degenerate{
			row("nothing", `"NLL" has no estimates`, panel()),
			row("nothing", `NLL of "run" has no values`, SummaryPanel{Title: "NLL", Note: "", Estimates: []Estimate{{Name: "run"}}}),
			row("one", "", panel(.3)),
			row("all equal", "", panel(2, 2)), row("all equal", "", panel(0, 0)), row("all equal", "", panel(1e12, 1e12)), row("all equal", "", panel(0, 5e-324)),
			row("NaN", "is NaN", panel(nan)),
			row("infinite", "is +Inf", panel(inf)), row("infinite", "is +Inf", endless), row("infinite", "is 1.7e+308", panel(1.7e308)),
			row("infinite", "", panel(1e-300, 1e300)), row("infinite", "", panel(-1e300, 1e300)), row("infinite", "", panel(5e-324, 1)),
		}
	}
	cost := func(fault, says string, costs map[string]float64) degenerate {
		return degenerate{fault, func() (*Figure, error) { return Tradeoff("cost", costs, panel(.3, .4)) }, says}
	}
	return map[string]degenerateCases{
		"Bars": {[]degenerate{
			bars("nothing", "no bars"), bars("one", "", Bar{Name: "run", Value: 1, Label: "1"}), bars("one", "", Bar{}),
			bars("one", "", Bar{Name: "run", Value: 1, Label: strings.Repeat("a long label ", 40)}),
			bars("all equal", "", Bar{Name: "a", Value: 0, Label: ""}, Bar{Name: "b", Value: 0, Label: ""}), bars("all equal", "", Bar{Name: "a", Value: 5e-324, Label: ""}),
			bars("NaN", `the bar of "run" is NaN`, Bar{Name: "run", Value: nan, Label: ""}),
			bars("infinite", `the bar of "run" is +Inf`, Bar{Name: "run", Value: inf, Label: ""}), bars("infinite", "", Bar{Name: "run", Value: 1e300, Label: ""}),
		}, []string{"one class", "one bin", "mismatched", "no size"}},
		"Confusion": {[]degenerate{
			confused("nothing", "of 0 classes", nil), confused("nothing", "", two, []int{0, 0}, []int{0, 0}),
			confused("one", "", two, []int{1, 0}, []int{0, 0}), confused("one class", "of 1 classes", []string{"a"}, []int{4}),
			confused("all equal", "", two, []int{7, 7}, []int{7, 7}), confused("infinite", "", two, []int{math.MaxInt64 / 4, 0}, []int{0, 1}),
			confused("infinite", "of 101 classes", make([]string, 101)),
			confused("mismatched", "of 1 rows for 2 classes", two, []int{1, 2}), confused("mismatched", "row 1 (2) of a confusion matrix has 1 counts", two, []int{1, 2}, []int{1}),
			confused("mismatched", "counts -1 examples of 1 as 2", two, []int{1, -1}, []int{1, 1}),
		}, []string{"NaN", "one bin", "no size"}},
		"Reliability": {[]degenerate{
			{"nothing", func() (*Figure, error) { return Reliability() }, "no method"},
			calibrated("nothing", "has no bins to draw", nil), calibrated("nothing", "has no bins to draw", report(0)),
			calibrated("nothing", "are empty", report(0, calibration.Bin{High: 1})),
			calibrated("one", "", report(0, calibration.Bin{High: .5}, calibration.Bin{Low: .5, High: 1, Count: 1, Confidence: 1})),
			calibrated("one class", "", report(0, calibration.Bin{High: 1, Count: 9, Confidence: 1, Accuracy: 1})),
			calibrated("all equal", "", report(0, calibration.Bin{High: 1, Count: 9, Confidence: .5, Accuracy: .5})),
			calibrated("NaN", "ECE NaN", report(nan, whole)), calibrated("NaN", `bin 1 of "run"`, report(0, calibration.Bin{High: 1, Count: 1, Confidence: nan})),
			calibrated("NaN", "the interval of ECE", never),
			calibrated("infinite", "ECE +Inf", report(inf, whole)),
			calibrated("one bin", "", report(.4, whole)),
			calibrated("no size", `bin 1 of "run"`, report(0, calibration.Bin{Low: .5, High: .5, Count: 1})),
		}, []string{"mismatched"}},
		"RiskCoverage": {[]degenerate{
			{"nothing", func() (*Figure, error) { return RiskCoverage() }, "no risk-coverage curve"},
			risk("nothing", "has no points", 0), risk("one", "", .2, at(1, .2)),
			risk("one class", "", 0, at(.5, 0), at(1, 0)),
			risk("all equal", "", .5, at(1, .5), at(1, .5)),
			risk("NaN", "point 1", 0, at(1, nan)), risk("NaN", "AURC of \"run\" is NaN", nan, at(1, 0)),
			risk("infinite", "point 1", 0, at(inf, 0)), risk("infinite", "is +Inf", inf, at(1, 0)),
		}, []string{"one bin", "mismatched", "no size"}},
		"ROC":             detection(ROC),
		"PrecisionRecall": detection(PrecisionRecall),
		"Robustness": {[]degenerate{
			{"nothing", func() (*Figure, error) { return Robustness() }, "no accuracy against ε"},
			{"nothing", func() (*Figure, error) { return Robustness(RobustPanel{Title: "L∞"}) }, "has no runs"},
			robust("nothing", "pass a curve of package attack", nil), robust("nothing", "pass a curve", pgd(1)),
			robust("one", "", pgd(1, .1)), robust("all equal", "", pgd(0, .1, .2)),
			robust("NaN", "is no accuracy", pgd(nan, .1)), robust("NaN", "at ε = NaN", pgd(1, nan)),
			robust("infinite", "at ε = +Inf", pgd(1, inf)),
			{"mismatched", func() (*Figure, error) {
				return Robustness(RobustPanel{Title: "L∞", Runs: []RobustRun{{Name: "run", Curve: pgd(1, .1)}, {Name: "run", Curve: pgd(1, .1, .2)}}})
			}, "seeds must be attacked alike"},
			robust("no size", "must ascend, but 0 is at index 0", pgd(1, 0)),
		}, []string{"one class", "one bin"}},
		"ScoreHistograms": {[]degenerate{
			{"nothing", func() (*Figure, error) { return ScoreHistograms() }, "no scores"},
			scores("nothing", `"px" has no scores on "in"`, nil, nil), scores("nothing", `no scores on "out"`, []float64{1}, []float64{}),
			scores("one", "", []float64{3}, nil), scores("one", "", []float64{3}, []float64{4}),
			scores("all equal", "", []float64{1e9, 1e9}, []float64{1e9}), scores("all equal", "", []float64{0, 0}, nil),
			scores("one bin", "", []float64{0, 1e-310, 5e-324}, nil), scores("one bin", "", append(bell(500, 0, 1), 1e30), nil),
			scores("NaN", "score 1 of", []float64{0, nan}, nil),
			scores("infinite", "is -Inf", []float64{-inf}, nil), scores("infinite", "is 1.7e+308", []float64{-1, 1.7e308}, nil), scores("infinite", "", []float64{-1e300, 1e300}, nil),
		}, []string{"one class", "mismatched", "no size"}},
		"Severities": {[]degenerate{
			{"nothing", func() (*Figure, error) { return Severities("accuracy", "") }, "no metric against severity"},
			severe("nothing", "has no runs"), severe("nothing", "has 0 values", []float64{}),
			severe("one", "give the set's own and one for each severity", []float64{1}), severe("one", "", []float64{1, .5}),
			severe("all equal", "", []float64{1, 1, 1}), severe("all equal", "", []float64{0, 0}),
			severe("NaN", "is NaN at severity 1", []float64{1, nan}), severe("infinite", "is +Inf at severity 0", []float64{inf, 1}),
			severe("mismatched", "has 3 values", []float64{1, 1}, []float64{1, 1, 1}),
		}, []string{"one class", "one bin", "no size"}},
		"Summary": {append(rows(func(p SummaryPanel) (*Figure, error) { return Summary(p) }),
			degenerate{"nothing", func() (*Figure, error) { return Summary() }, "no metrics"},
			degenerate{"mismatched", func() (*Figure, error) { return Summary(panel(.3, .4), panel(.3)) }, ""},
		), []string{"one class", "one bin", "no size"}},
		"Tradeoff": {append(rows(func(p SummaryPanel) (*Figure, error) { return Tradeoff("cost", costs, p) }),
			degenerate{"nothing", func() (*Figure, error) { return Tradeoff("cost", costs) }, "no metrics"},
			cost("all equal", "", map[string]float64{"cross-entropy": 3, "NG-EBM": 3}),
			cost("NaN", "is NaN: it must be a finite number above 0", map[string]float64{"cross-entropy": nan}),
			cost("infinite", "is +Inf: it must be", map[string]float64{"cross-entropy": inf}),
			cost("infinite", "", map[string]float64{"cross-entropy": 1e-200, "NG-EBM": 1e200}),
			cost("mismatched", `the cost of "NG-EBM" is not given`, map[string]float64{"cross-entropy": 1}),
			cost("no size", "is 0: it must be", map[string]float64{"cross-entropy": 0}),
		), []string{"one class", "one bin"}},
	}
}
