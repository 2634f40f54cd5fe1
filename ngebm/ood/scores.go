package ood

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"ngebm/ngebm/internal/softmax"
)

// Score turns a row of logits into a number that is larger for examples more
// in-distribution.
type Score struct {
	Name       string // px, py, max_logit, entropy, GEN
	Definition string // its definition

	// FromProbabilities says that the score depends on the softmax of the logits
	// alone.
	FromProbabilities bool

	of      func(row []float64) float64 // of probabilities if FromProbabilities, else of logits
	invalid error                       // of its parameters
}

// Scores lists the scores that need nothing but logits.
func Scores() []Score {
	return []Score{Energy(1), MaxSoftmax(), MaxLogit(), Entropy(), GEN(.1, 100)}
}

// Of returns the score of each row of logits, [examples][classes].
func (s Score) Of(logits [][]float64) ([]float64, error) {
	if s.invalid != nil {
		return nil, s.invalid
	}
	if !s.FromProbabilities {
		return each(logits, s.of)
	}
	var p []float64
	return each(logits, func(row []float64) float64 {
		p = append(p[:0], row...)
		softmax.Replace(p, slices.Max(row))
		return s.of(p)
	})
}

// OfProbabilities returns the score of each row of probabilities,
// [examples][classes]. It is an error if a row is none: values from 0 to 1 whose sum is 1, both
// to one part in a thousand.
func (s Score) OfProbabilities(p [][]float64) ([]float64, error) {
	if s.invalid != nil {
		return nil, s.invalid
	}
	if !s.FromProbabilities {
		return nil, fmt.Errorf("ood: %s (%s) cannot be computed from probabilities; give logits", s.Name, s.Definition)
	}
	for i, row := range p {
		sum := 0.
		for k, v := range row {
			if sum += v; !(v >= 0 && v <= 1+tolerance) {
				return nil, fmt.Errorf("ood: row %d (the first is 0): value %d is %v, no probability; give logits to Score.Of", i, k, v)
			}
		}
		if len(row) > 0 && !(math.Abs(sum-1) <= tolerance) {
			return nil, fmt.Errorf("ood: row %d (the first is 0): the probabilities sum to %v, not 1; give logits to Score.Of", i, sum)
		}
	}
	return each(p, s.of)
}

// tolerance is by how much probabilities may be off, which others have rounded.
const tolerance = 1e-3

// each computes a score of each row.
func each(rows [][]float64, of func(row []float64) float64) ([]float64, error) {
	if len(rows) == 0 {
		return nil, errors.New("ood: there are no rows")
	}
	scores := make([]float64, len(rows))
	for i, row := range rows {
		if len(row) == 0 || len(row) != len(rows[0]) {
			return nil, fmt.Errorf("ood: row %d (the first is 0) has %d values, the first has %d", i, len(row), len(rows[0]))
		}
		for k, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("ood: row %d (the first is 0): value %d is %v; it must be finite", i, k, v)
			}
		}
		scores[i] = of(row)
		if math.IsNaN(scores[i]) || math.IsInf(scores[i], 0) {
			return nil, fmt.Errorf("ood: row %d (the first is 0): its score is %v; the values are too large, or no probabilities", i, scores[i])
		}
	}
	return scores, nil
}

// Energy is T log Σ exp(f/T), the logarithm of the unnormalized density p(x) of
// NG-EBM and JEM for T = 1, and Liu et al. (2020)'s negative free energy. Of a T that is not above
// 0 there are no scores, but an error.
func Energy(temperature float64) Score {
	var invalid error
	if !(temperature > 0) || math.IsInf(temperature, 1) {
		invalid = fmt.Errorf("ood: the energy at temperature %v; it must be above 0 and finite, as 1 is", temperature)
	}
	name, is := "px", "logsumexp f (energy)"
	if temperature != 1 {
		name, is = fmt.Sprintf("px_T%g", temperature), fmt.Sprintf("T logsumexp f/T, T = %g", temperature)
	}
	return Score{Name: name, Definition: is, invalid: invalid, of: func(logits []float64) float64 {
		top := slices.Max(logits)
		sum := 0.
		for _, f := range logits {
			sum += math.Exp((f - top) / temperature)
		}
		return top + temperature*math.Log(sum)
	}}
}

// MaxSoftmax is the maximum softmax probability, MSP (Hendrycks and Gimpel 2017): the
// paper's p(y|x).
func MaxSoftmax() Score {
	return Score{Name: "py", Definition: "max softmax f (MSP)", FromProbabilities: true, of: slices.Max[[]float64]}
}

// MaxLogit is the largest logit (Hendrycks et al. 2022).
func MaxLogit() Score {
	return Score{Name: "max_logit", Definition: "max f", of: slices.Max[[]float64]}
}

// Entropy is Σ p log p, the negative entropy of the softmax in nats.
func Entropy() Score {
	return Score{Name: "entropy", Definition: "-entropy of softmax f", FromProbabilities: true, of: func(p []float64) float64 {
		sum := 0.
		for _, v := range p {
			if v > 0 {
				sum += v * math.Log(v)
			}
		}
		return sum
	}}
}

// GEN is the negative generalized entropy, -Σ pᵞ (1-p)ᵞ over the top classes of
// highest probability, or all if there are fewer (Liu, Lochman and Zach 2023, who
// use γ = .1 and, of 1000 classes, the top 100). Of a γ that is not above 0, or a top below 1,
// there are no scores, but an error.
func GEN(gamma float64, top int) Score {
	var invalid error
	if !(gamma > 0) || math.IsInf(gamma, 1) || top < 1 {
		invalid = fmt.Errorf("ood: GEN with γ = %v over the top %d classes; γ must be above 0 and finite, as .1 is, and there must be 1 class or more", gamma, top)
	}
	is := fmt.Sprintf("-Σ pᵞ(1-p)ᵞ over the min(%d, classes) most probable classes, γ = %g", top, gamma)
	return Score{Name: "GEN", Definition: is, FromProbabilities: true, invalid: invalid, of: func(p []float64) float64 {
		p = slices.Clone(p)
		slices.Sort(p)
		sum := 0.
		for _, v := range p[max(len(p)-top, 0):] {
			sum += math.Pow(v*max(1-v, 0), gamma) // a probability may be above 1 by rounding
		}
		return -sum
	}}
}
