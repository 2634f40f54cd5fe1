package study_test

import (
	"fmt"
	"math"
	"ngebm/data/testerror"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/study"
	"slices"
	"strings"
	"testing"
)

// madeUp is a table of four rows with two seeds; its means are those given.
func madeUp(means ...[]float64) *study.SweepTable {
	t := &study.SweepTable{
		Grid: study.Grid{{Key: "gamma", Values: nil}}, Seeds: []uint64{1, 2}, Validation: 200,
		Metrics: []study.Metric{
			{Name: "accuracy", Definition: "share answered right", HigherIsBetter: true},
			{Name: "ECE", Definition: "15 bins"},
		},
	}
	for i, m := range means {
		row := study.SweepRow{Settings: []string{fmt.Sprint(i)}}
		for _, v := range m {
			row.Metrics = append(row.Metrics, study.NewEstimateOn(bootstrap.Share, []float64{v - .01, v + .01}))
		}
		t.Grid[0].Values = append(t.Grid[0].Values, fmt.Sprint(i))
		t.Rows = append(t.Rows, row)
	}
	return t
}

// The points of Student's distribution are those of its tables: 12.706 for one degree
// of freedom, 4.303 for two.
func TestEstimate(t *testing.T) {
	for _, c := range []struct {
		values     []float64
		mean, half float64
	}{
		{[]float64{.5}, .5, 0},
		{[]float64{1, 3}, 2, 12.706 * math.Sqrt2 / math.Sqrt2},
		{[]float64{1, 2, 3}, 2, 4.303 * 1 / math.Sqrt(3)},
		{[]float64{.9, .9, .9}, .9, 0},
	} {
		e := study.NewEstimate(c.values)
		if math.Abs(e.Mean-c.mean) > 1e-12 || math.Abs(e.High-c.mean-c.half) > 1e-3 || math.Abs(c.mean-e.Low-c.half) > 1e-3 {
			t.Errorf("%v gives %+v, want %v ± %v", c.values, e, c.mean, c.half)
		}
	}
}

func TestBestAndPareto(t *testing.T) {
	for _, c := range []struct {
		name            string
		means           [][]float64 // accuracy, ECE
		accuracy, error int         // the best rows by accuracy and by ECE
		front           []int
	}{
		{"one dominates", [][]float64{{.9, .1}, {.8, .2}}, 0, 0, []int{0}},
		{"each has its strength", [][]float64{{.9, .1}, {.8, .05}, {.85, .2}}, 0, 1, []int{0, 1}},
		{"equal in one", [][]float64{{.9, .1}, {.9, .05}}, 0, 1, []int{1}},
		{"equal in all", [][]float64{{.9, .1}, {.9, .1}}, 0, 0, []int{0, 1}},
		{"equal but for rounding", [][]float64{{math.Nextafter(.9, 0), .1}, {.9, .1}, {.9, .2}}, 0, 0, []int{0, 1}},
		{"equal but for rounding, near 0", [][]float64{{.9, 1e-16}, {.9, 0}}, 0, 0, []int{0, 1}},
		{"better by little", [][]float64{{.9, .1}, {.9 + 1e-9, .1}}, 1, 0, []int{1}},
		{"alone", [][]float64{{0, 1}}, 0, 0, []int{0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := madeUp(c.means...)
			a, err1 := table.Best("accuracy")
			e, err2 := table.Best("ECE")
			front, err3 := table.Pareto()
			if err1 != nil || err2 != nil || err3 != nil || a != c.accuracy || e != c.error || !slices.Equal(front, c.front) {
				t.Errorf("best %d and %d, front %v, want %d, %d and %v (%v %v %v)", a, e, front, c.accuracy, c.error, c.front, err1, err2, err3)
			}
		})
	}
	if text := madeUp([]float64{math.Nextafter(.9, 0), .1}, []float64{.9, .2}).String(); strings.Count(text, "] *") != 3 {
		t.Errorf("both accuracies and one ECE are the best:\n%s", text)
	}
	table := madeUp([]float64{.9, .1}, []float64{.8, .05})
	if front, err := table.Pareto("accuracy"); err != nil || !slices.Equal(front, []int{0}) {
		t.Errorf("by accuracy alone the front is %v (%v)", front, err)
	}
	_, err := table.Pareto("accuracy", "robustness")
	testerror.Want(t, err, `no metric "robustness"`, "accuracy, ECE")
	table.Rows[0].Failed = []string{"seed 2: loss is NaN at step 40"}
	if best, err := table.Best("accuracy"); err != nil || best != 1 {
		t.Errorf("a row with a seed that failed counts: best is %d (%v)", best, err)
	}
}

// A table in which every run failed says why.
func TestSweepOfFailures(t *testing.T) {
	table := madeUp(nil, nil)
	table.Metrics = nil
	for i := range table.Rows {
		table.Rows[i].Failed = []string{"seed 1: loss is NaN at step 40"}
	}
	front, err := table.Pareto("accuracy")
	if err != nil || len(front) > 0 {
		t.Errorf("the front is %v (%v)", front, err)
	}
	text, err := table.Text("accuracy", "ECE")
	if err != nil || strings.Count(text, "loss is NaN at step 40") != 2 {
		t.Errorf("%v:\n%s", err, text)
	}
}

// The expected numbers are scipy.stats.ttest_rel's, 1.17, with its confidence_interval(.95).
func TestSweepDifference(t *testing.T) {
	table := madeUp([]float64{.9, .1}, []float64{.8, .05})
	table.Rows[0].Metrics[0] = study.NewEstimate([]float64{.5, .6, .7, .8})
	table.Rows[1].Metrics[0] = study.NewEstimate([]float64{.4, .45, .65, .78})
	row, err1 := table.Row("0")
	other, err2 := table.Row("1")
	c, err3 := table.Difference(row, other, "accuracy")
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	for _, v := range []struct {
		what      string
		got, want float64
	}{{"mean", c.Mean, .08}, {"low", c.Low, -.010945978453757763}, {"high", c.High, .1709459784537577}, {"p", c.P, .06788574367808185}} {
		if math.Abs(v.got-v.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", v.what, v.got, v.want)
		}
	}
	if c.Shows() != 0 {
		t.Errorf("it shows %d, with a p-value of %.3f", c.Shows(), c.P)
	}

	_, err := table.Row("2")
	testerror.Want(t, err, "no row", `"2"`)
	_, err = table.Difference(row, other, "robustness")
	testerror.Want(t, err, `no metric "robustness"`)
	_, err = table.Difference(row, 7, "ECE")
	testerror.Want(t, err, "no row 7")
	table.Rows[1].Failed = []string{"seed 2: loss is NaN at step 40"}
	_, err = table.Difference(row, other, "ECE")
	testerror.Want(t, err, `"1"`, "loss is NaN at step 40")
}

func ExampleSweepTable_String() {
	table := madeUp([]float64{.93, .06}, []float64{.95, .02}, []float64{.94, .3})
	table.Rows[2].Failed = []string{"seed 2: loss is NaN at step 40"}
	fmt.Print(table)
	// Output:
	// gamma  accuracy ↑              ECE ↓
	// 0      0.930 [0.654, 0.989]    0.060 [0.007, 0.378]
	// 1      0.950 [0.567, 0.996] *  0.020 [0.000, 0.930] *  front
	// 2      0.940 [0.622, 0.993]    0.300 [0.190, 0.440]    seed 2: loss is NaN at step 40
	//
	// Means over seeds 1 2 and their 95 % t-intervals, on 200 validation examples each; *: best mean;
	// front: no other row's means are at least as good in all of the metrics and better in one.
	// accuracy (higher is better): share answered right
	// ECE (lower is better): 15 bins
}
