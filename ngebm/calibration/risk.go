package calibration

// RiskPoint is one point of a risk-coverage curve: answering only the share
// Coverage of the examples, those with the highest confidence, Risk of the
// answers are wrong.
type RiskPoint struct {
	Coverage  float64 `json:"coverage"`
	Risk      float64 `json:"risk"`
	Threshold float64 `json:"threshold"` // the least confidence that is answered
}

// RiskCoverage returns the risk-coverage curve (El-Yaniv and Wiener 2010) from
// the most confident example on, one point where each distinct confidence ends,
// thinned to about the given number of points evenly in coverage. The last point
// has coverage 1.
func RiskCoverage(s Sample, points int) ([]RiskPoint, error) {
	e, err := newEvaluation(s, 1)
	if err != nil {
		return nil, err
	}
	var curve []RiskPoint
	wrong, seen, due := 0, 0, 0
	for i := e.n - 1; i >= 0; i-- {
		x := e.ranked[i]
		seen++
		if !x.right {
			wrong++
		}
		if tied := i > 0 && e.ranked[i-1].confidence == x.confidence; !tied && (seen >= due || i == 0) {
			curve = append(curve, RiskPoint{float64(seen) / float64(e.n), float64(wrong) / float64(seen), x.confidence})
			due = seen + e.n/max(points, 1)
		}
	}
	return curve, nil
}

// riskAreas returns the areas under two curves over the examples, of which the most confident
// are answered first.
//
// aurc is that under the risk-coverage curve: the mean, over k = 1 … n, of the risk among the
// k most confident examples. Examples of equal confidence come in any order; theirs is the
// mean over all orders.
//
// augrc is that under the generalized curve (Traub et al. 2024): the share of all examples
// that is answered and wrong, over coverages 0 … 1, with a straight line between distinct
// confidences.
func riskAreas(examples []ranked, weights []int32, total int) (aurc, augrc float64) {
	var seen, wrong float64
	for i := len(examples) - 1; i >= 0; {
		var count, errors float64
		confidence := examples[i].confidence
		for ; i >= 0 && examples[i].confidence == confidence; i-- {
			w := float64(weights[examples[i].example])
			count += w
			if !examples[i].right {
				errors += w
			}
		}
		for k := 1.; k <= count; k++ {
			aurc += (wrong + errors*k/count) / (seen + k)
		}
		augrc += count * (wrong + errors/2)
		seen += count
		wrong += errors
	}
	return aurc / float64(total), augrc / float64(total) / float64(total)
}
