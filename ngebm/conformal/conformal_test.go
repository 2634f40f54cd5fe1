package conformal

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"ngebm/data/testerror"
)

func TestBinomialBound(t *testing.T) {
	for _, b := range readReference(t).Bounds {
		if got := BinomialBound(int(b[0]), int(b[1]), b[2]); math.Abs(got-b[3]) > 1e-9 {
			t.Errorf("%g of %g at δ = %g: %v, scipy 1.17.1 has %v", b[0], b[1], b[2], got, b[3])
		}
	}
}

func TestRiskOfTies(t *testing.T) {
	// 110 right answers at 1, then 40 of confidence .5, half of them wrong: those are answered
	// together or not at all.
	confidence, right := make([]float64, 150), make([]bool, 150)
	for i := range confidence {
		confidence[i], right[i] = 1, true
		if i >= 110 {
			confidence[i], right[i] = .5, i%2 == 0
		}
	}
	r, err := FitRisk(confidence, right, .1, .05)
	if err != nil {
		t.Fatal(err)
	}
	if !(r.Threshold > .5 && r.Threshold <= 1) || r.Answered != 110 || r.Wrong != 0 || !(r.Bound > 0 && r.Bound <= .1) {
		t.Errorf("%+v", r)
	}
	if r, err = FitRisk(confidence, right, .4, .05); err != nil || r.Answered != 150 || r.Wrong != 20 || r.Threshold != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// The least number that an error names is enough, and one less is not.
func TestNeedIsExact(t *testing.T) {
	for _, rate := range []float64{.5, .1, .05, .01, .001, 1. / 3, .07} {
		need := needed(rate)
		for n, want := range map[int]bool{need: true, need - 1: false} {
			scores := make([]float64, n)
			for i := range scores {
				scores[i] = float64(i)
			}
			_, err := Quantile(scores, rate)
			if (err == nil) != want {
				t.Errorf("α = %g, n = %d: %v", rate, n, err)
			}
		}
	}
	for _, level := range []float64{.3, .05, .01} {
		need := int(math.Ceil(math.Log(.05) / math.Log(1-level)))
		for n, want := range map[int]bool{need: true, need - 1: false} {
			confidence, right := make([]float64, n), make([]bool, n)
			for i := range right {
				confidence[i], right[i] = float64(i)/1e3, true
			}
			_, err := FitRisk(confidence, right, level, .05)
			if (err == nil) != want {
				t.Errorf("risk %g, n = %d: %v", level, n, err)
			}
		}
	}
}

// A rate that rounds to 1 has the rank of the largest that is below it.
func TestRateNextToOne(t *testing.T) {
	scores := []float64{3, 1, 2}
	for _, rate := range []float64{.9, 1 - 1e-10, math.Nextafter(1, 0)} {
		if q, err := Quantile(scores, rate); err != nil || q != 1 {
			t.Errorf("alpha %v: %v (%v), want the smallest", rate, q, err)
		}
		if bound, err := Threshold(scores, rate); err != nil || bound != 3 {
			t.Errorf("rate %v: %v (%v), want the largest", rate, bound, err)
		}
	}
}

func TestErrors(t *testing.T) {
	nan := math.NaN()
	p := [][]float64{{.6, .4}, {.3, .7}}
	fit := func(p [][]float64, labels []int32, u []float64, o Options) error {
		_, err := Fit(p, labels, u, o)
		return err
	}
	threshold := func(scores []float64, rate float64) error {
		_, err := Threshold(scores, rate)
		return err
	}
	risk := func(confidence []float64, right []bool, level, delta float64) error {
		_, err := FitRisk(confidence, right, level, delta)
		return err
	}
	wrong := make([]bool, 200)
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"method":             {fit(p, []int32{0, 1}, nil, Options{Method: "best", Alpha: .5}), []string{`"best"`, "lac, aps or raps"}},
		"alpha NaN":          {fit(p, []int32{0, 1}, nil, Options{Alpha: nan}), []string{"alpha is NaN", "between 0 and 1"}},
		"randomized lac":     {fit(p, []int32{0, 1}, []float64{0, 0}, Options{Alpha: .5, Randomized: true}), []string{"nothing to randomize"}},
		"penalty of aps":     {fit(p, []int32{0, 1}, nil, Options{Method: APS, Alpha: .5, Penalty: 1}), []string{"choose raps"}},
		"negative penalty":   {fit(p, []int32{0, 1}, nil, Options{Method: RAPS, Alpha: .5, Penalty: -1}), []string{"penalty of -1"}},
		"too few":            {fit(p, []int32{0, 1}, nil, Options{Alpha: .1}), []string{"2 held-out examples", "coverage of 0.9", "needs 9"}},
		"too few for .93":    {fit(p, []int32{0, 1}, nil, Options{Alpha: .07}), []string{"coverage of 0.93, which needs 14"}},
		"too few of a class": {fit(p, []int32{0, 0}, nil, Options{Alpha: .4, PerClass: true}), []string{"0 held-out examples of class 1", "needs 2"}},
		"probability NaN":    {fit([][]float64{{nan, 1}}, []int32{0}, nil, Options{Alpha: .5}), []string{"NaN", "finite"}},
		"label":              {fit(p, []int32{0, 2}, nil, Options{Alpha: .5}), []string{"label 2"}},
		"no random numbers":  {fit(p, []int32{0, 1}, nil, Options{Method: APS, Alpha: .5, Randomized: true}), []string{"0 random numbers for 2 examples"}},
		"random number":      {fit(p, []int32{0, 1}, []float64{0, 1}, Options{Method: APS, Alpha: .5, Randomized: true}), []string{"random number 1", "is 1, not in [0,1)"}},
		"rate":               {threshold([]float64{1, 2}, 1), []string{"false alarms is 1", "between 0 and 1"}},
		"score NaN":          {threshold([]float64{1, nan}, .5), []string{"score 1", "NaN"}},
		"few scores":         {threshold([]float64{1, 2}, .05), []string{"2 held-out", "needs 19"}},
		"a tiny rate":        {threshold([]float64{1, 2}, 1e-20), []string{"2 held-out", "needs 2147483647"}},
		"a third of a rate":  {threshold([]float64{1, 2}, .05/3), []string{"a rate of false alarms of 0.0166667, which needs 59"}},
		"some equal scores":  {threshold(append([]float64{0, 0}, slices.Repeat([]float64{1}, 37)...), .05), []string{"does not separate"}},
		"equal scores":       {threshold(make([]float64, 50), .1), []string{"does not separate", "choose another"}},
		"risk":               {risk([]float64{1}, []bool{true}, 0, .1), []string{"the risk is 0"}},
		"delta":              {risk([]float64{1}, []bool{true}, .1, nan), []string{"delta is NaN"}},
		"lengths":            {risk([]float64{1}, nil, .1, .1), []string{"1 confidences but 0 answers"}},
		"few answers":        {risk([]float64{1}, []bool{true}, .1, .1), []string{"1 held-out examples", "risk of 0.1", "needs "}},
		"confidence .93":     {risk([]float64{1}, []bool{true}, .1, .07), []string{"with confidence 0.93 even"}},
		"all wrong":          {risk(make([]float64, 200), wrong, .1, .1), []string{"no threshold", "200 of them wrong", "hold out more"}},
	} {
		t.Run(name, func(t *testing.T) { testerror.Want(t, c.err, c.want...) })
	}
}

func TestCheck(t *testing.T) {
	good := Sets{Options: Options{Method: LAC, Alpha: .1}, Classes: 3, Examples: []int{20}, Thresholds: []float64{.5}}
	if err := good.Check(3); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(s *Sets){
		"classes":    func(s *Sets) { s.Classes = 2 },
		"per class":  func(s *Sets) { s.PerClass = true },
		"thresholds": func(s *Sets) { s.Thresholds = nil },
		"NaN":        func(s *Sets) { s.Thresholds = []float64{math.NaN()} },
		"alpha":      func(s *Sets) { s.Alpha = 0 },
	} {
		bad := good
		change(&bad)
		if bad.Check(3) == nil {
			t.Errorf("%s: no error", name)
		}
	}
	// No method is LAC, for Fit as for stored sets.
	unnamed := good
	unnamed.Method = ""
	p := []float64{.3, .6, .1}
	if got := unnamed.Of(p, 0); unnamed.Check(3) != nil || !slices.Equal(got, good.Of(p, 0)) || !slices.Equal(got, []int{1}) {
		t.Errorf("without a method the set is %v", got)
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "a row of 4 probabilities, for sets of 3 classes") {
			t.Errorf("panic %v", r)
		}
	}()
	good.Of([]float64{.25, .25, .25, .25}, 0)
}
