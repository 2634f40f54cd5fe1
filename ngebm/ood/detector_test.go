package ood

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// referenceCase is a case of testdata/detectors.json, which detectors.py next to it writes:
// features in steps of 1/4, so that distances tie, two equal examples, and a class of one
// example.
type referenceCase struct {
	Features, Weight, Queries [][]float64
	Labels                    []int32
	Bias                      []float64
	Scores                    map[string][]float64
}

func (c referenceCase) training() Training {
	return Training{Features: c.Features, Labels: c.Labels, Weight: c.Weight, Bias: c.Bias}
}

// outputs are the queries' features and logits.
func (c referenceCase) outputs() Outputs {
	o := Outputs{Features: c.Queries}
	for _, z := range c.Queries {
		f := append([]float64(nil), c.Bias...)
		for j, v := range z {
			for k, w := range c.Weight[j] {
				f[k] += v * w
			}
		}
		o.Logits = append(o.Logits, f)
	}
	return o
}

func references(t *testing.T) map[string]referenceCase {
	t.Helper()
	raw, err := os.ReadFile("testdata/detectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases map[string]referenceCase }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

func scored(t testing.TB, d Detector, training Training, o Outputs) []float64 {
	t.Helper()
	fitted, err := d.Fit(context.Background(), training)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := fitted.Score(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return scores
}

// Scores equal pytorch-ood 0.4.0's, times the factor that the detector's comment states, also for
// collinear and constant features.
func TestDetectorsEqualPyTorchOOD(t *testing.T) {
	classes := 4.
	for name, c := range references(t) {
		n := float64(len(c.Features))
		for reference, as := range map[string]struct {
			d      Detector
			factor float64
		}{
			"kNN 1": {KNN(1), -1}, "kNN 5": {KNN(5), -1}, "MDS": {MDS(), -2 * n}, "RMDS": {RMDS(), -n},
			"ViM 2": {ViM(2), -1}, "ViM 3": {ViM(3), -1}, "fDBD": {FDBD(), -1}, "ReAct 90": {ReAct(90), -1},
			"px": {ofLogits(Energy(1), ""), -1}, "py": {ofLogits(MaxSoftmax(), ""), -1}, "max_logit": {ofLogits(MaxLogit(), ""), -1},
			"entropy": {ofLogits(Entropy(), ""), -1}, "GEN": {genDetector(.1), -classes},
		} {
			got := scored(t, as.d, c.training(), c.outputs())
			if len(c.Scores[reference]) != len(c.Queries) {
				t.Fatalf("%s, %s: %d scores in the reference", name, reference, len(c.Scores[reference]))
			}
			for i, want := range c.Scores[reference] {
				want *= as.factor
				clipped := reference == "GEN" || reference == "entropy" // probabilities, at 1e-7
				if tolerance := 1e-6 * max(1, math.Abs(want)); !(math.Abs(got[i]-want) <= tolerance) && !(clipped && least(c.outputs().Logits[i]) < 1e-7) {
					t.Errorf("%s, %s: query %d has the score %v, want %v", name, reference, i, got[i], want)
				}
			}
		}
	}
}

// least is the least probability.
func least(logits []float64) float64 {
	top, sum, low := logits[0], 0., logits[0]
	for _, f := range logits {
		top, low = max(top, f), min(low, f)
	}
	for _, f := range logits {
		sum += math.Exp(f - top)
	}
	return math.Exp(low-top) / sum
}

// Where a detector cannot be fitted it says why; scores are never NaN.
func TestDegenerateFeatures(t *testing.T) {
	c := references(t)["random"]
	change := func(edit func(t *Training)) Training {
		training := c.training()
		training.Features, training.Weight = nil, nil
		for _, z := range c.Features {
			training.Features = append(training.Features, append([]float64(nil), z...))
		}
		for _, w := range c.Weight {
			training.Weight = append(training.Weight, append([]float64(nil), w...))
		}
		edit(&training)
		return training
	}
	scaled := func(factor float64) Training {
		return change(func(t *Training) {
			for _, z := range t.Features {
				for j := range z {
					z[j] = float64(j%2+1) * z[0] * factor
				}
			}
		})
	}
	equal := change(func(t *Training) {
		for _, z := range t.Features {
			copy(z, c.Features[0])
		}
	})
	twins := change(func(t *Training) {
		for _, w := range t.Weight {
			w[1] = w[0]
		}
	})
	for name, training := range map[string]Training{
		"one direction": scaled(1), "one direction, tiny": scaled(1e-12), "one direction, large": scaled(1e9), "enormous": scaled(1e77),
		"all equal": equal, "equal classes": twins, "all zero": scaled(0),
	} {
		for _, d := range []Detector{KNN(5), MDS(), RMDS(), ViM(0), ViM(5), FDBD(), ReAct(90)} {
			fitted, err := d.Fit(t.Context(), training)
			if err != nil {
				t.Logf("%s: %v", name, err)
				continue
			}
			for _, set := range [][][]float64{c.Queries, training.Features, {make([]float64, 6)}} {
				scores, err := fitted.Score(t.Context(), Outputs{Features: set})
				if err != nil {
					t.Logf("%s: %s: %v", name, d.Name, err)
				}
				for i, v := range scores {
					if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
						t.Errorf("%s, %s: score %d is %v without an error", name, d.Name, i, v)
					}
				}
			}
		}
	}
	for want, got := range map[string]struct {
		d        Detector
		training Training
	}{
		"k is 50; it must be from 1 to the 40 training examples": {KNN(50), c.training()},
		"must be from 1 to 5, below the 6 features":              {ViM(6), c.training()},
		"classes 0 and 1 have equal weights":                     {FDBD(), twins},
		"span 3 dimensions or fewer": {ViM(3), change(func(t *Training) { // every example at the origin of the logits
			for k := range t.Bias {
				t.Bias = append([]float64(nil), t.Bias...)
				t.Bias[k] = 0
			}
			for _, z := range t.Features {
				z[3], z[4], z[5] = z[0], z[1], z[2]
			}
		})},
		"the network has 1 feature; a principal subspace": {ViM(0), change(func(t *Training) {
			t.Weight = t.Weight[:1]
			for i := range t.Features {
				t.Features[i] = t.Features[i][:1]
			}
		})},
		"all training examples have the same features":    {RMDS(), equal},
		"so that there is no covariance":                  {MDS(), scaled(0)},
		"the percentile is 0":                             {ReAct(0), c.training()},
		"row 2 (the first is 0): feature 3 is NaN":        {MDS(), change(func(t *Training) { t.Features[2][3] = math.NaN() })},
		"row 1 (the first is 0) has 2 features; 6":        {MDS(), change(func(t *Training) { t.Features[1] = t.Features[1][:2] })},
		"label 4 of training example 3":                   {RMDS(), change(func(t *Training) { t.Labels = append([]int32{0, 0, 0, 4}, t.Labels[4:]...) })},
		"40 training examples have 3 labels":              {RMDS(), change(func(t *Training) { t.Labels = t.Labels[:3] })},
		"there are no rows of features":                   {KNN(1), change(func(t *Training) { t.Features = nil })},
		"the last layer has 0 rows of weights and 4 bias": {KNN(1), change(func(t *Training) { t.Weight = nil })},
	} {
		if _, err := got.d.Fit(t.Context(), got.training); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", got.d.Name, err, want)
		}
	}
}

// endsAfter is a context that is canceled once it was asked a number of times.
type endsAfter struct {
	context.Context
	asked int
}

func (c *endsAfter) Err() error {
	if c.asked--; c.asked < 0 {
		return context.Canceled
	}
	return nil
}

func TestScoringRefuses(t *testing.T) {
	c := references(t)["random"]
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, d := range Detectors() {
		if d.Name == "kNN" {
			d = KNN(5)
		}
		fitted, err := d.Fit(t.Context(), c.training())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Fit(canceled, c.training()); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, fit canceled: %v", d.Name, err)
		}
		if _, err := fitted.Score(t.Context(), Outputs{}); err == nil {
			t.Errorf("%s without outputs: no error", d.Name)
		}
		o := c.outputs()
		o.GradientNorms, o.ODIN = make([]float64, len(c.Queries)), make([]float64, len(c.Queries))
		if _, err := fitted.Score(canceled, o); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, canceled: %v", d.Name, err)
		}
		scores, err := fitted.Score(t.Context(), o)
		if err != nil || len(scores) != len(c.Queries) {
			t.Errorf("%s: %d scores: %v", d.Name, len(scores), err)
		}
		for checks := range 4 { // canceled at some moment of the scoring
			if got, err := fitted.Score(&endsAfter{t.Context(), checks}, o); err == nil && !slices.Equal(got, scores) || err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%s, canceled at check %d: %v, %v", d.Name, checks, got, err)
			}
		}
	}
	if _, err := FindDetector("knn"); err == nil || !strings.Contains(err.Error(), `no detector "knn" (did you mean kNN?)`) {
		t.Errorf("knn: %v", err)
	}
	if d, err := FindDetector("energy"); err != nil || d.Name != "px" {
		t.Errorf("energy: %v, %v", d.Name, err)
	}
	if _, err := MDS().With(3); err == nil || !strings.Contains(err.Error(), "MDS has no parameter") {
		t.Errorf("MDS with 3: %v", err)
	}
	for _, d := range []Detector{KNN(5), ViM(0)} {
		if _, err := d.With(2.5); err == nil || !strings.Contains(err.Error(), "is 2.5; it must be a whole number") {
			t.Errorf("%s with 2.5: %v", d.Name, err)
		}
	}
}

// Tune takes the candidate with the best AUROC on the validation split, and leaves out those that
// cannot be fitted.
func TestTune(t *testing.T) {
	c := references(t)["random"]
	in, out := Outputs{Features: c.Queries[:4]}, Outputs{Features: c.Queries[4:]}
	d := KNN(50)
	d.Candidates = []float64{1, 3, 5, 20, 1000}
	tuned, err := d.Tune(t.Context(), c.training(), in, out)
	if err != nil {
		t.Fatal(err)
	}
	best, k := -1., 0.
	for _, v := range d.Candidates[:4] {
		auroc, err := AUROC(scored(t, KNN(int(v)), c.training(), in), scored(t, KNN(int(v)), c.training(), out))
		if err != nil {
			t.Fatal(err)
		}
		if auroc > best {
			best, k = auroc, v
		}
	}
	if tuned.Value != k || !strings.Contains(tuned.Definition, fmt.Sprintf("k = %g", k)) {
		t.Errorf("k = %v of %q, want %v", tuned.Value, tuned.Definition, k)
	}
	d.Candidates = []float64{1000}
	if _, err := d.Tune(t.Context(), c.training(), in, out); err == nil || !strings.Contains(err.Error(), "k is 1000") {
		t.Errorf("no candidate can be fitted: %v", err)
	}
	own := KNN(5)
	own.Candidates = []float64{1000}
	if same, err := own.Tune(t.Context(), c.training(), in, out); err != nil || same.Value != 5 {
		t.Errorf("only the detector's own value can be fitted: %v, %v", same.Value, err)
	}
	if same, err := MDS().Tune(t.Context(), Training{}, in, out); err != nil || same.Name != "MDS" { // nothing is fitted
		t.Errorf("MDS: %v, %v", same.Name, err)
	}
}

// random are features of a given size around ten centers, with a last layer.
func random(n, width int) (Training, Outputs) {
	rng := rand.New(rand.NewPCG(1, 2))
	rows := func(n, width int) [][]float64 {
		all := make([][]float64, n)
		for i := range all {
			all[i] = make([]float64, width)
			for j := range all[i] {
				all[i][j] = rng.NormFloat64() + 3*float64((i%10+j)%7)
			}
		}
		return all
	}
	t := Training{Features: rows(n, width), Labels: make([]int32, n), Weight: rows(width, 10), Bias: rows(1, 10)[0]}
	for i := range t.Labels {
		t.Labels[i] = int32(i % 10)
	}
	return t, Outputs{Features: rows(max(n/5, 1), width)}
}

// Blocks and goroutines change nothing: kNN's scores are those of a plain search.
func TestKNNByBlocks(t *testing.T) {
	training, o := random(2*trainBlock+77, 5)
	o.Features = o.Features[:scoreBlock+9]
	done := 0
	o.Done = func(n int) { done = n }
	got := scored(t, KNN(7), training, o)
	unit := func(z []float64) []float64 {
		norm := 0.
		for _, v := range z {
			norm += v * v
		}
		u := make([]float64, len(z))
		for j, v := range z {
			u[j] = v / math.Sqrt(norm)
		}
		return u
	}
	for _, i := range []int{0, 100, scoreBlock, scoreBlock + 8} {
		q, farther := unit(o.Features[i]), 0
		nearer := 0
		for _, z := range training.Features {
			d := 0.
			for j, v := range unit(z) {
				d += (v - q[j]) * (v - q[j])
			}
			if math.Sqrt(d) < -got[i]-1e-12 {
				nearer++
			} else if math.Sqrt(d) > -got[i]+1e-12 {
				farther++
			}
		}
		if nearer != 6 || farther != len(training.Features)-7 {
			t.Errorf("query %d: %d are nearer than %v, %d farther", i, nearer, -got[i], farther)
		}
	}
	if done != len(o.Features) {
		t.Errorf("the last report is of %d examples", done)
	}
}

// Goals on two cores: kNN under 20 s, ViM's and MDS's fits under 10 s.
func BenchmarkDetectors(b *testing.B) {
	training, o := random(50_000, 128)
	for _, d := range []Detector{KNN(50), MDS(), RMDS(), ViM(0), FDBD(), ReAct(90)} {
		b.Run(d.Name, func(b *testing.B) {
			for b.Loop() {
				start := time.Now()
				fitted, err := d.Fit(b.Context(), training)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(time.Since(start).Seconds(), "s-fit")
				if _, err := fitted.Score(b.Context(), o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
