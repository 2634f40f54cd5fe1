package calibration

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Calibrators equal those of other packages, see testdata/README.md.
func TestCalibratorsEqualPackages(t *testing.T) {
	records := referenceRecords(t, "calibrators.csv")
	all := reference(t, "A_n5000_K10")
	validation, test := Sample{Logits: all.Logits[:2500], Labels: all.Labels[:2500]}, Sample{Logits: all.Logits[2500:], Labels: all.Labels[2500:]}
	vector, err := FitVector(t.Context(), validation)
	if err != nil {
		t.Fatal(err)
	}
	confidence := map[string][]float64{}
	for _, m := range CalibrationMethods() {
		calibrator, err := m.Fit(t.Context(), validation)
		if err != nil {
			t.Fatal(err)
		}
		s, err := calibrator.Calibrate(test)
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.Labels {
			p := make([]float64, 10)
			confidence[m.Name] = append(confidence[m.Name], s.predictAt(i, p).confidence)
		}
	}
	held := 0
	for _, r := range records[1:] {
		index, _ := strconv.Atoi(r[2])
		want, err := strconv.ParseFloat(r[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		var got float64
		switch r[1] {
		case "NLL":
			got = vector.NLL
		case "scale":
			got = vector.Scale[index]
		case "confidence":
			got = confidence[r[0]][index]
		}
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s %s %d: %.12g, but %s has %.12g", r[0], r[1], index, got, r[4], want)
		}
		held++
	}
	if held != 71 {
		t.Errorf("%d rows were compared, want 71", held)
	}
}

// Ties are pooled before violators are: ten examples at .6, five of them right, and ten at
// .7, the first of which is wrong, are two blocks.
func TestIsotonicPoolsTiesFirst(t *testing.T) {
	s := Sample{}
	for i := range 20 {
		p := []float64{.6, .4}
		if i >= 10 {
			p = []float64{.7, .3}
		}
		label := int32(0)
		if i == 10 || i < 5 {
			label = 1
		}
		s.Probabilities, s.Labels = append(s.Probabilities, p), append(s.Labels, label)
	}
	f, err := FitIsotonic(s)
	if err != nil {
		t.Fatal(err)
	}
	for confidence, want := range map[float64]float64{.5: .5, .6: .5, .65: .7, .7: .9, 1: .9} {
		if got := f.at(confidence); math.Abs(got-want) > 1e-12 {
			t.Errorf("at %v: %v, want %v", confidence, got, want)
		}
	}
}

// metricsOf are a sample's metrics but the smooth ECE, which takes most of a report's time.
func metricsOf(t interface{ Fatal(...any) }, s Sample, bins int) Metrics {
	e, err := newEvaluation(s, bins)
	if err != nil {
		t.Fatal(err)
	}
	return e.metrics(e.once(), e.newScratch())
}

// Whatever the data, a calibrator gives probabilities and, if it is of the top label, the
// same predictions; on its own validation data isotonic regression and binning leave no
// gap between accuracy and mean confidence.
func TestCalibratorProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := sample(t)
		before := metricsOf(t, s, 1)
		for _, m := range CalibrationMethods() {
			calibrator, err := m.Fit(t.Context(), s)
			if err != nil {
				if m.Name == "vector" && strings.Contains(err.Error(), "no minimum") {
					continue
				}
				t.Fatal(m.Name, err)
			}
			after, err := calibrator.Calibrate(s)
			if err != nil {
				t.Fatal(m.Name, err)
			}
			r := metricsOf(t, after, 1)
			if m.Name != "vector" && math.Abs(r.Accuracy-before.Accuracy) > 1e-12 {
				t.Errorf("%s: accuracy %v, and %v before", m.Name, r.Accuracy, before.Accuracy)
			}
			if (m.Name == "isotonic" || m.Name == "histogram") && r.ECE > 1e-9 {
				t.Errorf("%s: a gap of %v on its own data", m.Name, r.ECE)
			}
			if m.Name == "vector" && r.NLL > before.NLL+1e-9 {
				t.Errorf("vector scaling: NLL %v, and %v before", r.NLL, before.NLL)
			}
		}
	})
}

func TestEnsemble(t *testing.T) {
	a := Sample{Probabilities: [][]float64{{.8, .2}, {.4, .6}}, Labels: []int32{0, 1}}
	b := Sample{Logits: [][]float64{{0, 0}, {1, 1}}, Labels: []int32{0, 1}}
	s, err := Ensemble(a, b)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]float64{{.65, .35}, {.45, .55}} {
		if !slices.EqualFunc(s.Probabilities[i], want, func(x, y float64) bool { return math.Abs(x-y) < 1e-12 }) {
			t.Errorf("row %d: %v, want %v", i, s.Probabilities[i], want)
		}
	}
	other := Sample{Logits: b.Logits, Labels: []int32{0, 0}}
	wide := Sample{Logits: [][]float64{{0, 0, 0}, {1, 1, 1}}, Labels: []int32{0, 1}}
	for want, models := range map[string][]Sample{"no models": nil, "other labels": {a, other}, "3 classes": {a, wide}, "model 1": {a, {}}} {
		if _, err := Ensemble(models...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestCalibratorsRefuseBadInput(t *testing.T) {
	good := Sample{Logits: [][]float64{{1, 0}, {1, 0}, {0, 1}, {0, 1}, {0, 1}, {0, 2}, {0, 2}, {2, 0}, {2, 0}, {2, 0}}, Labels: []int32{0, 1, 1, 0, 1, 1, 0, 0, 1, 0}}
	for _, m := range CalibrationMethods() {
		if _, err := m.Fit(t.Context(), Sample{}); err == nil {
			t.Errorf("%s was fitted to nothing", m.Name)
		}
		c, err := m.Fit(t.Context(), good)
		if err != nil {
			t.Fatal(m.Name, err)
		}
		if _, err := c.Calibrate(Sample{Logits: [][]float64{{math.NaN(), 0}}, Labels: []int32{0}}); err == nil {
			t.Errorf("%s calibrated NaN", m.Name)
		}
	}
	separable := Sample{Logits: [][]float64{{1, 0}, {0, 1}}, Labels: []int32{0, 1}}
	if _, err := FitVector(t.Context(), separable); err == nil || !strings.Contains(err.Error(), "no minimum") {
		t.Errorf("separable data: %v", err)
	}
	right := Sample{}
	for i := range 40 {
		right.Logits = append(right.Logits, []float64{math.Sin(float64(i)), math.Cos(float64(i))})
		right.Labels = append(right.Labels, 0)
		if right.Logits[i][1] > right.Logits[i][0] {
			right.Labels[i] = 1
		}
	}
	if _, err := FitVector(t.Context(), right); err == nil || !strings.Contains(err.Error(), "no minimum") {
		t.Errorf("all 40 are right: %v", err)
	}
	// Noisy labels of classes 0 and 1, and a class 2 without examples, or with a logit that alone tells it.
	absent, told := Sample{}, Sample{}
	for i := range 60 {
		v, label := float64(i%7)/3-1, int32(i%2)
		absent.Logits, absent.Labels = append(absent.Logits, []float64{v, -v, v * v}), append(absent.Labels, label)
		told.Logits, told.Labels = append(told.Logits, []float64{v, -v, -1 - v*v}), append(told.Labels, label)
	}
	for range 20 {
		told.Logits, told.Labels = append(told.Logits, []float64{.1, .2, 1}), append(told.Labels, 2)
	}
	// Scales without end: with s and c the shift, s₀+c = 0, 2s₀+c → ∞, -s₁+c → -∞, -2s₁+c → ∞.
	partly := Sample{Logits: [][]float64{{1, 0}, {0, 1}, {1, 0}, {0, 2}, {2, 0}}, Labels: []int32{0, 1, 1, 0, 0}}
	for name, s := range map[string]Sample{"a class without examples": absent, "a class that is told apart": told, "some are separable": partly} {
		if v, err := FitVector(t.Context(), s); err == nil || !strings.Contains(err.Error(), "no minimum") {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := FitVector(canceled, good); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if c, err := CalibrationMethods()[0].Fit(t.Context(), right); err != nil || c.(Temperature).T != 1 {
		t.Errorf("all 40 are right, and the temperature is %v (%v)", c, err)
	}
	vector, err := FitVector(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vector.Calibrate(Sample{Logits: [][]float64{{1, 0, 0}}, Labels: []int32{0}}); err == nil {
		t.Error("vector scaling of 2 classes took 3")
	}
	for _, bins := range []int{0, 1 << 40} {
		if _, err := FitHistogram(good, bins); err == nil {
			t.Errorf("%d bins", bins)
		}
	}
	bad := partly
	bad.Predictions = []int32{0, 1, 2, 0, 0}
	if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), "prediction 2 is not a class") {
		t.Errorf("%v", err)
	}
}
