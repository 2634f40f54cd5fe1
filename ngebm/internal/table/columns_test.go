package table

import (
	"fmt"
	"strings"
	"testing"
)

// An index among logits that are whole numbers, as TFLite's of uint8, is told by its
// name, or suspected where it alone differs in every row.
func TestIndexAmongWholeLogits(t *testing.T) {
	var rows strings.Builder
	for i := range 40 {
		fmt.Fprintf(&rows, "%d,%d,%d\n", i*37%101+300, i*i%7*30, i%5*50)
	}
	for _, name := range []string{"id", "image_id", "imageId", "image no", "y_true", "Label", "row"} {
		got, err := parse(name+",cat,dog\n"+rows.String(), false)
		if err != nil {
			t.Fatal(err)
		}
		refuses(t, got.CheckLogits(false), fmt.Sprintf("column 1, %q, holds whole numbers only: an index or labels", name))
	}
	for _, name := range []string{"idea", "casino", "candid", "bird"} {
		got, err := parse(name+",cat,dog\n"+rows.String(), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := got.CheckLogits(false); err != nil || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], fmt.Sprintf("column 1, %q, holds a whole number in each row that no other row has", name)) {
			t.Errorf("%s: %v, notes %q", name, err, got.Notes)
		}
	}
}
