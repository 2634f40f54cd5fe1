package ood

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Score turns a row of logits into a number that is larger for examples more
// in-distribution.
type Score struct {
	Name string // px, py, max_logit, entropy, GEN
	Is   string // its definition

	// FromProbabilities says that a constant added to all logits changes nothing,
	// so that log-probabilities serve as logits.
	FromProbabilities bool

	of func(logits []float64) float64
}

// Scores lists the scores that need nothing but logits.
func Scores() []Score {
	return []Score{Energy(1), MaxSoftmax(), MaxLogit(), Entropy(), GEN(.1, 100)}
}

// Of returns the score of each row of logits, [examples][classes].
func (s Score) Of(logits [][]float64) ([]float64, error) {
	if len(logits) == 0 {
		return nil, errors.New("ood: there are no logits")
	}
	scores := make([]float64, len(logits))
	for i, row := range logits {
		if len(row) == 0 || len(row) != len(logits[0]) {
			return nil, fmt.Errorf("ood: row %d (the first is 0) has %d logits, the first has %d", i, len(row), len(logits[0]))
		}
		for k, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("ood: row %d (the first is 0): logit %d is %v; it must be finite", i, k, v)
			}
		}
		scores[i] = s.of(row)
	}
	return scores, nil
}

// LogProbabilities returns logits that have these probabilities, for scores that
// are FromProbabilities. Probabilities below the least normal number count as
// that.
func LogProbabilities(probabilities [][]float64) [][]float64 {
	logits := make([][]float64, len(probabilities))
	for i, row := range probabilities {
		logits[i] = make([]float64, len(row))
		for k, p := range row {
			logits[i][k] = math.Log(max(p, 0x1p-1022))
		}
	}
	return logits
}

// Energy is T log Σ exp(f/T), the logarithm of the unnormalised density p(x) of
// NG-EBM and JEM for T = 1, and Liu et al. (2020)'s negative free energy.
func Energy(temperature float64) Score {
	name, is := "px", "logsumexp f (energy)"
	if temperature != 1 {
		name, is = fmt.Sprintf("px_T%g", temperature), fmt.Sprintf("T logsumexp f/T, T = %g", temperature)
	}
	return Score{Name: name, Is: is, of: func(logits []float64) float64 {
		top := slices.Max(logits)
		sum := 0.
		for _, f := range logits {
			sum += math.Exp((f - top) / temperature)
		}
		return top + temperature*math.Log(sum)
	}}
}

// MaxSoftmax is the largest probability (Hendrycks and Gimpel 2017), p(y|x).
func MaxSoftmax() Score {
	return Score{Name: "py", Is: "max softmax f", FromProbabilities: true, of: func(logits []float64) float64 {
		return slices.Max(softmax(logits))
	}}
}

// MaxLogit is the largest logit (Hendrycks et al. 2022).
func MaxLogit() Score {
	return Score{Name: "max_logit", Is: "max f", of: func(logits []float64) float64 { return slices.Max(logits) }}
}

// Entropy is Σ p log p, the negative entropy of the softmax in nats.
func Entropy() Score {
	return Score{Name: "entropy", Is: "-entropy of softmax f", FromProbabilities: true, of: func(logits []float64) float64 {
		sum := 0.
		for _, p := range softmax(logits) {
			if p > 0 {
				sum += p * math.Log(p)
			}
		}
		return sum
	}}
}

// GEN is the negative generalised entropy, -Σ pᵞ (1-p)ᵞ over the top classes of
// highest probability, or all if there are fewer (Liu, Lochman and Zach 2023, who
// use γ = .1 and, of 1000 classes, the top 100).
func GEN(gamma float64, top int) Score {
	is := fmt.Sprintf("-Σ pᵞ(1-p)ᵞ over the top %d classes, γ = %g", top, gamma)
	return Score{Name: "GEN", Is: is, FromProbabilities: true, of: func(logits []float64) float64 {
		p := softmax(logits)
		slices.Sort(p)
		sum := 0.
		for _, v := range p[max(len(p)-top, 0):] {
			sum += math.Pow(v*(1-v), gamma)
		}
		return -sum
	}}
}

func softmax(logits []float64) []float64 {
	top := slices.Max(logits)
	p := make([]float64, len(logits))
	sum := 0.
	for k, f := range logits {
		p[k] = math.Exp(f - top)
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return p
}
