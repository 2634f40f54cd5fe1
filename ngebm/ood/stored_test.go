package ood

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
)

// A stored detector, read again, gives the same scores to the last bit.
func TestStoredDetectors(t *testing.T) {
	c := references(t)["random"]
	for _, name := range StorableNames() {
		d, err := FindDetector(name)
		if err != nil {
			t.Fatal(err)
		}
		fitted, err := d.Fit(t.Context(), c.training())
		if err != nil {
			t.Fatal(err)
		}
		stored, err := Store(fitted)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(stored)
		if err != nil {
			t.Fatal(err)
		}
		var read Stored
		if err := json.Unmarshal(raw, &read); err != nil {
			t.Fatal(err)
		}
		again, err := Restore(read, c.Weight, c.Bias)
		if err != nil {
			t.Fatal(err)
		}
		a, err := fitted.Score(t.Context(), c.outputs())
		if err != nil {
			t.Fatal(err)
		}
		b, err := again.Score(t.Context(), c.outputs())
		if err != nil || !slices.Equal(a, b) {
			t.Errorf("%s: scores %v (%v), before it was stored %v", name, b, err, a)
		}
	}
	knn, err := KNN(5).Fit(t.Context(), c.training())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Store(knn); err == nil {
		t.Error("kNN was stored")
	}
	for want, s := range map[string]Stored{
		`no detector "other" can be restored`:              {Detector: "other"},
		`stored "MDS" is not of a network with 6 features`: {Detector: "MDS", Center: make(Numbers, 6), Whitening: make(Numbers, 35), Means: make(Numbers, 6)},
		`stored "RMDS" is not of a network`:                {Detector: "RMDS", Center: make(Numbers, 6), Whitening: make(Numbers, 36), Means: make(Numbers, 6)},
		`stored "ViM" is not of a network`:                 {Detector: "ViM", Center: make(Numbers, 6), Residual: make(Numbers, 36)},
		`stored "fDBD" is not of a network`:                {Detector: "fDBD"},
		`stored "ReAct" has the number NaN`:                {Detector: "ReAct", Scale: math.NaN()},
	} {
		if _, err := Restore(s, c.Weight, c.Bias); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// A stored detector may come from anyone: one that is restored has finite scores, or an error.
func FuzzRestore(f *testing.F) {
	weight, bias := [][]float64{{1, 0}, {0, 1}, {1, 1}}, []float64{0, .5}
	training := Training{Features: [][]float64{{1, 2, 3}, {2, 1, 0}, {0, 1, 1}, {4, 2, 1}}, Labels: []int32{0, 1, 0, 1}, Weight: weight, Bias: bias}
	for _, name := range StorableNames() {
		d, err := FindDetector(name)
		if err != nil {
			f.Fatal(err)
		}
		fitted, err := d.Fit(f.Context(), training)
		if err != nil {
			f.Fatal(err)
		}
		stored, err := Store(fitted)
		if err != nil {
			f.Fatal(err)
		}
		raw, err := json.Marshal(stored)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"detector":"MDS","center":"AAAA"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s Stored
		if json.Unmarshal(raw, &s) != nil {
			return
		}
		d, err := Restore(s, weight, bias)
		if err != nil {
			return
		}
		scores, err := d.Score(t.Context(), Outputs{Features: training.Features})
		if err != nil {
			return
		}
		for i, v := range scores {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("score %d is %v", i, v)
			}
		}
	})
}
