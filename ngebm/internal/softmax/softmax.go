// Package softmax computes softmax to the last bit as numpy does.
//
// A confidence exactly on a bin's edge, as .6 does, falls into one bin
// or the other by its last bit, and two scores are a tie or not by theirs. To
// decide as other packages do, softmax has to round as they do: exp to the
// nearest float64 in all but some thousandths of cases (math.Exp misses it in
// some hundredths), and sums in numpy's order.
package softmax

import "math"

// Replace replaces logits by their softmax, where top is the largest of them,
// and returns log Σ exp(logit - top).
func Replace(p []float64, top float64) (logSum float64) {
	for k, z := range p {
		p[k] = exp(z - top)
	}
	sum := pairwiseSum(p)
	for k := range p {
		p[k] /= sum
	}
	return math.Log(sum)
}

// exp returns e^x for x ≤ 0, within .51 units of the last place. With
// x = k ln 2 + r and |r| ≤ ln(2)/2, the first terms of Σ rⁱ/i! are summed exactly
// and the rest, smaller than .01, in float64.
func exp(x float64) float64 {
	const (
		ln2High = 6.93147180369123816490e-01 // 32 bits, so that k × ln2High is exact
		ln2Low  = 1.90821492927058770002e-10
	)
	if x < -708 { // the result is close to the smallest normal number, or below
		return math.Exp(x)
	}
	k := math.Floor(x*math.Log2E + .5)
	high := x - k*ln2High
	low := k * ln2Low
	r := high - low
	rest := (high - r) - low // r + rest is the reduced argument

	square := r * r
	squareRest := math.FMA(r, r, -square)
	series := 1. / 87178291200                        // 1/14!
	series = math.FMA(series, r, 1./6227020800)       // 1/13!
	series = math.FMA(series, r, 1./479001600)        // …
	series = math.FMA(series, r, 1./39916800)         //
	series = math.FMA(series, r, 1./3628800)          //
	series = math.FMA(series, r, 1./362880)           //
	series = math.FMA(series, r, 1./40320)            //
	series = math.FMA(series, r, 1./5040)             //
	series = math.FMA(series, r, 1./720)              //
	series = math.FMA(series, r, 1./120)              //
	series = math.FMA(series, r, 1./24)               //
	series = math.FMA(series, r, 1./6) * (square * r) // r³/3! + … + r¹⁴/14!

	first := r + square/2
	firstRest := (r - first) + square/2
	sum := 1 + first
	sumRest := (1 - sum) + first
	e := sum + (sumRest + (series + (firstRest + squareRest/2 + rest*(1+r))))
	return e * math.Float64frombits(uint64(1023+int64(k))<<52)
}

// pairwiseSum adds in the order of numpy's sum over the last axis: one after
// the other below 8 values, in 8 lanes up to 128, in halves beyond.
func pairwiseSum(x []float64) float64 {
	n := len(x)
	switch {
	case n < 8:
		sum := 0.
		for _, v := range x {
			sum += v
		}
		return sum
	case n <= 128:
		var lanes [8]float64
		copy(lanes[:], x)
		i := 8
		for ; i+8 <= n; i += 8 {
			for j := range lanes {
				lanes[j] += x[i+j]
			}
		}
		sum := ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]))
		for ; i < n; i++ {
			sum += x[i]
		}
		return sum
	default:
		half := n / 2
		half -= half % 8
		return pairwiseSum(x[:half]) + pairwiseSum(x[half:])
	}
}
