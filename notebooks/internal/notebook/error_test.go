package notebook

import (
	"testing"
)

// Nor does the error about a cell.
func TestCellErrorIsPlain(t *testing.T) {
	err := &CellError{Notebook: "n\n\x1b[2J.ipynb", Number: 1, Line: "line\x1b[2J", Reason: "reason"}
	if got := err.Error(); got != `n\n\x1b[2J.ipynb: cell 1 (line\x1b[2J): reason` {
		t.Errorf("%q", got)
	}
}
