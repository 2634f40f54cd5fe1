package main

import (
	"fmt"

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
		err = t.CheckLogits(in.probabilities || allSumTo(t.Rows, 1))
	}
	if err != nil {
		return nil, fmt.Errorf("ngebm measure: %w", err)
	}
	is := kindOf(t.Rows)
	switch {
	case in.probabilities && is == percentages:
		return nil, fmt.Errorf("ngebm measure: %q: the rows sum to 100, so they are percentages: divide the values by 100", path)
	case in.probabilities:
		if off := normalize(t.Rows); off > 0 {
			t.Notes = append(t.Notes, fmt.Sprintf("%q: probabilities sum to 1 within %.2g only, as rounded ones do; each row is divided by its sum", path, off))
		}
	case is == percentages:
		t.Notes = append(t.Notes, fmt.Sprintf("%q: the rows sum to 100 and have no negative value, but are read as logits; if these are percentages, divide by 100 and give -probabilities", path))
	case is == probabilities:
		t.Notes = append(t.Notes, fmt.Sprintf("%q: the rows sum to 1 and have no negative value, but are read as logits; if these are probabilities, give -probabilities", path))
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
