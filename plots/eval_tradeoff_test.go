package plots

import (
	"fmt"
	"math"
	"testing"
)

func TestBarsGolden(t *testing.T) {
	f, err := Bars("a training step, batch 32", "milliseconds",
		Bar{Name: "cross-entropy", Color: methodColor("cross-entropy"), Value: 2.1, Label: "2.1 ms"}, Bar{Name: "NG-EBM", Color: methodColor("NG-EBM"), Value: 3.9, Label: "3.9 ms, ×1.9"},
		Bar{Name: "JEM++", Color: methodColor("JEM++"), Value: 7.4, Label: "7.4 ms, ×3.5"}, Bar{Name: "JEM", Color: methodColor("JEM"), Value: 21, Label: "21.0 ms, ×10"},
	)
	golden(t, "bars", f, err)
}

func TestTradeoffGolden(t *testing.T) {
	costs := map[string]float64{"cross-entropy": 1, "cross-entropy + temperature": 1, "label smoothing": 1.05, "NG-EBM β=γ=.01": 1.9, "NG-EBM β=γ=1": 2, "JEM": 10.4}
	ece := estimates([]float64{.046, .029, .14, .021, .26}, .005)
	f, err := Tradeoff("cost of training (cross-entropy = 1)", costs,
		SummaryPanel{Title: "accuracy", Note: "more is better", Estimates: append(estimates([]float64{.927, .927, .963, .951, .944}, .006), Estimate{Name: "JEM", Color: methodColor("JEM"), Seeds: []float64{.95, .955, .957}})},
		SummaryPanel{Title: "ECE", Note: "15 bins, mean confidence", Estimates: append(ece, Estimate{Name: "JEM", Color: methodColor("JEM"), Seeds: []float64{.03, .034, .05}})},
	)
	golden(t, "tradeoff", f, err)
}

// Everything draws, or says why not.
func TestTradeoffDegenerate(t *testing.T) {
	one := SummaryPanel{Title: "ECE", Estimates: []Estimate{{Name: "run", Seeds: []float64{.3, .3}}}}
	for _, test := range []struct {
		name  string
		costs map[string]float64
		panel SummaryPanel
		err   string
	}{
		{"one method, equal seeds", map[string]float64{"run": 2, "another": 1}, one, ""},
		{"no cost", map[string]float64{"other": 2}, one, `the cost of "run" is not given`},
		{"cost 0", map[string]float64{"run": 0}, one, `the cost of "run" is 0`},
		{"cost NaN", map[string]float64{"run": math.NaN()}, one, `the cost of "run" is NaN`},
		{"no estimates", nil, SummaryPanel{Title: "ECE"}, `"ECE" has no estimates`},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := Tradeoff("cost", test.costs, test.panel)
			expect(t, f, err, test.err)
		})
	}
	f, err := Tradeoff("cost", nil)
	expect(t, f, err, "no metrics")
	for want, bars := range map[string][]Bar{
		"":                       {{Name: "run", Label: "nothing"}},
		"no bars":                nil,
		`bar of "run" is -1`:     {{Name: "run", Value: -1}},
		`bar of "other" is +Inf`: {{Name: "run", Value: 1}, {Name: "other", Value: math.Inf(1)}},
	} {
		f, err := Bars("title", "unit", bars...)
		expect(t, f, err, want)
	}
}

func ExampleBars() {
	figure, err := Bars("a training step", "milliseconds", Bar{Name: "cross-entropy", Color: methodColor("cross-entropy"), Value: 2.1, Label: "2.1 ms"}, Bar{Name: "JEM", Color: methodColor("JEM"), Value: 21, Label: "21.0 ms, ×10"})
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Show(figure) shows it in a notebook
	// Output:
}

func ExampleTradeoff() {
	seconds := map[string]float64{"cross-entropy": 5, "NG-EBM": 9, "JEM": 60}
	figure, err := Tradeoff("seconds of training", seconds, SummaryPanel{
		Title: "ECE", Note: "less is better",
		Estimates: []Estimate{
			{Name: "cross-entropy", Color: methodColor("cross-entropy"), Seeds: []float64{.046, .041, .049}},
			{Name: "NG-EBM", Color: methodColor("NG-EBM"), Seeds: []float64{.021, .024, .019}},
			{Name: "JEM", Color: methodColor("JEM"), Seeds: []float64{.030, .034, .050}},
		},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(figure.Alt)
	// Output: ECE: cross-entropy 0.0453, NG-EBM 0.0213, JEM 0.038. All against seconds of training: cross-entropy 5, NG-EBM 9, JEM 60.
}
