package plots

import (
	"math"
	"testing"

	"ngebm/ngebm/bootstrap"
)

// estimates are made-up values of three seeds around those given.
func estimates(values []float64, spread float64) []Estimate {
	names := []string{"cross-entropy", "cross-entropy + temperature", "label smoothing", "NG-EBM β=γ=.01", "NG-EBM β=γ=1"}
	var all []Estimate
	for i, v := range values {
		all = append(all, Estimate{Name: names[i], Color: methodColor(names[i]), Seeds: []float64{v - spread, v + 0.3*spread, v + 0.8*spread}, Interval: &bootstrap.Interval{Low: v - 2*spread, High: v + 2*spread}})
	}
	return all
}

func TestSummaryGolden(t *testing.T) {
	t.Run("six figures", func(t *testing.T) {
		uncalibrated := estimates([]float64{0.962, 0.962, 0.966, 0.963, 0.941}, 0.006)
		f, err := Summary(
			SummaryPanel{Title: "accuracy", Note: "higher is better", Estimates: uncalibrated},
			SummaryPanel{Title: "ECE", Note: "15 bins; lower is better", Estimates: estimates([]float64{0.021, 0.013, 0.075, 0.017, 0.24}, 0.005)},
			SummaryPanel{Title: "NLL", Note: "nats; lower is better", Estimates: estimates([]float64{0.142, 0.121, 0.205, 0.13, 0.41}, 0.012)},
			SummaryPanel{Title: "Brier score", Note: "lower is better", Estimates: estimates([]float64{0.056, 0.054, 0.062, 0.055, 0.17}, 0.004)},
			SummaryPanel{Title: "AUROC of px", Note: "letters; higher is better", Estimates: append(estimates([]float64{0.83}, 0.02), estimates([]float64{0, 0, 0.79, 0.9, 0.94}, 0.02)[2:]...)},
		)
		golden(t, "summary", f, err)
	})
	t.Run("one figure", func(t *testing.T) {
		f, err := Summary(SummaryPanel{Title: "ECE", Estimates: estimates([]float64{0.021, 0.013, 0.075}, 0.005)})
		golden(t, "summary-one", f, err)
	})
}

func TestSummaryDegenerate(t *testing.T) {
	for _, test := range []struct {
		name  string
		panel SummaryPanel
		err   string
	}{
		{"one seed", SummaryPanel{Title: "ECE", Estimates: []Estimate{{Name: "run", Seeds: []float64{0.3}}}}, ""},
		{"all equal", SummaryPanel{Title: "ECE", Estimates: []Estimate{{Name: "run", Seeds: []float64{1, 1}}, {Name: "other", Seeds: []float64{1}}}}, ""},
		{"all zero", SummaryPanel{Title: "ECE", Estimates: []Estimate{{Name: "run", Seeds: []float64{0, 0}}}}, ""},
		{"negative", SummaryPanel{Title: "log p(x)", Estimates: []Estimate{{Name: "run", Seeds: []float64{-3e6, -1}}}}, ""},
		{"a long name", SummaryPanel{Title: "ECE", Estimates: []Estimate{{Name: "a name that is much too long to stand beside a figure of any width", Seeds: []float64{1, 2}}}}, ""},
		{"no estimates", SummaryPanel{Title: "ECE"}, `"ECE" has no estimates`},
		{"no seeds", SummaryPanel{Title: "ECE", Estimates: []Estimate{{Name: "run"}}}, `ECE of "run" has no values`},
		{"NaN", SummaryPanel{Title: "ECE", Estimates: []Estimate{{Name: "run", Seeds: []float64{math.NaN()}}}}, `ECE of "run" is NaN`},
		{"infinite interval", SummaryPanel{Title: "ECE", Estimates: []Estimate{{Name: "run", Seeds: []float64{1}, Interval: &bootstrap.Interval{High: math.Inf(1)}}}}, "+Inf"},
		{"a name twice", SummaryPanel{Title: "ECE", Estimates: []Estimate{{Name: "run", Seeds: []float64{1}}, {Name: "run", Seeds: []float64{2}}}}, "is given twice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := Summary(test.panel)
			expect(t, f, err, test.err)
		})
	}
	f, err := Summary()
	expect(t, f, err, "no metrics")
}

func ExampleSummary() {
	figure, err := Summary(
		SummaryPanel{Title: "ECE", Note: "lower is better", Estimates: []Estimate{
			{Name: "cross-entropy", Color: methodColor("cross-entropy"), Seeds: []float64{0.021, 0.024, 0.019}, Interval: &bootstrap.Interval{Low: 0.016, High: 0.027}},
			{Name: "NG-EBM β=γ=.01", Color: methodColor("NG-EBM β=γ=.01"), Seeds: []float64{0.015, 0.018, 0.016}, Interval: &bootstrap.Interval{Low: 0.012, High: 0.021}},
		}},
	)
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Show(figure) shows it in a notebook
	// Output:
}

// A bar over several seeds is no 95 % interval, and is not called one.
func TestIntervalKey(t *testing.T) {
	interval := &bootstrap.Interval{Low: .1, High: .3}
	for want, e := range map[string]Estimate{
		"":                                   {Seeds: []float64{.1, .2}},
		"95 % interval":                      {Seeds: []float64{.2}, Interval: interval},
		"range of the seeds’ 95 % intervals": {Seeds: []float64{.1, .2}, Interval: interval},
	} {
		if got := intervalKey([]SummaryPanel{{Title: "ECE", Estimates: []Estimate{e}}}); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	several := Estimate{Seeds: []float64{.1, .2}, Interval: interval}
	for want, bars := range map[string][]string{
		"95 % interval of the mean": {"95 % interval of the mean", "95 % interval of the mean"},
		"95 % interval of the mean, or range of the seeds’ 95 % intervals": {"95 % interval of the mean", ""},
	} {
		if got := intervalKey([]SummaryPanel{{Title: "ECE", Estimates: []Estimate{several}, Bars: bars[0]}, {Title: "NLL", Estimates: []Estimate{several}, Bars: bars[1]}}); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
