// Package table reads files of numbers that other programs wrote: logits, labels and
// scores as text (CSV and its relatives, compressed or not), NPY or NPZ.
//
// Nothing is dropped or filled in silently. A value that is missing or not finite, a column
// that does not belong to a class and a first line that may be a header or values are
// errors, which name the position and the remedy. What the reader infers, such as that a
// first line 0,1,2 is a header, is in [Table.Notes].
package table

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Table has rows of equal length; all values are finite.
type Table struct {
	Path  string
	Rows  [][]float64
	Names []string // of the columns, from a header; nil without
	Notes []string // what the reader inferred, a sentence each

	lines   []int32 // the line of each row; nil for NPY
	texts   []string
	numbers bool   // the header holds numbers
	doubt   string // a first line of values that may be a header
	first   *line  // of labels: a first line that the logits decide about
}

// At returns the position of a row for error messages.
func (t *Table) At(row int) string {
	if t.lines == nil {
		return fmt.Sprintf("%s: row %d (the first is 0)", printable(t.Path), row)
	}
	return fmt.Sprintf("%s:%d", printable(t.Path), t.lines[row])
}

// Value returns the position of a value for error messages. Columns count from 1 in text, as its lines do, and from 0 in
// arrays, as rows do there.
func (t *Table) Value(row, k int) string {
	if t.lines == nil {
		return fmt.Sprintf("%s: row %d, value %d (the first of each is 0)", printable(t.Path), row, k)
	}
	return fmt.Sprintf("%s: value %d", t.At(row), k+1)
}

// Width returns the number of values in a row.
func (t *Table) Width() int { return len(t.Rows[0]) }

// Column returns the values of a table of one column.
func (t *Table) Column() ([]float64, error) {
	if t.Width() != 1 {
		hint := ""
		if t.Width() == 2 && t.lines != nil {
			hint = " (if these are numbers such as 0,5, write them with a point: 0.5)"
		}
		return nil, fmt.Errorf("%s: rows of %d values; there must be one value a row%s", printable(t.Path), t.Width(), hint)
	}
	values := make([]float64, len(t.Rows))
	for i, row := range t.Rows {
		values[i] = row[0]
	}
	return values, nil
}

// note adds a sentence to the notes.
func (t *Table) note(format string, args ...any) {
	t.Notes = append(t.Notes, printable(t.Path)+": "+fmt.Sprintf(format, args...))
}

// columnName is how a column is called in errors, counted as in [Table.Value].
func (t *Table) columnName(k int) string {
	switch {
	case t.lines == nil:
		return fmt.Sprintf("column %d (the first is 0)", k)
	case t.Names != nil && t.Names[k] != "":
		return fmt.Sprintf("column %d, %q,", k+1, t.Names[k])
	}
	return fmt.Sprintf("column %d", k+1)
}

// Labels returns the values of a table of one column as classes of logits: numbers from
// 0, or names that the header of logits has.
func (t *Table) Labels(logits *Table) ([]int32, error) {
	classes := logits.Width()
	if t.Width() != 1 {
		hint := ""
		if t.Width() == classes {
			hint = "; of one-hot rows, write the column of the 1, counted from 0"
		}
		return nil, fmt.Errorf("%s: rows of %d values; there must be one value a row, the label%s", printable(t.Path), t.Width(), hint)
	}
	if err := t.settleFirst(logits); err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(t.Rows, func(row []float64) bool { return math.IsNaN(row[0]) }); i >= 0 || namesAreNumbers(logits, classes) {
		return t.named(logits, max(i, 0))
	}
	labels := make([]int32, len(t.Rows))
	for i, row := range t.Rows {
		switch v := row[0]; {
		case v != math.Trunc(v):
			return nil, fmt.Errorf("%s: label %v is not a whole number", t.At(i), v)
		case v < 0 || v >= float64(classes):
			return nil, fmt.Errorf("%s: label %v is not a class; with %d values a row, labels are 0 … %d%s", t.At(i), v, classes, classes-1, t.fromOne(classes))
		default:
			labels[i] = int32(v)
		}
	}
	if len(labels) >= fewRows && !slices.Contains(labels, 0) {
		t.note("no label is 0; labels count from 0, so if these count from 1, subtract 1 from each")
	}
	return labels, nil
}

// fromOne is the remedy for labels that count from 1.
func (t *Table) fromOne(classes int) string {
	least, most := math.Inf(1), math.Inf(-1)
	for _, row := range t.Rows {
		least, most = min(least, row[0]), max(most, row[0])
	}
	switch {
	case least >= 1 && most == float64(classes):
		return fmt.Sprintf(". These go from %v to %v and count from 1: subtract 1 from each", least, most)
	case least == -1:
		return ". Where -1 stands for no label, leave the example out of both files"
	}
	return ""
}

// namesAreNumbers reports a header of whole numbers that are not the columns' own, such as
// 1,2,3 or 3,5,7: labels are then these names.
func namesAreNumbers(logits *Table, classes int) bool {
	if !logits.numbers {
		return false
	}
	for k := range classes {
		if logits.Names[k] != strconv.Itoa(k) {
			return true
		}
	}
	return false
}

// named returns labels that are names of classes. odd is the first row that is no
// number.
func (t *Table) named(logits *Table, odd int) ([]int32, error) {
	if logits.Names == nil {
		return nil, fmt.Errorf("%s: label %.60q is not a number; labels are numbers from 0, or names that the first line of the logits has, which %s does not have",
			t.At(odd), t.text(odd), printable(logits.Path))
	}
	labels, index, twice := make([]int32, len(t.Rows)), map[string]int{}, map[string]bool{}
	for k, name := range logits.Names {
		if _, known := index[name]; known {
			twice[name] = true
		}
		index[name] = k
	}
	for i := range labels {
		k, known := index[t.text(i)]
		switch {
		case !known:
			return nil, fmt.Errorf("%s: label %.60q is none of the names in the first line of %s: %.200q", t.At(i), t.text(i), printable(logits.Path), logits.Names)
		case twice[t.text(i)]:
			return nil, fmt.Errorf("%s: label %.60q is the name of several columns of %s", t.At(i), t.text(i), printable(logits.Path))
		}
		labels[i] = int32(k)
	}
	t.note("labels are read as names of classes, in the order of the first line of %s", printable(logits.Path))
	return labels, nil
}

// text is a label as it is in the file; whole numbers in another form, as 3.0, are
// written as whole numbers.
func (t *Table) text(i int) string {
	if v := t.Rows[i][0]; !math.IsNaN(v) && v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	if t.texts == nil {
		return fmt.Sprint(t.Rows[i][0])
	}
	return t.texts[i]
}

// printable is text from outside as it can be shown: in quotes where it holds what a
// terminal would take for a command, or a new line.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) || strings.ContainsRune(s, unicode.ReplacementChar) {
		return strconv.Quote(s)
	}
	return s
}
