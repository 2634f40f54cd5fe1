package study_test

import (
	"math"
	"strings"
	"testing"

	"ngebm/ngebm/attack"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/ood"
	"ngebm/ngebm/study"
)

// registered is a plan with one question of every kind.
func registered() study.Registered {
	return study.Registered{
		Plan: study.Plan{
			Base: small(), Methods: []string{"cross-entropy", "ng-ebm"}, Seeds: []uint64{1, 2, 3},
			Measure: study.Protocol{OODKinds: []string{"uniform box"}, Near: []string{"uniform box"}, Linf: []float64{.1, .3}, EnsembleLinf: []float64{.2}},
		},
		Family: []study.Question{
			{Asks: "ratio?", Method: "ng-ebm", Against: "cross-entropy", Metric: "ECE", Ratio: true},
			{Asks: "T?", Method: "ng-ebm", Against: "cross-entropy", Metric: "ECE", AgainstAtT: true},
			{Asks: "near?", Method: "ng-ebm", Against: "cross-entropy", Metric: "AUROC px near"},
			{Asks: "PGD?", Method: "ng-ebm", Against: "cross-entropy", Metric: "PGD Linf 0.3"},
			{Asks: "ensemble?", Method: "ng-ebm", Against: "cross-entropy", Metric: "ensemble Linf 0.2"},
		},
	}
}

// measuredRun is a result with every metric that the questions ask for.
func measuredRun(method string, seed uint64, value float64) study.Result {
	report := func(ece float64) *calibration.Report {
		return &calibration.Report{Metrics: calibration.Metrics{ECE: ece}}
	}
	r := study.Result{Method: method, Seed: seed, Calibration: report(value)}
	r.Calibration.Calibrated = &calibration.Calibrated{AfterT: report(value / 4)}
	r.Detection = []study.Detection{{Score: "px", Group: study.Near, Report: ood.Report{Metrics: ood.Metrics{AUROC: 1 - value}}}}
	r.Robustness = []*attack.Curve{
		{Norm: attack.Linf, Points: []attack.Point{{Epsilon: .1, Accuracy: 1}, {Epsilon: .3, Accuracy: 1 - value}}},
		{Norm: attack.Linf, Kind: attack.KindEnsemble, Points: []attack.Point{{Epsilon: .2 / 255, Accuracy: value}}},
	}
	return r
}

// Each question reads its metric of both methods, and all count in the correction: three
// seeds settle what differs alike in each, one seed settles nothing.
func TestAnswers(t *testing.T) {
	plan := registered()
	if err := plan.Validate(); err != nil {
		t.Fatal(err)
	}
	results := &study.Results{Plan: plan.Plan}
	for seed := range uint64(3) {
		jitter := 1 + float64(seed)/1000
		results.Runs = append(results.Runs, measuredRun("cross-entropy", seed+1, .2), measuredRun("ng-ebm", seed+1, .1*jitter))
	}
	answers, err := plan.Answers(results)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{2 / 1.001, .0501, .0999, .0999, -.0999} {
		if got := answers[i]; math.Abs(got.Mean-want) > 1e-4 || got.Shows() == 0 || got.P < 5e-7 {
			t.Errorf("%s %.6f (p %.3g), want %.6f and settled", plan.Family[i].Asks, got.Mean, got.P, want)
		}
	}
	results.Runs = results.Runs[:2]
	if answers, err = plan.Answers(results); err != nil || answers[0].Shows() != 0 || !math.IsNaN(answers[0].P) {
		t.Errorf("one seed: %+v, %v", answers, err)
	}
}

// A question about what the plan does not measure is refused before anything is trained.
func TestRegisteredNamesWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		change func(*study.Question)
		want   string
	}{
		{func(q *study.Question) { q.Method = "jem" }, `no method "jem"`},
		{func(q *study.Question) { q.Against = "" }, `no method ""`},
		{func(q *study.Question) { q.Metric = "ECCE" }, `no metric "ECCE"`},
		{func(q *study.Question) { q.Metric = "AUROC kNN near" }, `does not measure "AUROC kNN near"`},
		{func(q *study.Question) { q.Metric = "PGD L2 0.3" }, `does not measure "PGD L2 0.3"`},
		{func(q *study.Question) { q.Metric = "ensemble Linf 0.3" }, `does not measure "ensemble Linf 0.3"`},
	} {
		plan := registered()
		c.change(&plan.Family[0])
		if err := plan.Validate(); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "ratio?") {
			t.Errorf("%v, want %q", err, c.want)
		}
		if _, err := plan.Answers(&study.Results{Plan: plan.Plan}); err == nil {
			t.Errorf("%s was answered", c.want)
		}
	}
	plan := registered()
	plan.Seeds = nil
	if err := plan.Validate(); err == nil {
		t.Error("a plan without seeds was accepted")
	}
}
