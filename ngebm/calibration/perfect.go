package calibration

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Expected is what a metric of a perfectly calibrated model with the same confidences would
// be: one whose predictions are right with the probability that it names. It is not 0,
// because accuracies of few examples scatter. An ECE within Low … High says nothing against
// a model's calibration.
type Expected struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"` // Low to High holds 95 %
	High float64 `json:"high"`
}

const (
	perfectDraws   = 1000
	perfectSeed    = 20230401
	exactVariance  = 25 // of a bin's number of right answers, above which it is taken as normal
	perfectTail    = .025
	truncateAtSDs  = 10
	truncateBeyond = 20
)

// perfect returns what a perfectly calibrated model would score: in ECE, ECE_equal_mass and
// ECE_midpoint. The number of right answers in a bin has a Poisson binomial distribution.
// It is computed where its variance is below 25, and else taken as normal, which moves the
// mean gap by less than a hundredth. The mean is exact but for that; the 95 % come from
// 1000 draws of all bins with a fixed seed.
func (e *evaluation) perfect() map[string]Expected {
	same := func(b outcomes) float64 { return b.sum }
	middle := func(b outcomes) float64 {
		return b.count * (float64(binOf(b.first, midpointBins)) + .5) / midpointBins
	}
	n := len(e.ranked)
	edges := equalMassEdges(e.ranked, e.once(), e.n, e.bins, nil)
	return map[string]Expected{
		"ECE":            expected(e.outcomes(func(i int) int { return int(e.binIndices[i].bin) }), n, same),
		"ECE_equal_mass": expected(e.outcomes(func(i int) int { return sortedBin(edges, e.ranked[i].confidence) }), n, same),
		"ECE_midpoint":   expected(e.outcomes(func(i int) int { return int(e.binIndices[i].midpoint) }), n, middle),
	}
}

// sortedBin is the number of edges below a confidence.
func sortedBin(edges []float64, confidence float64) int {
	i, _ := slices.BinarySearch(edges, confidence)
	return i
}

// outcomes returns the bins that hold examples. bin says which bin the i-th of the ranked
// examples is in, and rises with i.
func (e *evaluation) outcomes(bin func(i int) int) []outcomes {
	var all []outcomes
	e.split(bin, func(_ int, o outcomes) { all = append(all, o) })
	return all
}

// split calls yield for each bin that holds examples.
func (e *evaluation) split(bin func(i int) int, yield func(bin int, o outcomes)) {
	for i := 0; i < len(e.ranked); {
		at, end := bin(i), i
		for end < len(e.ranked) && bin(end) == at {
			end++
		}
		yield(at, newOutcomes(e.ranked[i:end]))
		i = end
	}
}

// expected is Σ |right answers - target| / n over the bins.
func expected(bins []outcomes, n int, target func(outcomes) float64) Expected {
	var all Expected
	totals := make([]float64, perfectDraws)
	rng := rand.New(rand.NewPCG(perfectSeed, 0))
	for _, b := range bins {
		t := target(b)
		all.Mean += b.meanGap(t) / float64(n)
		for i := range totals {
			totals[i] += math.Abs(b.draw(rng)-t) / float64(n)
		}
	}
	slices.Sort(totals)
	last := float64(perfectDraws - 1)
	all.Low, all.High = totals[int(perfectTail*last)], totals[int(math.Ceil((1-perfectTail)*last))]
	return all
}

// outcomes is the distribution of the number of right answers in a bin.
type outcomes struct {
	count, sum, first float64 // examples, their confidences' sum, the least of them
	deviation         float64
	cumulative        []float64 // of 0, 1 … errors, or right answers; nil where it is normal
	errors            bool
}

func newOutcomes(examples []ranked) outcomes {
	b := outcomes{count: float64(len(examples)), first: examples[0].confidence}
	variance := 0.
	for _, e := range examples {
		b.sum += e.confidence
		variance += e.confidence * (1 - e.confidence)
	}
	b.deviation = math.Sqrt(variance)
	if variance > exactVariance {
		return b
	}
	b.errors = b.sum > b.count/2 // the rarer of the two are counted
	mean := min(b.sum, b.count-b.sum)
	most := min(len(examples), int(mean+truncateAtSDs*b.deviation)+truncateBeyond)
	mass := make([]float64, 1, most+1)
	mass[0] = 1
	for _, e := range examples {
		p := e.confidence
		if b.errors {
			p = 1 - p
		}
		if len(mass) <= most {
			mass = append(mass, 0)
		}
		for k := len(mass) - 1; k > 0; k-- {
			mass[k] = mass[k]*(1-p) + mass[k-1]*p
		}
		mass[0] *= 1 - p
	}
	b.cumulative = mass
	for k := 1; k < len(mass); k++ {
		mass[k] += mass[k-1]
	}
	return b
}

// right turns an index of the distribution into a number of right answers.
func (b outcomes) right(k int) float64 {
	if b.errors {
		return b.count - float64(k)
	}
	return float64(k)
}

// meanGap is the mean of |right answers - target|.
func (b outcomes) meanGap(target float64) float64 {
	if b.cumulative == nil {
		return foldedNormal(b.sum-target, b.deviation)
	}
	sum, before := 0., 0.
	for k, c := range b.cumulative {
		sum += (c - before) * math.Abs(b.right(k)-target)
		before = c
	}
	return sum
}

func (b outcomes) draw(rng *rand.Rand) float64 {
	if b.cumulative == nil {
		return b.sum + b.deviation*rng.NormFloat64()
	}
	return b.at(rng.Float64())
}

// at is the number of right answers at a quantile of the distribution of what is counted.
func (b outcomes) at(q float64) float64 {
	k, _ := slices.BinarySearch(b.cumulative, q)
	return b.right(min(k, len(b.cumulative)-1))
}

// accuracies is the range that holds the accuracy of a perfectly calibrated model in 95 %
// of the samples, at least.
func (b outcomes) accuracies() (low, high float64) {
	const z = 1.959963984540054 // the standard normal's 97.5 % point
	low, high = b.sum-z*b.deviation, b.sum+z*b.deviation
	if b.cumulative != nil {
		one, other := b.at(perfectTail), b.at(1-perfectTail)
		low, high = min(one, other), max(one, other)
	}
	return max(low/b.count, 0), min(high/b.count, 1)
}
