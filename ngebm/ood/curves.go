package ood

// Point is one threshold: examples with a score of at least Threshold are
// accepted as in-distribution.
type Point struct {
	Threshold float64 `json:"threshold"`
	TPR       float64 `json:"TPR"`       // share of in that is accepted (recall)
	FPR       float64 `json:"FPR"`       // share of out that is accepted
	Precision float64 `json:"precision"` // share of the accepted that is in
}

// Curve returns the thresholds from the highest score down, in positive: FPR and
// TPR make the ROC curve, which starts at (0, 0), TPR and Precision the
// precision-recall curve. Of the distinct scores it keeps about the given number,
// spaced evenly along the ROC curve; the first and the last, which accepts all,
// are always among them.
func Curve(in, out []float64, points int) ([]Point, error) {
	c, err := newCounts(in, out)
	if err != nil {
		return nil, err
	}
	var curve []Point
	var accepted, wrongly int32
	least, kept := 2/float64(max(points, 1)), -1. // along the curve, which is 2 long; where the last point is
	for k := len(c.scores) - 1; k >= 0; k-- {
		accepted += c.in[k]
		wrongly += c.out[k]
		tpr, fpr := float64(accepted)/float64(c.nIn), float64(wrongly)/float64(c.nOut)
		if len(curve) > 0 && tpr+fpr-kept < least && k > 0 {
			continue
		}
		kept = tpr + fpr
		curve = append(curve, Point{c.scores[k], tpr, fpr, float64(accepted) / float64(accepted+wrongly)})
	}
	return curve, nil
}
