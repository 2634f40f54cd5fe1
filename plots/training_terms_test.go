package plots

import (
	"math"
	"testing"
)

func TestTermsGolden(t *testing.T) {
	history := madeUp(600, 15, 1, .1, .1)
	var terms []Term
	for i, name := range append([]string{"loss"}, history.Terms...) {
		values := history.Loss
		if i > 0 {
			values = history.Values[i-1]
		}
		term := Term{Name: name}
		for step, v := range values {
			term.X, term.Y = append(term.X, float64(step+1)), append(term.Y, float64(v))
		}
		terms = append(terms, term)
	}
	f, err := Terms("steps", []float64{250}, terms...)
	golden(t, "terms", f, err)
}

// At most eight charts are drawn, in two rows.
func TestTermsMany(t *testing.T) {
	var terms []Term
	for range 12 {
		terms = append(terms, Term{"term", []float64{1, 2}, []float64{3, 4}})
	}
	f, err := Terms("steps", nil, terms...)
	if err != nil || f.Width != fullWidth || f.Height != 2*termHeight {
		t.Errorf("%v by %v, %v", f.Width, f.Height, err)
	}
}

func degenerateTerms() degenerateCases {
	term := func(fault, says string, x, y []float64, events ...float64) degenerate {
		return degenerate{fault, func() (*Figure, error) { return Terms("steps", events, Term{"loss", x, y}) }, says}
	}
	nan, inf := math.NaN(), math.Inf(1)
	return degenerateCases{[]degenerate{
		{"nothing", func() (*Figure, error) { return Terms("steps", nil) }, "no term"},
		term("one", "no term", []float64{1}, []float64{1}),
		term("all equal", "", []float64{1, 2}, []float64{3, 3}),
		term("NaN", "", []float64{1, 2, 3}, []float64{1, nan, 3}),
		term("NaN", "number 2 is NaN", []float64{1, nan}, []float64{1, 2}),
		term("NaN", "an event is at NaN", []float64{1, 2}, []float64{1, 2}, nan),
		term("infinite", "", []float64{1, 2, 3}, []float64{1, inf, 3}),
		term("infinite", "number 2 is +Inf", []float64{1, inf}, []float64{1, 2}),
		term("mismatched", "2 places and 1 values", []float64{1, 2}, []float64{1}),
		term("mismatched", "must ascend", []float64{2, 1}, []float64{1, 2}),
	}, []string{"one class", "one bin", "no size"}}
}

func ExampleTerms() {
	loss := Term{Name: "loss", X: []float64{1, 2, 3}, Y: []float64{.7, .5, .4}}
	figure, err := Terms("steps", nil, loss)
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Reporter shows such figures
	// Output:
}
