package plots

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"ngebm/ngebm/study"
)

// sweepOf makes up a table: value gives accuracy, ECE and robust accuracy of a cell.
func sweepOf(grid study.Grid, seeds int, value func(cell int) [3]float64) *study.SweepTable {
	t := &study.SweepTable{
		Grid: grid, Validation: 200,
		Metrics: []study.Metric{
			{Name: "accuracy", Definition: "share answered right", HigherIsBetter: true},
			{Name: "ECE", Definition: "15 bins of equal width, mean confidence"},
			{Name: "robust_accuracy", Definition: "share that survives PGD", HigherIsBetter: true},
		},
	}
	for s := range seeds {
		t.Seeds = append(t.Seeds, uint64(s+1))
	}
	settings := [][]string{nil}
	for _, s := range grid {
		var longer [][]string
		for _, before := range settings {
			for _, v := range s.Values {
				longer = append(longer, append(append([]string(nil), before...), v))
			}
		}
		settings = longer
	}
	for cell, values := range settings {
		row := study.SweepRow{Settings: values}
		for k, v := range value(cell) {
			var of []float64
			for s := range seeds {
				of = append(of, v+.004*float64(s-seeds/2)*float64(1+(cell+k)%3))
			}
			row.Metrics = append(row.Metrics, study.NewEstimate(of))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// byWeights are three weights by three, or as many panels of them as alpha has values.
func byWeights(alphas ...string) study.Grid {
	return study.Grid{{Key: "alpha", Values: alphas}, {Key: "beta", Values: []string{"0", ".01", ".1"}}, {Key: "gamma", Values: []string{"0", ".01", ".1"}}}
}

// plausible grows and falls with the cell as figures of weights do.
func plausible(cell int) [3]float64 {
	beta, gamma := float64(cell/3%3), float64(cell%3)
	return [3]float64{.92 + .01*beta + .006*gamma - .004*beta*gamma, .06 - .02*beta + .012*gamma*gamma - .003*float64(cell/9), .3 + .1*gamma + .03*beta}
}

func TestWeightMapGolden(t *testing.T) {
	table := sweepOf(byWeights("1"), 3, plausible)
	f, err := WeightMap(table, "ECE", "beta", "gamma")
	golden(t, "weight-map", f, err)
	table = sweepOf(byWeights("1", ".5"), 1, plausible)
	table.Rows[4].Failed = []string{"seed 1: loss is NaN at step 40"}
	f, err = WeightMap(table, "accuracy", "gamma", "beta")
	golden(t, "weight-map-panels", f, err)
}

// A map says the range of the means, not that of the colors, which is wider where all are equal.
func TestWeightMapRange(t *testing.T) {
	f, err := WeightMap(sweepOf(byWeights("1"), 1, func(int) [3]float64 { return [3]float64{.95, .1, .5} }), "accuracy", "beta", "gamma")
	if err != nil {
		t.Fatal(err)
	}
	if want := "from 0.95 to 0.95"; !strings.Contains(f.Alt, want) {
		t.Errorf("%q lacks %q", f.Alt, want)
	}
}

func TestParetoGolden(t *testing.T) {
	table := sweepOf(byWeights("1"), 3, plausible)
	table.Rows[8].Failed = []string{"seed 1: loss is NaN at step 40"}
	f, err := Pareto(table, "accuracy", "ECE", "robust_accuracy")
	golden(t, "pareto", f, err)
	f, err = Pareto(sweepOf(byWeights("1", ".5", "2"), 1, plausible), "robust_accuracy", "ECE", "accuracy")
	golden(t, "pareto-crowded", f, err)
}

// Of an even number of settings the median is between the middle two.
func TestParetoMedian(t *testing.T) {
	table := sweepOf(study.Grid{{Key: "beta", Values: []string{"0", "1"}}}, 3, plausible)
	want := fmt.Sprintf("accuracy ±%.3f", (table.Rows[0].Metrics[0].Half()+table.Rows[1].Metrics[0].Half())/2)
	if got := (paretoPoints{}).caption(table, []int{0}, 0); !strings.Contains(got, want) {
		t.Errorf("%q lacks %q", got, want)
	}
}

func TestSweepFiguresDegenerate(t *testing.T) {
	one := study.Grid{{Key: "beta", Values: []string{"0"}}, {Key: "gamma", Values: []string{".1"}}}
	many := study.Grid{{Key: "beta", Values: make([]string, 12)}, {Key: "gamma", Values: make([]string, 14)}}
	for _, s := range many {
		for i := range s.Values {
			s.Values[i] = fmt.Sprint(i)
		}
	}
	same := func(int) [3]float64 { return [3]float64{.9, .1, .5} }
	failed := func(t *study.SweepTable) *study.SweepTable {
		for i := range t.Rows {
			t.Rows[i].Failed = []string{"seed 1: loss is NaN at step 2"}
		}
		return t
	}
	spoilt := sweepOf(byWeights("1"), 2, plausible)
	spoilt.Rows[3].Metrics[1].Mean = math.NaN()
	short := sweepOf(byWeights("1"), 2, plausible)
	short.Rows[2].Metrics = short.Rows[2].Metrics[:1]
	for _, test := range []struct {
		name  string
		table *study.SweepTable
		err   string
	}{
		{"one cell", sweepOf(one, 1, plausible), ""},
		{"all equal", sweepOf(byWeights("1"), 1, same), ""},
		{"all nothing", sweepOf(byWeights("1"), 1, func(int) [3]float64 { return [3]float64{} }), ""},
		{"many cells", sweepOf(many, 2, plausible), ""},
		{"not a number", spoilt, "ECE of row 3 of the sweep's table is NaN"},
		{"row too short", short, "row 2 of the sweep's table has 3 settings and 1 metrics"},
		{"all failed", failed(sweepOf(byWeights("1"), 1, plausible)), "nothing to compare"},
		{"no rows", &study.SweepTable{}, "no rows"},
		{"no table", nil, "no rows"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := WeightMap(test.table, "ECE", "beta", "gamma")
			expect(t, f, err, test.err)
			f, err = Pareto(test.table, "accuracy", "ECE", "robust_accuracy")
			expect(t, f, err, test.err)
		})
	}
	table := sweepOf(byWeights("1"), 1, plausible)
	_, err := WeightMap(table, "NLL", "beta", "gamma")
	expect(t, nil, err, `no metric "NLL"; it has accuracy, ECE`)
	_, err = WeightMap(table, "ECE", "beta", "delta")
	expect(t, nil, err, `a map of "beta" and "delta"`)
	_, err = WeightMap(table, "ECE", "beta", "beta")
	expect(t, nil, err, "name two settings")
	_, err = Pareto(table, "ECE", "ECE", "accuracy")
	expect(t, nil, err, "three different metrics")
}

// A label lies in the area, and off what is taken where it can.
func TestPlaceLabels(t *testing.T) {
	area := vg.Rectangle{Max: vg.Point{X: 200, Y: 100}}
	var taken []vg.Rectangle
	for i := range 6 {
		at := vg.Point{X: vg.Length(10 + 36*i), Y: vg.Length(95 - 18*i)}
		taken = append(taken, around(at, 3, 3))
		box, free := place(at, 14, 6, area, taken)
		if !free || box.Min.X < 0 || box.Max.X > 200 || box.Min.Y < 0 || box.Max.Y > 100 {
			t.Errorf("label %d at %v is free: %v", i, box, free)
		}
		for _, other := range taken {
			if overlap(box, other) > 0 {
				t.Errorf("label %d at %v covers %v", i, box, other)
			}
		}
		taken = append(taken, box)
	}
	if _, free := place(area.Max, 14, 6, area, []vg.Rectangle{area}); free {
		t.Error("a label is free where all is taken")
	}
}

func ExampleWeightMap() {
	// In earnest, the table that study.Sweep.Run returns.
	table := sweepOf(byWeights("1"), 3, plausible)
	figure, err := WeightMap(table, "ECE", "beta", "gamma")
	if err != nil {
		panic(err)
	}
	fmt.Println(figure.Alt)
	// Output: Map of ECE (lower is better) over β and γ, from 0.02 to 0.108; best is 0.020 at α = 1, β = 0.1, γ = 0.
}

func ExamplePareto() {
	// In earnest, the table that study.Sweep.Run returns.
	table := sweepOf(byWeights("1"), 3, plausible)
	figure, err := Pareto(table, "accuracy", "ECE", "robust_accuracy")
	if err != nil {
		panic(err)
	}
	fmt.Println(figure.Alt[:82])
	// Output: Pareto view of ECE against accuracy, with robust_accuracy as color. On the front:
}
