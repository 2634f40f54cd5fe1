package plots

import (
	"context"
	"math"
	"strings"
	"testing"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/study/palette"
)

func TestLearningGolden(t *testing.T) {
	set := pointSet(t, 300, corners)
	l := Landscape{Title: "NG-EBM", Grid: survey(t, hills{corners, 3}, set), Data: set}
	t.Run("in mid-training", func(t *testing.T) {
		f, err := Learning(l, Run{Name: l.Title, Color: palette.Vermillion, History: madeUp(300, 15, 1, .1, .1)})
		golden(t, "learning", f, err)
	})
	t.Run("one step, no evaluation", func(t *testing.T) {
		h := &ngebm.History{StepsPerEpoch: 15, Terms: []string{"cross-entropy"}, Weights: []float64{1}, Loss: []float32{.7}, Values: [][]float32{{.7}}}
		f, err := Learning(l, Run{Name: l.Title, Color: palette.Vermillion, History: h})
		golden(t, "learning-first", f, err)
	})
}

func TestLearningErrors(t *testing.T) {
	set := pointSet(t, 300, corners)
	flat := survey(t, hills{corners, 3}, set)
	hole := survey(t, hills{corners, math.NaN()}, set)
	for name, test := range map[string]struct {
		grid    *Grid
		history *ngebm.History
		says    string
	}{
		"no grid":    {nil, madeUp(30, 15, 1), "needs a grid"},
		"diverged":   {hole, madeUp(30, 15, 1), "diverged"},
		"no steps":   {flat, &ngebm.History{}, "has no steps"},
		"no history": {flat, nil, "has no steps"},
	} {
		if _, err := Learning(Landscape{Title: "x", Grid: test.grid, Data: set}, Run{Name: "x", History: test.history}); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, not %q", name, err, test.says)
		}
	}
}

func ExampleLearning() {
	train, _, err := data.Open(context.Background(), "moons", data.Options{})
	if err != nil {
		panic(err)
	}
	history := madeUp(300, 15, 1, .1, .1)            // in earnest, run.History,
	model := hills{[][2]float64{{-1, 0}, {1, 0}}, 2} // and run.Classifier
	grid, err := EnergyGrid(context.Background(), model, train, 60)
	if err != nil {
		panic(err)
	}
	figure, err := Learning(Landscape{Title: "NG-EBM", Grid: grid, Data: train}, Run{Name: "NG-EBM", History: history})
	if err != nil {
		panic(err)
	}
	_ = figure // notebook.Show shows it; in train.Options.OnEpochEnd, notebook.HTML
	// Output:
}

func BenchmarkLearning(b *testing.B) {
	set := pointSet(b, 1000, corners)
	grid := survey(b, hills{corners, 3}, set)
	for b.Loop() {
		f, err := Learning(Landscape{Title: "NG-EBM", Grid: grid, Data: set}, Run{History: madeUp(1800, 15, 1, .1, .1)})
		if err != nil {
			b.Fatal(err)
		}
		f.Image(screenDPI)
	}
}
