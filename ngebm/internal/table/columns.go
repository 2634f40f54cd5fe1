package table

import (
	"fmt"
	"math"
	"strings"
	"unicode"
)

// besides reports names of columns that occur with logits in people's files, as id,
// image_id or y_true.
func besides(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) })
	if len(words) == 0 {
		return false
	}
	switch strings.Join(words, "_") {
	case "y", "y_true", "true", "gt", "class", "y_pred", "fold", "split", "epoch", "row", "sample":
		return true
	}
	switch words[len(words)-1] {
	case "id", "no", "nr", "idx", "index", "number", "label", "labels", "target", "targets", "pred", "prediction", "predicted":
		return true
	}
	return strings.HasSuffix(name, "Id") || strings.HasSuffix(name, "ID")
}

// fewRows are too few to tell from the values alone that a column holds no logits.
const fewRows = 10

// column is what its values say.
type column struct{ whole, constant, distinct bool }

// column looks at the values; whole ones are of 0 or more.
func (t *Table) column(k int) column {
	c := column{whole: true, constant: true, distinct: true}
	seen := map[float64]bool{}
	for _, row := range t.Rows {
		v := row[k]
		if v != math.Trunc(v) || v < 0 {
			c.whole = false
		}
		if v != t.Rows[0][k] {
			c.constant = false
		}
		if c.whole && c.distinct {
			c.distinct = !seen[v]
			seen[v] = true
		}
	}
	c.distinct = c.distinct && c.whole
	return c
}

// CheckLogits refuses a table with a column of labels or an index among those of
// logits: one of whole numbers of 0 or more that has the name of such a column, or, unless
// the rows are probabilities, that is the only one of them: a class may have the probability
// 0 or 1 in every row.
func (t *Table) CheckLogits(probabilities bool) error {
	if t.Width() < 2 {
		return fmt.Errorf("%s: rows of one value; there must be one for each of at least 2 classes", printable(t.Path))
	}
	var wholes, distincts []int
	for k := range t.Width() {
		c := t.column(k)
		if c.whole && t.Names != nil && besides(t.Names[k]) {
			return fmt.Errorf("%s: %s holds whole numbers only: an index or labels, not logits? Leave it out of the file (labels go into a file to themselves), or rename it if it is a class",
				printable(t.Path), t.columnName(k))
		}
		if c.whole && !c.constant {
			wholes = append(wholes, k)
		}
		if c.distinct {
			distincts = append(distincts, k)
		}
	}
	switch {
	case len(t.Rows) < fewRows:
	case len(wholes) == 1 && !probabilities:
		return fmt.Errorf("%s: %s holds whole numbers only, and no other column does: an index or labels, not logits? Leave it out of the file; labels go into a file to themselves",
			printable(t.Path), t.columnName(wholes[0]))
	case len(distincts) == 1:
		t.note("%s holds a whole number in each row that no other row has; if it is an index, leave it out of the file", t.columnName(distincts[0]))
	}
	return nil
}
