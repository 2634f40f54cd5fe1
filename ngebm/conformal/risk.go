package conformal

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Risk is a threshold on the confidence: of the answers whose confidence is at or above it,
// a share of at most Level is wrong.
type Risk struct {
	Level     float64 `json:"level"` // r
	Delta     float64 `json:"delta"` // δ, the probability that the held-out examples mislead
	Threshold float64 `json:"threshold"`
	Bound     float64 `json:"bound"`    // on the share of wrong answers, with confidence 1-δ; ≤ Level
	Examples  int     `json:"examples"` // held out,
	Answered  int     `json:"answered"` // of these at or above the threshold,
	Wrong     int     `json:"wrong"`    // and of these wrong
}

// coverages are the shares of the held-out examples that FitRisk tries to answer.
var coverages = [...]float64{1, .99, .98, .95, .9, .8, .7, .6, .5, .4, .3, .2, .1}

// FitRisk finds the threshold with the most answers whose share of wrong ones is at most
// level, with confidence 1-delta over draws of the held-out examples. It tests a fixed list
// of up to 13 coverages, 1 to .1, with the exact binomial bound, each at δ over their number:
// Learn then Test (Angelopoulos et al. 2021, arXiv 2110.01052) with Bonferroni's correction.
// Those that too few examples could show are left out beforehand. (The binary search of
// Geifman and El-Yaniv 2017, arXiv 1705.08500, begins at half of the examples; of few
// examples these show nothing, and it then never tries more.)
//
// confidence, in [0,1], and right, if the answer is, are those of each example. The error of
// too few examples is a *[TooFewError].
func FitRisk(confidence []float64, right []bool, level, delta float64) (*Risk, error) {
	n := len(right)
	switch {
	case !(level > 0 && level < 1):
		return nil, fmt.Errorf("conformal: the risk is %v; it must be between 0 and 1, as .02 is for one wrong answer in 50", level)
	case !(delta > 0 && delta < 1):
		return nil, fmt.Errorf("conformal: delta is %v; it must be between 0 and 1, as .05 is for confidence .95", delta)
	case len(confidence) != n:
		return nil, fmt.Errorf("conformal: %d confidences but %d answers; each example needs one of each", len(confidence), n)
	}
	for i, c := range confidence {
		if !(c >= 0 && c <= 1) {
			return nil, fmt.Errorf("conformal: confidence %d (from 0) is %v; it must be from 0 to 1", i, c)
		}
	}
	tests := testable(n, level, delta)
	if tests == 0 {
		need := int(min(math.Ceil(math.Log(delta)/math.Log1p(-level)), math.MaxInt32))
		return nil, &TooFewError{Have: n, Need: need, Wanted: fmt.Sprintf("a risk of %g with confidence %.10g even if every answer is right", level, 1-delta)}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(confidence[b], confidence[a]) })
	least := 1.
	for _, coverage := range coverages[:tests] {
		answered, threshold := int(coverage*float64(n)), 0.
		if answered < n {
			// The answers are those above the first that is not given, so that given their
			// number they are independent draws; ties are not answered in part.
			above := confidence[order[answered]]
			threshold = math.Nextafter(above, 2)
			for answered > 0 && confidence[order[answered-1]] <= above {
				answered--
			}
		}
		wrong := 0
		for _, i := range order[:answered] {
			if !right[i] {
				wrong++
			}
		}
		bound := BinomialBound(wrong, answered, delta/float64(tests))
		if bound <= level {
			return &Risk{Level: level, Delta: delta, Threshold: threshold, Bound: bound, Examples: n, Answered: answered, Wrong: wrong}, nil
		}
		least = min(least, bound)
	}
	wrong := n
	for _, r := range right {
		if r {
			wrong--
		}
	}
	return nil, fmt.Errorf("conformal: no threshold has a risk of at most %g with confidence %.10g on %d held-out examples, %d of them wrong; the least bound is %.3g: hold out more, ask for less, or train a better model", level, 1-delta, n, wrong, least)
}

// testable is the largest number of coverages that n examples can all show the risk at, if
// every answer is right. It depends on no answer.
func testable(n int, level, delta float64) int {
	for tests := len(coverages); tests > 0; tests-- {
		if BinomialBound(0, int(coverages[tests-1]*float64(n)), delta/float64(tests)) <= level {
			return tests
		}
	}
	return 0
}

// BinomialBound is the Clopper-Pearson upper bound on a probability: with k of n seen, the
// largest p for which P(Binomial(n,p) ≤ k) is delta or more.
func BinomialBound(k, n int, delta float64) float64 {
	if k >= n {
		return 1
	}
	if k == 0 { // in closed form, so that rounding does not matter at a level's edge
		return -math.Expm1(math.Log(delta) / float64(n))
	}
	return mathext.InvRegIncBeta(float64(k+1), float64(n-k), 1-delta)
}
