package ood

import (
	"math"
	"slices"
	"strings"
	"testing"

	"ngebm/ngebm/internal/softmax"
)

// Values by scipy 1.17.1 (special.logsumexp, special.softmax) and the papers'
// formulas in numpy 2.4.6.
func TestScores(t *testing.T) {
	logits := [][]float64{{1, 2, 4}, {0, 0, 0}, {700, -700, 3}}
	for _, c := range []struct {
		s    Score
		want []float64
	}{
		{Energy(1), []float64{4.169846019556286, math.Log(3), 700}},
		{Energy(100), []float64{112.20235217165082, 100 * math.Log(3), 700.0940042456164}},
		{MaxSoftmax(), []float64{0.8437947344813395, 1. / 3, 1}},
		{MaxLogit(), []float64{4, 0, 700}},
		{Entropy(), []float64{-0.5242666167276728, -math.Log(3), -1.3803171739745085e-300}},
		{GEN(.1, 100), []float64{-2.337033125151918, -3 * math.Pow(2./9, .1), -5.366295840091961e-31}},
		{GEN(.5, 2), []float64{-0.6810980293637857, -2 * math.Sqrt(2./9), -4.4501336751874574e-152}},
	} {
		got, err := c.s.Of(logits)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			if !(math.Abs(got[i]-want) <= 1e-12*math.Abs(want)) {
				t.Errorf("%s (%s) of %v is %v, want %v", c.s.Name, c.s.Definition, logits[i], got[i], want)
			}
		}
	}
}

// Scores that are FromProbabilities are the same from both, to the last bit; the
// others say that they cannot be.
func TestScoresFromProbabilities(t *testing.T) {
	logits := [][]float64{{1, 2, 4}, {5, 5, -5}, {800, -800, 0}}
	p := make([][]float64, len(logits))
	for i, row := range logits {
		p[i] = slices.Clone(row)
		softmax.Replace(p[i], slices.Max(row))
	}
	for _, s := range Scores() {
		if !s.FromProbabilities {
			if _, err := s.OfProbabilities(p); err == nil || !strings.Contains(err.Error(), "give logits") {
				t.Errorf("%s of probabilities: error %v", s.Name, err)
			}
			continue
		}
		want, err := s.Of(logits)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.OfProbabilities(p)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s of %v is %v from probabilities, %v from logits", s.Name, logits[i], got[i], want[i])
			}
		}
	}
}

func TestScoresRefuse(t *testing.T) {
	logits := [][]float64{{5, -3}}
	of := func(s Score, rows [][]float64) error { _, err := s.Of(rows); return err }
	from := func(rows ...[]float64) error { _, err := MaxSoftmax().OfProbabilities(rows); return err }
	for want, err := range map[string]error{
		"temperature 0;":     of(Energy(0), logits),
		"temperature -1;":    of(Energy(-1), logits),
		"γ = -1":             of(GEN(-1, 100), logits),
		"the top -1 classes": of(GEN(.1, -1), logits),
		"row 1 (the first is 0): value 0 is 5, no probability": from([]float64{.5, .5}, logits[0]),
		"value 1 is NaN, no probability":                       from([]float64{.5, math.NaN()}),
		"probabilities sum to 0.8, not 1":                      from([]float64{.4, .4}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestBadLogits(t *testing.T) {
	for want, logits := range map[string][][]float64{
		"there are no rows":                  {},
		"row 1 (the first is 0) has 1 value": {{1, 2}, {1}},
		"row 0 (the first is 0) has 0 value": {{}},
		"value 1 is NaN":                     {{1, math.NaN()}},
		"row 1 (the first is 0): value 0":    {{1, 2}, {math.Inf(1), 0}},
	} {
		for _, s := range Scores() {
			if _, err := s.Of(logits); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q", s.Name, err, want)
			}
		}
	}
}
