package calibration

import "math"

// debiased returns the ECE and the RMSCE of the bins less most of their bias (Kumar, Liang
// and Ma 2019). The accuracy of n examples has about the variance a(1-a)/n, which adds to
// every gap.
//
// The ECE is 2 ECE - E[ECE], with the expectation over accuracies drawn again from the
// normal distribution of that variance; it is computed, where uncertainty-calibration's
// normal_debiased_ce draws 1000 times. The RMSCE takes a(1-a)/(n-1) off each squared gap,
// which leaves no bias; a bin of one example adds 0, as in unbiased_l2_ce. Neither falls
// below 0.
func debiased(bins []tally, total float64) (ece, rmsce float64) {
	for _, b := range bins {
		if b.count == 0 {
			continue
		}
		accuracy, share := b.right/b.count, b.count/total
		variance := accuracy * (1 - accuracy)
		ece += share * (2*b.gap() - foldedNormal(b.gap(), math.Sqrt(variance/b.count)))
		if b.count >= 2 {
			rmsce += share * (b.gap()*b.gap() - variance/(b.count-1))
		}
	}
	return max(ece, 0), math.Sqrt(max(rmsce, 0))
}

// foldedNormal is the mean of |x| for x of a normal distribution.
func foldedNormal(mean, deviation float64) float64 {
	if deviation == 0 {
		return math.Abs(mean)
	}
	z := mean / deviation
	return deviation*math.Sqrt(2/math.Pi)*math.Exp(-z*z/2) + mean*math.Erf(z/math.Sqrt2)
}
