package plots

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
)

// guesses is n made-up examples of ten classes, of which a model is sharp times
// as sure as it should be. They are drawn from a fixed seed; no model was trained.
func guesses(n int, sharp float64) calibration.Sample { return harder(n, sharp, 3, 5) }

// harder sets besides how far chances are spread, a small spread being hard to
// guess, and the seed.
func harder(n int, sharp, spread float64, seed uint64) calibration.Sample {
	random := rand.New(rand.NewPCG(3, seed))
	s := calibration.Sample{}
	for range n {
		chances := make([]float64, 10)
		sum := 0.
		for k := range chances {
			chances[k] = math.Exp(spread * random.NormFloat64())
			sum += chances[k]
		}
		label, u := 0, random.Float64()*sum
		for u > chances[label] && label < 9 {
			u -= chances[label]
			label++
		}
		for k := range chances {
			chances[k] = sharp * math.Log(chances[k])
		}
		s.Logits, s.Labels = append(s.Logits, chances), append(s.Labels, int32(label))
	}
	return s
}

func measured(t testing.TB, sharp float64, intervals bool) *calibration.Report {
	t.Helper()
	o := calibration.Options{}
	if intervals {
		o.Bootstrap = bootstrap.Options{Resamples: 100, Seed: 1}
	}
	r, err := calibration.Measure(guesses(1500, sharp), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReliabilityGolden(t *testing.T) {
	t.Run("five methods", func(t *testing.T) {
		f, err := Reliability(
			Calibration{Name: "cross-entropy", Color: methodColor("cross-entropy"), Report: measured(t, 2.2, true)},
			Calibration{Name: "cross-entropy + temperature", Color: methodColor("cross-entropy + temperature"), Report: measured(t, 1, true)},
			Calibration{Name: "label smoothing", Color: methodColor("label smoothing"), Report: measured(t, 0.7, true)},
			Calibration{Name: "NG-EBM β=γ=.01", Color: methodColor("NG-EBM β=γ=.01"), Report: measured(t, 1.3, true)},
			Calibration{Name: "NG-EBM β=γ=1", Color: methodColor("NG-EBM β=γ=1"), Report: measured(t, 0.35, true)},
		)
		golden(t, "reliability", f, err)
	})
	t.Run("one method", func(t *testing.T) {
		f, err := Reliability(Calibration{Name: "JEM", Color: methodColor("JEM"), Report: measured(t, 1.5, false)})
		golden(t, "reliability-one", f, err)
	})
}

func TestReliabilityDegenerate(t *testing.T) {
	report := func(bins ...calibration.Bin) *calibration.Report { return &calibration.Report{Reliability: bins} }
	for _, test := range []struct {
		name   string
		report *calibration.Report
		err    string
	}{
		{"one bin", report(calibration.Bin{Low: 0, High: 1, Count: 4, Confidence: 0.9, Accuracy: 0.5}), ""},
		{"one example", report(calibration.Bin{Low: 0, High: 0.5}, calibration.Bin{Low: 0.5, High: 1, Count: 1, Confidence: 1, Accuracy: 0}), ""},
		{"always right and sure", report(calibration.Bin{Low: 0, High: 1, Count: 9, Confidence: 1, Accuracy: 1}), ""},
		{"no report", nil, `"run" has no bins`},
		{"no bins", report(), `"run" has no bins`},
		{"empty bins", report(calibration.Bin{Low: 0, High: 1}), `all bins of "run" are empty`},
		{"NaN", report(calibration.Bin{Low: 0, High: 1, Count: 1, Confidence: math.NaN()}), `bin 1 of "run"`},
		{"per cent", report(calibration.Bin{Low: 0, High: 1, Count: 1, Accuracy: 97}), `bin 1 of "run"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := Reliability(Calibration{Name: "run", Report: test.report})
			expect(t, f, err, test.err)
		})
	}
	f, err := Reliability()
	expect(t, f, err, "no method")
}

// expect fails unless there is a figure that draws, or the error that is wanted.
func expect(t *testing.T, f *Figure, err error, want string) {
	t.Helper()
	switch {
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, want one with %q", err, want)
	case want == "" && err != nil:
		t.Error(err)
	case want == "":
		checkDrawn(t, f)
	}
}

func ExampleReliability() {
	test, validation := guesses(1000, 2), guesses(500, 2) // in earnest, a classifier's logits
	report, err := calibration.Measure(test, calibration.Options{Validation: &validation})
	if err != nil {
		panic(err)
	}
	figure, err := Reliability(
		Calibration{Name: "cross-entropy", Color: methodColor("cross-entropy"), Report: report},
		Calibration{Name: "cross-entropy + temperature", Color: methodColor("cross-entropy + temperature"), Report: report.AfterT},
	)
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Show(figure) shows it in a notebook
	// Output:
}
