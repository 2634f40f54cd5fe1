package study

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"ngebm/ngebm/bootstrap"
)

// Comparison says how a metric of one row differs from that of another, between runs with
// the same seed: a difference, or a ratio. Conclude from its interval ([Comparison.Shows]),
// never from the mean alone.
type Comparison struct {
	Estimate // of the difference or the ratio; Values by seed
	// P is the two-sided p-value of the paired t-test, on the scale of the interval, that
	// there is none (0, or a ratio of 1); NaN for fewer than two seeds, or where a ratio
	// is 0 or infinite. Where all seeds have the same difference or ratio, for which there
	// is no t-test, it is that of the sign test, 2^(1-n). [Holm] adjusts it.
	P     float64
	ratio bool
}

// significance is the level of conclusions.
const significance = .05

// Difference says by how much a metric of a row is larger than of another: the mean of the
// differences between runs with the same seed, with its t-interval: of shares and sums of gaps
// one between -1 and 1, see [NewEstimateOn].
func Difference(a, b Row, of MetricOf) Comparison {
	return DifferenceOf(a, of, b, of)
}

// DifferenceOf is [Difference] for two metrics, of two rows or of one: by how much f of a is
// larger than g of b.
func DifferenceOf(a Row, f MetricOf, b Row, g MetricOf) Comparison {
	return difference(pairs(a.Results, b.Results), f, g)
}

// Ratio says how many times larger a metric of a row is than of another: the geometric mean
// of the ratios between runs with the same seed, with the t-interval of the mean logarithm.
func Ratio(a, b Row, of MetricOf) Comparison {
	return ratio(pairs(a.Results, b.Results), of, of)
}

func difference(pairs [][2]*Result, f, g MetricOf) Comparison {
	var differences []float64
	scale := bootstrap.Signed
	for _, pair := range pairs {
		x, y := f(pair[0]), g(pair[1])
		differences = append(differences, x.Value-y.Value)
		if !x.bounded() || !y.bounded() {
			scale = bootstrap.Linear
		}
	}
	return newDifference(scale, differences)
}

func newDifference(scale bootstrap.Scale, differences []float64) Comparison {
	e := NewEstimateOn(scale, differences)
	slope := 1. // of the mean where it is tested, to that where the standard error is
	if m := math.Abs(e.Mean); scale == bootstrap.Signed && m > 0 && m < 1 {
		slope = math.Atanh(m) / m * (1 - m*m)
	}
	return Comparison{Estimate: e, P: tTest(e, slope)}
}

// bounded reports whether the value is from 0 to 1.
func (m Metric) bounded() bool { return m.Scale == bootstrap.Share || m.Scale == bootstrap.Gap }

func ratio(pairs [][2]*Result, f, g MetricOf) Comparison {
	var ratios, logarithms []float64
	for _, pair := range pairs {
		ratio := f(pair[0]).Value / g(pair[1]).Value
		ratios, logarithms = append(ratios, ratio), append(logarithms, math.Log(ratio))
	}
	e := NewEstimate(logarithms)
	return Comparison{Estimate{math.Exp(e.Mean), math.Exp(e.Low), math.Exp(e.High), ratios}, tTest(e, 1), true}
}

// pairs returns the results with the same seed.
func pairs(a, b []*Result) [][2]*Result {
	bySeed := map[uint64]*Result{}
	for _, other := range slices.Backward(b) {
		bySeed[other.Seed] = other
	}
	var all [][2]*Result
	for _, one := range a {
		if other := bySeed[one.Seed]; other != nil {
			all = append(all, [2]*Result{one, other})
		}
	}
	return all
}

// tTest is the two-sided p-value of Student's test that the mean is 0, with the statistic
// times slope.
func tTest(e Estimate, slope float64) float64 {
	n := float64(len(e.Values))
	switch {
	case n < 2 || math.IsInf(e.Mean, 0) || math.IsNaN(e.Mean): // of logarithms of 0
		return math.NaN()
	case e.Mean == 0:
		return 1
	case e.Equal():
		return math.Pow(2, 1-n)
	}
	t := slope * math.Abs(e.Mean) / stat.StdDev(e.Values, nil) * math.Sqrt(n)
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.CDF(-t)
}

// Shows is 1 if the comparison shows that the first row's metric is larger, -1 if smaller,
// and 0 if it leaves that open: P must be below .05. Without [Holm] this is so where the 95 %
// interval excludes 0, or a ratio of 1; equal differences or ratios, which have no interval,
// show something from six seeds on.
func (c Comparison) Shows() int {
	neutral := 0.
	if c.ratio {
		neutral = 1
	}
	switch {
	case !(c.P < significance):
		return 0
	case c.Mean > neutral:
		return 1
	}
	return -1
}

// InWords says how many times smaller the second row's metric is, where the comparison is a
// ratio, with the interval, in how many of the seeds, and whether that is left open (see
// [Comparison.Shows]): "1.69 times smaller [0.69, 4.13], in 3 of 3 seeds; not settled".
func (c Comparison) InWords() string {
	times, low, high, way := c.Mean, c.Low, c.High, "smaller"
	if times < 1 {
		times, low, high, way = 1/times, 1/high, 1/low, "larger"
	}
	agree := 0
	for _, v := range c.Values {
		if (v < 1) == (c.Mean < 1) {
			agree++
		}
	}
	interval := fmt.Sprintf(" [%.2f, %.2f]", low, high)
	if len(c.Values) < 2 || c.Equal() {
		interval = ""
	}
	s := fmt.Sprintf("%.2f times %s%s, in %d of %d seeds", times, way, interval, agree, len(c.Values))
	if c.Shows() == 0 {
		s += "; not settled"
	}
	return s
}

// Holm returns comparisons that one sentence sums up, with their P adjusted so that all
// that show something are right in 95 % of such families (Holm 1979; R's
// p.adjust(method="holm")). A NaN stays, and counts as one of the family. Intervals stay
// those of one comparison alone.
func Holm(family ...Comparison) []Comparison {
	adjusted := slices.Clone(family)
	order := make([]int, len(family))
	for i := range order {
		order[i] = i
	}
	p := func(i int) float64 { // a NaN comes last
		if math.IsNaN(family[i].P) {
			return 2
		}
		return family[i].P
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p(a), p(b)) })
	least := 0.
	for rank, i := range order {
		if math.IsNaN(family[i].P) {
			continue
		}
		least = max(least, min(1, family[i].P*float64(len(family)-rank)))
		adjusted[i].P = least
	}
	return adjusted
}
