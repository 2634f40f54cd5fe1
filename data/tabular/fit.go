package tabular

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"ngebm/data/plain"
)

// maxValues bounds the inputs of all rows together: 1 GiB.
const maxValues = 1 << 28

// Fit returns the encoder of a table, with the means and deviations of the given training rows, and the
// names of the columns that are constant in them, which it leaves out. The categories of a column are
// those of the whole table, in string order, because they are its domain. It is an error if all columns
// are constant or there would be more inputs than [MaxInputs].
func (t *Table) Fit(train []int) (e *Encoder, constant []string, err error) {
	if len(train) == 0 {
		return nil, nil, errors.New("there are no rows to train on")
	}
	e = &Encoder{Label: t.Label}
	for i := range t.columns {
		if c, varies := t.columns[i].fit(train); varies {
			e.Columns = append(e.Columns, c)
		} else {
			constant = append(constant, t.columns[i].name)
		}
	}
	switch n := e.Size(); {
	case n == 0:
		return nil, nil, errors.New("no column but the class varies in the rows to train on")
	case n > MaxInputs:
		return nil, nil, fmt.Errorf("its columns become %d inputs, more than %d: leave some out of the file", n, MaxInputs)
	case len(t.Labels) > maxValues/n:
		return nil, nil, fmt.Errorf("its %d rows of %d inputs are more than %d values: use a part of it", len(t.Labels), n, maxValues)
	}
	return e, constant, nil
}

// fit returns how the column is encoded, and whether it varies over the training rows.
func (c *column) fit(train []int) (encoded Column, varies bool) {
	encoded.Name = c.name
	if !c.numeric {
		encoded.Categories = slices.Sorted(slices.Values(c.distinct))
		return encoded, slices.ContainsFunc(train, func(i int) bool { return c.codes[i] != c.codes[train[0]] })
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, i := range train {
		low, high = min(low, c.numbers[i]), max(high, c.numbers[i])
		encoded.Mean += c.numbers[i]
	}
	encoded.Mean /= float64(len(train))
	var squares float64
	for _, i := range train {
		d := c.numbers[i] - encoded.Mean
		squares += float64(d * d) // no fused multiply-add: the same bits on every processor
	}
	encoded.Deviation = math.Sqrt(squares / float64(len(train)))
	return encoded, low < high && encoded.Deviation > 0
}

// Encode returns the inputs of all rows, [rows, e.Size()], for an encoder that was fitted to the table.
// The error names a row whose value overflows.
func (t *Table) Encode(e *Encoder) (inputs []float32, err error) {
	fitted, at := make([]*column, len(e.Columns)), 0
	for i, c := range e.Columns {
		for t.columns[at].name != c.Name {
			at++
		}
		fitted[i] = &t.columns[at]
	}
	codes := make([][]int, len(e.Columns)) // from a text's code to its category
	for i, c := range fitted {
		for _, text := range c.distinct {
			k, _ := slices.BinarySearch(e.Columns[i].Categories, text)
			codes[i] = append(codes[i], k)
		}
	}
	inputs = make([]float32, 0, len(t.Labels)*e.Size())
	for row := range t.Labels {
		for i, c := range e.Columns {
			if !c.Numeric() {
				inputs = c.appendCategory(inputs, codes[i][fitted[i].codes[row]])
				continue
			}
			if inputs, err = c.appendNumber(inputs, fitted[i].numbers[row]); err != nil {
				return nil, fmt.Errorf("row %d below the header: column %q %w", row+1, c.Name, err)
			}
		}
	}
	return inputs, nil
}

// Validate reports the first thing in a stored encoder that [Table.Fit] would not have written.
func (e *Encoder) Validate() error {
	limit := defaultLimits()
	check := func(what, text string) error {
		if text == "" || len(text) > limit.name || !plain.IsVisible(text) {
			return fmt.Errorf("%s is called %.60q, which is no name of 1 to %d bytes", what, text, limit.name)
		}
		return nil
	}
	if err := check("the label", e.Label); err != nil {
		return err
	}
	if len(e.Columns) == 0 || len(e.Columns) > MaxInputs {
		return fmt.Errorf("it has %d columns, not 1 to %d", len(e.Columns), MaxInputs)
	}
	seen := map[string]bool{e.Label: true}
	for _, c := range e.Columns {
		if err := check("a column", c.Name); err != nil {
			return err
		}
		if seen[c.Name] {
			return fmt.Errorf("column %q is there twice", c.Name)
		}
		seen[c.Name] = true
		if err := c.validate(limit, check); err != nil {
			return fmt.Errorf("column %q: %w", c.Name, err)
		}
	}
	if n := e.Size(); n > MaxInputs {
		return fmt.Errorf("its rows become %d inputs, more than %d", n, MaxInputs)
	}
	return nil
}

func (c Column) validate(limit limits, check func(what, text string) error) error {
	if c.Numeric() {
		if !(math.Abs(c.Mean) <= maxNumber) || !(c.Deviation > 0) || !(c.Deviation <= maxNumber) {
			return fmt.Errorf("its mean is %v and its deviation %v, which are none", c.Mean, c.Deviation)
		}
		return nil
	}
	if len(c.Categories) < 2 || len(c.Categories) > limit.categories || c.Mean != 0 || c.Deviation != 0 {
		return fmt.Errorf("it has %d categories, a mean of %v and a deviation of %v; want 2 to %d categories alone", len(c.Categories), c.Mean, c.Deviation, limit.categories)
	}
	for i, category := range c.Categories {
		if err := check("a category", category); err != nil {
			return err
		}
		if i > 0 && category <= c.Categories[i-1] {
			return fmt.Errorf("category %q does not follow %q in order", category, c.Categories[i-1])
		}
	}
	return nil
}
