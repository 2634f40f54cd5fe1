package conformal

import (
	"fmt"
	"math"
	"slices"
)

// TooFewError says that there are fewer held-out examples than a statement needs.
type TooFewError struct {
	Have, Need int
	Of         string // which of them: "of class 3"; empty for all
	Wanted     string // the statement: "coverage of 0.99"
}

func (e *TooFewError) Error() string {
	of := ""
	if e.Of != "" {
		of = " " + e.Of
	}
	return fmt.Sprintf("conformal: %d held-out examples%s cannot support %s, which needs %d or more; hold out more, or ask for less", e.Have, of, e.Wanted, e.Need)
}

// Quantile returns the ⌈(n+1)(1-α)⌉-th smallest of n scores: the next, exchangeable one is
// at most that with probability 1-α or more. The error of n < (1-α)/α is a *[TooFewError].
func Quantile(scores []float64, alpha float64) (float64, error) {
	if !(alpha > 0 && alpha < 1) {
		return 0, fmt.Errorf("conformal: alpha is %v; it must be between 0 and 1", alpha)
	}
	if err := finite(scores); err != nil {
		return 0, err
	}
	n := len(scores)
	rank := n + 1 - atMost(alpha, n)
	if rank > n {
		return 0, &TooFewError{Have: n, Need: needed(alpha), Wanted: fmt.Sprintf("coverage of %.10g", 1-alpha)}
	}
	sorted := slices.Clone(scores)
	slices.Sort(sorted)
	return sorted[rank-1], nil
}

// Threshold returns a bound under which the next, exchangeable score is with probability
// rate or less: the ⌊(n+1) rate⌋-th smallest of n scores that are larger for examples more
// usual. Those below it are refused (Bates et al. 2023, Testing for outliers with conformal
// p-values, arXiv 2104.08279): of the n, one fewer if all differ. It is an error if scores are so
// often equal that fewer than half of those are below it: the score does not separate.
func Threshold(scores []float64, rate float64) (float64, error) {
	if !(rate > 0 && rate < 1) {
		return 0, fmt.Errorf("conformal: the rate of false alarms is %v; it must be between 0 and 1, as .05 is", rate)
	}
	if err := finite(scores); err != nil {
		return 0, err
	}
	n := len(scores)
	rank := atMost(rate, n)
	if rank < 1 {
		return 0, &TooFewError{Have: n, Need: needed(rate), Wanted: fmt.Sprintf("a rate of false alarms of %.6g", rate)}
	}
	sorted := slices.Clone(scores)
	slices.Sort(sorted)
	threshold := sorted[rank-1]
	below, _ := slices.BinarySearch(sorted, threshold)
	if equal := len(sorted) - below; 2*below < rank-1 || sorted[0] == sorted[n-1] {
		return 0, fmt.Errorf("conformal: the score does not separate: at a rate of %.6g the threshold is %g, and %d of %d held-out examples are at or above it with %d below; choose another score", rate, threshold, equal, n, below)
	}
	return threshold, nil
}

// atMost is ⌊(n+1) rate⌋, where (n+1) rate may miss a whole number by rounding; for a rate below 1 it is n at most.
func atMost(rate float64, n int) int {
	product := float64(n+1) * rate
	if whole := math.Round(product); math.Abs(product-whole) < 1e-9*whole {
		return min(int(whole), n)
	}
	return min(int(product), n)
}

// needed is the smallest n with (n+1) rate ≥ 1.
func needed(rate float64) int {
	if rate < 1e-9 { // more than anybody has
		return int(min(math.Ceil(1/rate)-1, math.MaxInt32))
	}
	n := max(0, int(1/rate)-2)
	for atMost(rate, n) < 1 {
		n++
	}
	return n
}

func finite(scores []float64) error {
	for i, v := range scores {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("conformal: score %d (from 0) is %v; it must be finite", i, v)
		}
	}
	return nil
}
