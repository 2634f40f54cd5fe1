package plots

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
)

// bell is n made-up scores around a mean.
func bell(n int, mean, deviation float64) []float64 {
	random := rand.New(rand.NewPCG(uint64(n), math.Float64bits(mean)))
	values := make([]float64, n)
	for i := range values {
		values[i] = mean + deviation*random.NormFloat64()
	}
	return values
}

func TestScoreHistogramsGolden(t *testing.T) {
	scores := func(title string, in, letters, noise, flat float64) ScorePanel {
		return ScorePanel{title, Scores{"digits", bell(2000, in, 1)}, []Scores{
			{"letters", bell(1000, letters, 1.3)}, {"noise", bell(1000, noise, 0.6)}, {"constant images", bell(500, flat, 2)},
		}}
	}
	t.Run("three scores", func(t *testing.T) {
		f, err := ScoreHistograms(
			scores("px: energy E(x)", 6, 3.5, 0, 2),
			scores("py: max softmax", 4, 3, 1, 3.5),
			scores("pxgrad: −‖∂E/∂x‖", 1, 0.5, -3, -6),
		)
		golden(t, "score-histograms", f, err)
	})
	t.Run("one score", func(t *testing.T) {
		f, err := ScoreHistograms(ScorePanel{"NG-EBM: energy E(x)", Scores{"moons", bell(2000, 2, 0.5)}, []Scores{{"uniform", bell(2000, -1, 2)}}})
		golden(t, "score-histograms-one", f, err)
	})
}

func TestScoreHistogramsDegenerate(t *testing.T) {
	some := []float64{1, 2, 3}
	for _, test := range []struct {
		name  string
		panel ScorePanel
		err   string
	}{
		{"in alone", ScorePanel{In: Scores{"in", some}}, ""},
		{"one value", ScorePanel{In: Scores{"in", []float64{5}}}, ""},
		{"all equal", ScorePanel{In: Scores{"in", []float64{1e9, 1e9}}, Out: []Scores{{"out", []float64{1e9}}}}, ""},
		{"all zero", ScorePanel{In: Scores{"in", []float64{0, 0}}}, ""},
		{"an outlier", ScorePanel{In: Scores{"in", append(bell(1000, 0, 1), 1e30)}}, ""},
		{"no values", ScorePanel{Title: "px", In: Scores{"in", some}, Out: []Scores{{"noise", nil}}}, `"px" has no scores on "noise"`},
		{"NaN", ScorePanel{Title: "px", In: Scores{"in", []float64{0, math.NaN()}}}, `score 1 of "px" on "in" is NaN`},
		{"infinite", ScorePanel{Title: "px", In: Scores{"in", []float64{math.Inf(-1)}}}, "is -Inf"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := ScoreHistograms(test.panel)
			expect(t, f, err, test.err)
		})
	}
	f, err := ScoreHistograms()
	expect(t, f, err, "no scores")
}

// What lies within the axis has the area of its share of all.
func TestDensityArea(t *testing.T) {
	edges := []float64{0, 0.5, 1, 1.5, 2}
	d := newDensity([]float64{0, 0.5, 1.9, 2, 3, -1, 7, 8}, edges, defaultStyles(1)[0], false)
	if area := floats.Sum(d.heights) * 0.5; math.Abs(area-0.5) > 1e-12 {
		t.Errorf("area %v of four of eight values", area)
	}
	if want := []float64{0.25, 0.25, 0, 0.5}; !floats.EqualApprox(d.heights, want, 1e-12) {
		t.Errorf("heights %v, want %v", d.heights, want)
	}
}

func ExampleScoreHistograms() {
	figure, err := ScoreHistograms(ScorePanel{
		Title: "NG-EBM: energy E(x)",
		In:    Scores{"digits", bell(500, 6, 1)}, // in earnest, of package ood
		Out:   []Scores{{"noise", bell(500, 2, 1)}, {"letters", bell(500, 4, 1)}},
	})
	if err != nil {
		panic(err)
	}
	_ = figure // figure.Save("figure.png") writes it; notebook.Show(figure) shows it in a notebook
	// Output:
}
