package main

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"ngebm/ngebm/internal/table"
)

// kind is what the values of a file look like.
type kind string

const (
	logits        kind = "logits"
	logarithms    kind = "logarithms of probabilities"
	probabilities kind = "probabilities"
	percentages   kind = "percentages"
)

// kindOf says what rows look like.
func kindOf(rows [][]float64) kind {
	switch {
	case sumTo(rows, 1):
		return probabilities
	case sumTo(rows, 100):
		return percentages
	}
	if !slices.ContainsFunc(rows, func(row []float64) bool { return math.Abs(floats.LogSumExp(row)) > 1e-3 }) {
		return logarithms
	}
	return logits
}

// sumTo reports whether rows have no negative values and nine in ten sum to a number, so
// that a damaged row hides nothing.
func sumTo(rows [][]float64, of float64) bool {
	within, near := tolerance(rows, of), 0
	for _, row := range rows {
		if slices.Min(row) < 0 || slices.Max(row) > of+within {
			return false
		}
		if math.Abs(sum(row)-of) <= within {
			near++
		}
	}
	return 10*near >= 9*len(rows)
}

// allSumTo is sumTo for every row: a column of labels next to probabilities is 0 in most rows where
// class 1 is rare.
func allSumTo(rows [][]float64, of float64) bool {
	within := tolerance(rows, of)
	return sumTo(rows, of) && !slices.ContainsFunc(rows, func(row []float64) bool { return math.Abs(sum(row)-of) > within })
}

// fewRows are too few to refuse what they look like.
const fewRows = 10

// compareKinds returns an error for values of two kinds, which any score would distinguish,
// and notes where scores that are energies carry no information.
func (in *inputs) compareKinds(t, out *table.Table) error {
	a, b := kindOf(t.Rows), kindOf(out.Rows)
	unlike := fmt.Sprintf("%q looks like %s and %q like %s: write the same of both", t.Path, a, out.Path, b)
	switch {
	case a != b && min(len(t.Rows), len(out.Rows)) >= fewRows:
		return fmt.Errorf("ngebm measure: %s", unlike)
	case a != b:
		in.notes = append(in.notes, unlike)
	case a == logarithms:
		in.notes = append(in.notes, fmt.Sprintf("%q and %q: logsumexp is 0 in every row, so these are logarithms of probabilities (log_softmax): px is rounding noise, and max_logit is log py; give logits for these scores", t.Path, out.Path))
	}
	return nil
}

func sum(row []float64) float64 {
	s := 0.
	for _, v := range row {
		s += v
	}
	return s
}

// Probabilities of bfloat16, or printed with three digits, sum to 1 within
// roundedSum; those of float32 within exactSum.
const (
	roundedSum = 3e-3
	exactSum   = 1e-5
)

// tolerance is how far from 1 or 100 rows of probabilities may sum to: what the digits
// of rounded ones allow, half of the last one for each, but never a quarter.
func tolerance(rows [][]float64, of float64) float64 {
	const maxDigits = 4
	for digits := range maxDigits {
		step := math.Pow(10, -float64(digits))
		rounded := func(v float64) bool { return math.Abs(v-step*math.Round(v/step)) < 1e-7*(1+math.Abs(v)) }
		if !slices.ContainsFunc(rows, func(row []float64) bool {
			return slices.ContainsFunc(row, func(v float64) bool { return !rounded(v) })
		}) {
			allowed := float64(len(rows[0])) * step / 2 * (1 - 1e-6)
			return max(of*roundedSum*(1+1e-9), min(allowed, of/4))
		}
	}
	return of * roundedSum * (1 + 1e-9)
}

// normalize divides rows by their sums if any of these is off 1 by more than float32's
// rounding, and returns the largest distance then. Rows that are no rounded
// probabilities stay, for others to refuse.
func normalize(rows [][]float64) (off float64) {
	within := tolerance(rows, 1)
	fits := func(row []float64) bool { return math.Abs(sum(row)-1) <= within && slices.Min(row) >= 0 }
	for _, row := range rows {
		if fits(row) {
			off = max(off, math.Abs(sum(row)-1))
		}
	}
	if off <= exactSum {
		return 0
	}
	for _, row := range rows {
		if s := sum(row); fits(row) {
			for k := range row {
				row[k] /= s
			}
		}
	}
	return off
}
