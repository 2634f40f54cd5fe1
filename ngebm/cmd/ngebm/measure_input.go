package main

import (
	"fmt"
	"math"
	"slices"

	"ngebm/ngebm/internal/table"
)

// inputs reads the files of one report and keeps what was concluded from them.
type inputs struct {
	probabilities bool
	notes         []string
}

// logits reads logits or probabilities, a row an example.
func (in *inputs) logits(path string) (*table.Table, error) {
	t, err := table.Read(path)
	if err == nil {
		err = t.CheckLogits()
	}
	if err != nil {
		return nil, fmt.Errorf("ngebm measure: %w", err)
	}
	switch {
	case in.probabilities:
		if off := normalise(t.Rows); off > 0 {
			t.Notes = append(t.Notes, fmt.Sprintf("%q: probabilities sum to 1 within %.2g only, as rounded ones do; each row is divided by its sum", path, off))
		}
	case sumToOne(t.Rows):
		t.Notes = append(t.Notes, fmt.Sprintf("%q: every row sums to 1 and has no negative value; if these are probabilities, give -probabilities", path))
	}
	in.notes = append(in.notes, t.Notes...)
	return t, nil
}

// labels reads the labels of logits.
func (in *inputs) labels(path string, logits *table.Table) ([]int32, error) {
	t, err := table.ReadLabels(path)
	if err != nil {
		return nil, fmt.Errorf("ngebm measure: %w", err)
	}
	values, err := t.Labels(logits)
	if err != nil {
		return nil, fmt.Errorf("ngebm measure: %w", err)
	}
	if len(values) != len(logits.Rows) {
		return nil, fmt.Errorf("ngebm measure: %q has %d rows but %q has %d labels; each example needs one of each, and a first line that is a header needs # before it",
			logits.Path, len(logits.Rows), path, len(values))
	}
	in.notes = append(in.notes, t.Notes...)
	return values, nil
}

// scores reads one score a row.
func (in *inputs) scores(path string) ([]float64, error) {
	t, err := table.Read(path)
	if err != nil {
		return nil, fmt.Errorf("ngebm measure: %w", err)
	}
	in.notes = append(in.notes, t.Notes...)
	return t.Column()
}

// Probabilities of bfloat16, or printed with three digits, sum to 1 within
// roundedSum; those of float32 within exactSum.
const (
	roundedSum = 3e-3
	exactSum   = 1e-5
)

// offOne is how far from 1 the sum of a row is.
func offOne(row []float64) float64 {
	sum := 0.
	for _, p := range row {
		sum += p
	}
	return math.Abs(sum - 1)
}

// normalise divides rows by their sums if any of these is off 1 by more than float32's
// rounding, and returns the largest distance then. Rows that are no rounded
// probabilities stay, for others to refuse.
func normalise(rows [][]float64) (off float64) {
	for _, row := range rows {
		if d := offOne(row); d <= roundedSum*(1+1e-9) && slices.Min(row) >= 0 {
			off = max(off, d)
		}
	}
	if off <= exactSum {
		return 0
	}
	for _, row := range rows {
		if offOne(row) > roundedSum*(1+1e-9) || slices.Min(row) < 0 {
			continue
		}
		sum := 0.
		for _, p := range row {
			sum += p
		}
		for k := range row {
			row[k] /= sum
		}
	}
	return off
}

// sumToOne tells rows of probabilities.
func sumToOne(rows [][]float64) bool {
	return !slices.ContainsFunc(rows, func(row []float64) bool { return offOne(row) > roundedSum || slices.Min(row) < 0 })
}
