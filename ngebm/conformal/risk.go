package conformal

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
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

// FitRisk finds the threshold with the most answers whose share of wrong ones is at most
// level with confidence 1-delta: selection with guaranteed risk (Geifman and El-Yaniv 2017,
// Selective classification for deep neural networks, arXiv 1705.08500, algorithm 1). A binary
// search looks at ⌈log₂ n⌉ thresholds, and tests each with the exact binomial bound at
// δ/⌈log₂ n⌉. Like the paper it takes it that wrong answers are rarer at higher confidence.
// The error of too few examples is a *[TooFewError]. right says of each example if its answer
// is.
func FitRisk(confidence []float64, right []bool, level, delta float64) (*Risk, error) {
	switch {
	case !(level > 0 && level < 1):
		return nil, fmt.Errorf("conformal: the risk is %v; it must be between 0 and 1, as .02 is for one wrong answer in 50", level)
	case !(delta > 0 && delta < 1):
		return nil, fmt.Errorf("conformal: delta is %v; it must be between 0 and 1, as .05 is for confidence .95", delta)
	case len(confidence) != len(right):
		return nil, fmt.Errorf("conformal: %d confidences but %d answers; each example needs one of each", len(confidence), len(right))
	}
	if err := finite(confidence); err != nil {
		return nil, err
	}
	n := len(right)
	looks := max(1, bits.Len(uint(max(n, 1)-1)))
	each := delta / float64(looks)
	if need := needRisk(level, delta); n < need {
		return nil, &TooFewError{Have: n, Need: need, Wanted: fmt.Sprintf("a risk of %g with confidence %g even if every answer is right", level, 1-delta)}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(confidence[b], confidence[a]) })
	// wrong[j] counts among the j most confident.
	wrong := make([]int, n+1)
	for j, i := range order {
		wrong[j+1] = wrong[j]
		if !right[i] {
			wrong[j+1]++
		}
	}
	var found *Risk
	low, high, least := 0, n, 1.
	for look := 0; look < looks && low < high; look++ {
		answered := (low + high + 1) / 2
		threshold := confidence[order[answered-1]]
		for answered < n && confidence[order[answered]] == threshold { // ties are answered together
			answered++
		}
		bound := BinomialBound(wrong[answered], answered, each)
		least = min(least, bound)
		if bound > level {
			high = (low+high+1)/2 - 1
			continue
		}
		low = answered
		found = &Risk{Level: level, Delta: delta, Threshold: threshold, Bound: bound, Examples: n, Answered: answered, Wrong: wrong[answered]}
	}
	if found == nil {
		return nil, fmt.Errorf("conformal: no threshold has a risk of at most %g with confidence %g on %d held-out examples, %d of them wrong; the least bound is %.3g: hold out more, ask for less, or train a better model", level, 1-delta, n, wrong[n], least)
	}
	return found, nil
}

// BinomialBound is the Clopper-Pearson upper bound on a probability: with k of n seen, the
// largest p for which P(Binomial(n,p) ≤ k) is delta or more.
func BinomialBound(k, n int, delta float64) float64 {
	if k >= n {
		return 1
	}
	return mathext.InvRegIncBeta(float64(k+1), float64(n-k), 1-delta)
}

// needRisk is the smallest n at which n right answers of n show that risk.
func needRisk(level, delta float64) int {
	if level < 1e-7 {
		return math.MaxInt32
	}
	n := 1
	for range 100 { // each round is a fixed-point step: the number of looks grows slowly
		looks := float64(max(1, bits.Len(uint(n-1))))
		need := int(math.Ceil(math.Log(delta/looks) / math.Log1p(-level)))
		if need <= n {
			return n
		}
		n = need
	}
	return n
}
