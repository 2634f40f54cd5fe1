package ood_test

import (
	"fmt"

	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/ood"
)

// Larger scores mean more in-distribution. Of the 12 pairs, 10 are in order and
// one is a tie.
func ExampleMeasure() {
	in := []float64{5, 4, 3, 2}
	out := []float64{3, 1, 0.5}
	r, err := ood.Measure(in, out, bootstrap.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("AUROC %.4f = 10.5 / 12\n", r.AUROC)
	fmt.Printf("to accept 95 %% of in, %.2f of out must be accepted\n", r.FPR95InPositive)
	fmt.Printf("to reject 95 %% of out, %.2f of in must be rejected\n", r.FPR95OutPositive)
	// Output:
	// AUROC 0.8750 = 10.5 / 12
	// to accept 95 % of in, 0.33 of out must be accepted
	// to reject 95 % of out, 0.50 of in must be rejected
}

// One row that decides for a class, and one that is torn between two but whose
// logits are large: px and py disagree on which is the stranger.
func ExampleScores() {
	logits := [][]float64{{3, 0, 0}, {6, 6, 0}}
	for _, s := range ood.Scores() {
		scores, err := s.Of(logits)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%-9s %6.3f %6.3f  %s\n", s.Name, scores[0], scores[1], s.Definition)
	}
	// Output:
	// px         3.095  6.694  logsumexp f (energy)
	// py         0.909  0.499  max softmax f (MSP)
	// max_logit  3.000  6.000  max f
	// entropy   -0.367 -0.702  -entropy of softmax f
	// GEN       -2.240 -2.253  -Σ pᵞ(1-p)ᵞ over the min(100, classes) most probable classes, γ = 0.1
}
