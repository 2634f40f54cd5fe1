package ood

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ngebm/ngebm/bootstrap"
	"pgregory.net/rapid"
)

func records(t testing.TB, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func scoreList(t testing.TB, path string) []float64 {
	var scores []float64
	for _, record := range records(t, path) {
		v, err := strconv.ParseFloat(record[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		scores = append(scores, v)
	}
	return scores
}

func measured(t testing.TB, in, out []float64, o bootstrap.Options) *Report {
	t.Helper()
	r, err := Measure(in, out, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every metric equals the packages named in the package comment.
func TestReferenceValues(t *testing.T) {
	held := map[string]int{}
	for _, record := range records(t, "testdata/expected.csv")[1:] {
		name, metric, value, pkg := record[0], record[1], record[3], record[4]
		in, out := scoreList(t, "testdata/"+name+"_in.csv"), scoreList(t, "testdata/"+name+"_out.csv")
		r := measured(t, in, out, bootstrap.Options{})
		got, ok := map[string]float64{
			"AUROC": r.AUROC, "pytorch_ood_AUROC": r.AUROC,
			"AUPR_in_AP": r.AUPRIn, "AUPR_out_AP": r.AUPROut,
			"FPR95_in_positive":  r.FPR95InPositive,
			"FPR95_out_positive": r.FPR95OutPositive, "pytorch_ood_FPR95TPR": r.FPR95OutPositive,
		}[metric]
		if !ok {
			continue
		}
		want, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(got-want) <= 1e-9) {
			t.Errorf("%s %s: %.15g, but %s has %.15g", name, metric, got, pkg, want)
		}
		held[metric]++
	}
	for metric, rows := range map[string]int{ // three datasets
		"AUROC": 6, "pytorch_ood_AUROC": 3, "AUPR_in_AP": 3, "AUPR_out_AP": 3,
		"FPR95_in_positive": 6, "FPR95_out_positive": 6, "pytorch_ood_FPR95TPR": 3,
	} {
		if held[metric] != rows {
			t.Errorf("%d rows of %s were held against this package, want %d", held[metric], metric, rows)
		}
	}
}

// lists draws lists of scores, most with ties.
func lists(t *rapid.T) (in, out []float64) {
	score := rapid.Map(rapid.IntRange(-rapid.SampledFrom([]int{1, 5, 1000}).Draw(t, "spread"), 1000), func(i int) float64 { return float64(i) / 10 })
	return rapid.SliceOfN(score, 1, 60).Draw(t, "in"), rapid.SliceOfN(score, 1, 60).Draw(t, "out")
}

func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, out := lists(t)
		before := slices.Clone(in)
		r, err := Measure(in, out, bootstrap.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(in, before) {
			t.Fatal("the scores were changed")
		}

		// The definition of AUROC, pair by pair.
		pairs := 0.
		for _, a := range in {
			for _, b := range out {
				switch {
				case a > b:
					pairs++
				case a == b:
					pairs += .5
				}
			}
		}
		if want := pairs / float64(len(in)*len(out)); math.Abs(r.AUROC-want) > 1e-12 {
			t.Errorf("AUROC is %v, pair by pair %v", r.AUROC, want)
		}

		// No increasing map changes any metric.
		for name, f := range map[string]func(float64) float64{
			"exp": math.Exp, "cube": func(x float64) float64 { return x * x * x }, "3x-7": func(x float64) float64 { return 3*x - 7 }, "atan": math.Atan,
		} {
			mapped := func(scores []float64) []float64 {
				all := make([]float64, len(scores))
				for i, v := range scores {
					all[i] = f(v)
				}
				return all
			}
			again, err := Measure(mapped(in), mapped(out), bootstrap.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if again.Metrics != r.Metrics {
				t.Errorf("%s: %+v, before %+v", name, again.Metrics, r.Metrics)
			}
		}

		// Exchanging in and out and turning the scores round exchanges the metrics.
		negative := func(scores []float64) []float64 {
			all := make([]float64, len(scores))
			for i, v := range scores {
				all[i] = -v
			}
			return all
		}
		turned, err := Measure(negative(out), negative(in), bootstrap.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := Metrics{r.AUROC, r.AUPROut, r.AUPRIn, r.FPR95OutPositive, r.FPR95InPositive}
		if turned.Metrics != want {
			t.Errorf("turned round: %+v, want %+v", turned.Metrics, want)
		}
	})
}

func TestSeparatedScores(t *testing.T) {
	high, low := []float64{3, 4, 5}, []float64{0, 1}
	if got, want := measured(t, high, low, bootstrap.Options{}).Metrics, (Metrics{1, 1, 1, 0, 0}); got != want {
		t.Errorf("separated: %+v, want %+v", got, want)
	}
	if got := measured(t, low, high, bootstrap.Options{}); got.AUROC != 0 || got.FPR95InPositive != 1 || got.FPR95OutPositive != 1 {
		t.Errorf("the wrong way round: %+v", got.Metrics)
	}
}

// AUROC's interval is that of Hanley and McNeil (1982), up to their
// approximation and the noise of the draws; all metrics have one.
func TestIntervals(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	in, out := make([]float64, 400), make([]float64, 300)
	for i := range in {
		in[i] = rng.NormFloat64() + 1
	}
	for i := range out {
		out[i] = rng.NormFloat64()
	}
	o := bootstrap.Options{Resamples: 500, Seed: 3}
	r := measured(t, in, out, o)
	for _, c := range Conventions() {
		i, ok := r.Intervals[c.Name]
		if !ok || !(i.Low < c.Of(r.Metrics) && c.Of(r.Metrics) < i.High) {
			t.Errorf("%s is %v, its interval %v", c.Name, c.Of(r.Metrics), i)
		}
	}
	a, n, m := r.AUROC, 400., 300.
	half := 1.96 * math.Sqrt((a*(1-a)+(n-1)*(a/(2-a)-a*a)+(m-1)*(2*a*a/(1+a)-a*a))/(n*m))
	if i := r.Intervals["AUROC"]; math.Abs((i.High-i.Low)/2/half-1) > .2 {
		t.Errorf("AUROC %v: interval %v, want ± %v", a, i, half)
	}
	if again := measured(t, in, out, o); !reflect.DeepEqual(r, again) {
		t.Error("the same seed gave other intervals")
	}
}

func TestCurve(t *testing.T) {
	got, err := Curve([]float64{3, 2, 2}, []float64{2, 1}, 100)
	want := []Point{{3, 1. / 3, 0, 1}, {2, 1, .5, .75}, {1, 1, 1, .6}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("curve %v (%v), want %v", got, err, want)
	}
	// The trapezoids under a curve of all points are AUROC; few are close to it.
	in, out := scoreList(t, "testdata/O1_ties_in.csv"), scoreList(t, "testdata/O1_ties_out.csv")
	r := measured(t, in, out, bootstrap.Options{})
	for points, tolerance := range map[int]float64{1 << 30: 1e-12, 50: .01} {
		curve, err := Curve(in, out, points)
		if err != nil || len(curve) > points+2 {
			t.Fatalf("%d points for %d (%v)", len(curve), points, err)
		}
		area, before := 0., Point{}
		for _, p := range curve {
			area += (p.FPR - before.FPR) * (p.TPR + before.TPR) / 2
			before = p
		}
		if math.Abs(area-r.AUROC) > tolerance || before.TPR != 1 || before.FPR != 1 {
			t.Errorf("%d points: area %v, AUROC %v, last %v", len(curve), area, r.AUROC, before)
		}
	}
}

func TestBadInput(t *testing.T) {
	ok := []float64{1}
	for want, lists := range map[string][2][]float64{
		"no in-distribution scores":                 {nil, ok},
		"no out-of-distribution scores":             {ok, {}},
		"in-distribution score 1 (the first is 0)":  {{1, math.NaN()}, ok},
		"out-of-distribution score 2 (the first is": {ok, {1, 2, math.Inf(-1)}},
	} {
		for name, f := range map[string]func() error{
			"Measure": func() error { _, err := Measure(lists[0], lists[1], bootstrap.Options{}); return err },
			"AUROC":   func() error { _, err := AUROC(lists[0], lists[1]); return err },
			"Curve":   func() error { _, err := Curve(lists[0], lists[1], 10); return err },
		} {
			if err := f(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q", name, err, want)
			}
		}
	}
	if _, err := Measure(ok, ok, bootstrap.Options{Resamples: -1}); err == nil {
		t.Error("-1 resamples: no error")
	}
}

// Goal: under 1 s on one core.
func BenchmarkAUROCOfTwoMillion(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	in, out := make([]float64, 1_000_000), make([]float64, 1_000_000)
	for i := range in {
		in[i], out[i] = rng.NormFloat64()+1, rng.NormFloat64()
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := AUROC(in, out); err != nil {
			b.Fatal(err)
		}
	}
}

// All resamples of sets that do not overlap have the same AUROC, which says nothing of others.
func TestNoIntervalOfSeparated(t *testing.T) {
	r, err := Measure([]float64{2, 3}, []float64{0, 1}, bootstrap.Options{Resamples: 50, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if i, ok := r.Intervals["AUROC"]; ok || r.AUROC != 1 {
		t.Errorf("AUROC %v has the interval %v", r.AUROC, i)
	}
}
