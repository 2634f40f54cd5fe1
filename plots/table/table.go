// Package table writes small tables of results as HTML, aligned text, CSV and LaTeX.
//
//	t := table.New("means of 3 seeds", "", "accuracy", "ECE")
//	t.Add("cross-entropy", .927, .046)
//	html, err := t.HTML() // and Text, CSV, LaTeX
//
// Columns of numbers are aligned on the right, all others on the left. What comes from
// outside (names of classes and files) is escaped in every form.
package table

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"ngebm/data/plain"
)

// maxCells bounds a table, which is written three times into a notebook's output.
const maxCells = 20_000

// Table is a caption, names of columns, and rows. Its first column names the rows.
type Table struct {
	caption string
	columns []string
	rows    [][]string
	err     error // the first fault of a call, which every form returns
}

// New returns a table without rows. The caption says what the numbers are (a mean of how
// many seeds, of how many examples); the first of the columns names the rows.
func New(caption string, columns ...string) *Table {
	t := &Table{caption: plain.Text(caption)}
	for _, name := range columns {
		t.columns = append(t.columns, plain.Text(name))
	}
	if len(columns) == 0 {
		t.err = errors.New("table: no columns; name one or more")
	}
	return t
}

// FromRecords returns a table of records as encoding/csv reads them, and data frames return
// them: the first has the names of the columns.
func FromRecords(caption string, records [][]string) *Table {
	if len(records) == 0 {
		return New(caption)
	}
	t := New(caption, records[0]...)
	for _, record := range records[1:] {
		cells := make([]any, len(record))
		for i, text := range record {
			cells[i] = text
		}
		t.Add(cells...)
	}
	return t
}

// Add adds a row, with a cell for each column. Strings stay as they are, numbers with a
// fraction have three decimals (use [fmt.Sprintf] for others), NaN is a dash, and all else
// is as [fmt.Sprint] writes it.
func (t *Table) Add(cells ...any) {
	if len(cells) != len(t.columns) && t.err == nil {
		t.err = fmt.Errorf("table: row %d has %d cells, but there are %d columns (%s)", len(t.rows)+1, len(cells), len(t.columns), strings.Join(t.columns, ", "))
	}
	if (len(t.rows)+1)*len(t.columns) > maxCells && t.err == nil {
		t.err = fmt.Errorf("table: more than %d cells in %d columns; show fewer rows", maxCells, len(t.columns))
	}
	if t.err != nil {
		return
	}
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = plain.Text(text(c))
	}
	t.rows = append(t.rows, row)
}

// text is a cell's text.
func text(cell any) string {
	var number float64
	switch v := cell.(type) {
	case float64:
		number = v
	case float32:
		number = float64(v)
	default:
		return fmt.Sprint(cell)
	}
	if math.IsNaN(number) {
		return "–"
	}
	return fmt.Sprintf("%.3f", number)
}

// number is what a cell of a column of numbers begins with; a dash stands for no number.
var number = regexp.MustCompile(`^[+\-−±≤≥<>~]?\s*\.?[0-9]|^[–-]?$`)

// numeric reports, column by column, whether all cells of a column are numbers. The first
// column is never one: it names the rows.
func (t *Table) numeric() []bool {
	all := make([]bool, len(t.columns))
	for i := 1; i < len(all); i++ {
		all[i] = len(t.rows) > 0
		for _, row := range t.rows {
			all[i] = all[i] && number.MatchString(row[i])
		}
	}
	return all
}
