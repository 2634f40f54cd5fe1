package plots

import (
	"math"
	"testing"

	"ngebm/ngebm/calibration"
)

// riskOf is a risk-coverage curve of made-up examples.
func riskOf(t testing.TB, name string, spread float64, seed uint64) RiskCurve {
	t.Helper()
	sample := harder(2000, 1, spread, seed)
	points, err := calibration.RiskCoverage(sample, 200)
	if err != nil {
		t.Fatal(err)
	}
	r, err := calibration.Measure(sample, calibration.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return RiskCurve{Name: name, Color: methodColor(name), Points: points, AURC: r.AURC}
}

func TestRiskCoverageGolden(t *testing.T) {
	var curves []RiskCurve
	for i, name := range []string{"cross-entropy", "label smoothing", "NG-EBM β=γ=.01", "NG-EBM β=γ=1", "JEM"} {
		for seed := range 3 {
			curves = append(curves, riskOf(t, name, 5+1.5*float64(i), uint64(seed)))
		}
	}
	f, err := RiskCoverage(curves...)
	golden(t, "risk-coverage", f, err)
}

func TestRiskCoverageDegenerate(t *testing.T) {
	point := func(coverage, risk float64) calibration.RiskPoint {
		return calibration.RiskPoint{Coverage: coverage, Risk: risk}
	}
	for _, test := range []struct {
		name   string
		points []calibration.RiskPoint
		aurc   float64
		err    string
	}{
		{"one point", []calibration.RiskPoint{point(1, 0.2)}, 0.2, ""},
		{"never wrong", []calibration.RiskPoint{point(0.5, 0), point(1, 0)}, 0, ""},
		{"always wrong", []calibration.RiskPoint{point(0.5, 1), point(1, 1)}, 1, ""},
		{"no points", nil, 0, `"run" has no points`},
		{"coverage falls", []calibration.RiskPoint{point(1, 0), point(0.5, 0)}, 0, "point 2"},
		{"NaN", []calibration.RiskPoint{point(1, math.NaN())}, 0, "point 1"},
		{"no AURC", []calibration.RiskPoint{point(1, 0)}, math.NaN(), "AURC"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := RiskCoverage(RiskCurve{Name: "run", Points: test.points, AURC: test.aurc})
			expect(t, f, err, test.err)
		})
	}
	f, err := RiskCoverage()
	expect(t, f, err, "no risk-coverage curve")
}

func ExampleRiskCoverage() {
	test := guesses(1000, 2) // in earnest, a classifier's logits and the labels
	points, err := calibration.RiskCoverage(test, 200)
	if err != nil {
		panic(err)
	}
	report, err := calibration.Measure(test, calibration.Options{})
	if err != nil {
		panic(err)
	}
	figure, err := RiskCoverage(RiskCurve{Name: "cross-entropy", Color: methodColor("cross-entropy"), Points: points, AURC: report.AURC})
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Show(figure) shows it in a notebook
	// Output:
}
