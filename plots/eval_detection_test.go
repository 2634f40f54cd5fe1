package plots

import (
	"fmt"
	"math"
	"testing"

	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/ood"
)

// detected is made-up scores as package ood measures them.
func detected(t testing.TB, name string, gap float64, intervals bool) Detection {
	t.Helper()
	in, out := bell(800, gap, 1), bell(500, 0, 1.3)
	points, err := ood.Curve(in, out, 200)
	if err != nil {
		t.Fatal(err)
	}
	o := bootstrap.Options{}
	if intervals {
		o = bootstrap.Options{Resamples: 100, Seed: 1}
	}
	report, err := ood.Measure(in, out, o)
	if err != nil {
		t.Fatal(err)
	}
	return Detection{Name: name, Color: methodColor(name), Points: points, Report: report}
}

func TestDetectionGolden(t *testing.T) {
	scores := func(title string, shift float64) DetectionPanel {
		return DetectionPanel{title, []Detection{
			detected(t, "px", 2+shift, true), detected(t, "py", 1.2, true), detected(t, "pxgrad", 1+shift, true), detected(t, "entropy", -0.3, true),
		}}
	}
	t.Run("scores on three sets", func(t *testing.T) {
		f, err := ROC(scores("letters", 0), scores("noise", 2), scores("constant images", -0.7))
		golden(t, "roc", f, err)
	})
	t.Run("methods", func(t *testing.T) {
		methods := DetectionPanel{"px, digits against letters", []Detection{
			detected(t, "cross-entropy", 0.8, true), detected(t, "label smoothing", 0.5, true),
			detected(t, "NG-EBM β=γ=.01", 1.5, true), detected(t, "NG-EBM β=γ=1", 2.2, true),
		}}
		left, err := ROC(methods)
		if err != nil {
			t.Fatal(err)
		}
		f, err := PrecisionRecall(methods)
		if err != nil {
			t.Fatal(err)
		}
		f, err = SideBySide(left, f)
		golden(t, "precision-recall", f, err)
	})
}

func TestDetectionDegenerate(t *testing.T) {
	report := &ood.Report{Metrics: ood.Metrics{AUROC: 0.5}}
	all := []ood.Point{{TPR: 1, FPR: 1, Precision: 0.5}}
	for _, test := range []struct {
		name      string
		detection Detection
		err       string
	}{
		{"one threshold", Detection{Name: "constant", Points: all, Report: report}, ""},
		{"perfect", Detection{Name: "oracle", Points: []ood.Point{{TPR: 1, FPR: 0, Precision: 1}, {TPR: 1, FPR: 1, Precision: 0.5}}, Report: report}, ""},
		{"no points", Detection{Name: "px", Points: nil, Report: report}, `"px" lacks its points`},
		{"no report", Detection{Name: "px", Points: all, Report: nil}, `"px" lacks`},
		{"NaN", Detection{Name: "px", Points: []ood.Point{{TPR: math.NaN()}}, Report: report}, `point 1 of "px"`},
		{"per cent", Detection{Name: "px", Points: []ood.Point{{TPR: 1, FPR: 90}}, Report: report}, `point 1 of "px"`},
	} {
		for kind, draw := range map[string]func(...DetectionPanel) (*Figure, error){"ROC": ROC, "PR": PrecisionRecall} {
			t.Run(test.name+" "+kind, func(t *testing.T) {
				f, err := draw(DetectionPanel{"set", []Detection{test.detection}})
				expect(t, f, err, test.err)
			})
		}
	}
	f, err := ROC()
	expect(t, f, err, "no detection")
	f, err = PrecisionRecall(DetectionPanel{Title: "noise"})
	expect(t, f, err, `"noise" has no detections`)
}

func ExampleROC() {
	in, out := bell(500, 2, 1), bell(500, 0, 1) // in earnest, scores of package ood
	points, err := ood.Curve(in, out, 200)
	if err != nil {
		panic(err)
	}
	report, err := ood.Measure(in, out, bootstrap.Options{Resamples: 100})
	if err != nil {
		panic(err)
	}
	detections := DetectionPanel{"digits against noise", []Detection{{Name: "px", Points: points, Report: report}}}
	roc, err := ROC(detections)
	if err != nil {
		panic(err)
	}
	precision, err := PrecisionRecall(detections)
	if err != nil {
		panic(err)
	}
	both, err := SideBySide(roc, precision)
	if err != nil {
		panic(err)
	}
	_ = both // both.Save("figure.png") writes it; notebook.Show(both) shows it in a notebook
	// Output:
}

func ExamplePrecisionRecall() {
	in, out := bell(500, 2, 1), bell(100, 0, 1) // in earnest, scores of package ood
	points, err := ood.Curve(in, out, 200)
	if err != nil {
		panic(err)
	}
	report, err := ood.Measure(in, out, bootstrap.Options{})
	if err != nil {
		panic(err)
	}
	figure, err := PrecisionRecall(DetectionPanel{"digits against noise", []Detection{{Name: "px", Points: points, Report: report}}})
	if err != nil {
		panic(err)
	}
	fmt.Println(figure.Alt)
	// Output: in among the accepted (precision) against in accepted (recall) digits against noise: AP of px 0.976.
}
