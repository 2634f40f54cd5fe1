package notebook

import (
	"fmt"
	"strings"

	"ngebm/data/plain"
	"ngebm/notebooks/internal/printable"
)

// CellError says which cell of which notebook failed and why.
type CellError struct {
	Notebook string
	Number   int    // among the code cells, from 1; 0 where the kernel never came up
	Line     string // the cell's first line
	Reason   string
}

func (e *CellError) Error() string {
	if e.Number == 0 {
		return fmt.Sprintf("%s: %s", plain.Text(e.Notebook), e.Reason)
	}
	return fmt.Sprintf("%s: cell %d (%s): %s", plain.Text(e.Notebook), e.Number, plain.Text(printable.Shorten(e.Line)), e.Reason)
}

// ErrorIn is an error about one of a notebook's cells, or about all of it. It does not
// repeat a token that is in the cell's first line.
func (d *Document) ErrorIn(notebook string, cell int, reason string) error {
	if cell < 0 || cell >= len(d.Cells) {
		return &CellError{Notebook: notebook, Reason: reason}
	}
	c := d.Cells[cell]
	line := c.FirstLine()
	for found := findSecret(line); found != ""; found = findSecret(line) {
		line = strings.ReplaceAll(line, found, found[:min(6, len(found))]+"…")
	}
	if c.Kind != "code" || line == "" {
		return &CellError{Notebook: notebook, Reason: fmt.Sprintf("the text %q: %s", printable.Shorten(line), reason)}
	}
	number := 0
	for _, before := range d.Cells[:cell+1] {
		if before.Kind == "code" && before.FirstLine() != "" {
			number++
		}
	}
	return &CellError{Notebook: notebook, Number: number, Line: line, Reason: reason}
}
