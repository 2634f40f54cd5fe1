package nb

import (
	"cmp"
	"fmt"
	"slices"

	"ngebm/ngebm/measure"
	"ngebm/plots/table"
)

// Confusion adds up the confusion matrices of reports, such as those of a method's seeds:
// counts by label and answer.
func Confusion(reports []*measure.Report) [][]int {
	var all [][]int
	for _, r := range reports {
		if all == nil {
			all = make([][]int, len(r.Confusion))
			for k := range all {
				all[k] = make([]int, len(r.Confusion))
			}
		}
		for k, row := range r.Confusion {
			for j, count := range row {
				all[k][j] += count
			}
		}
	}
	return all
}

// PerClass returns a table of a confusion matrix, a row for each class: how many examples it
// has; recall, the share of them that is answered right; precision, the share of its answers
// that is right; F1, their harmonic mean; and the wrong answer that its examples get most
// often. Shares of nothing are dashes.
func PerClass(caption string, classes []string, confusion [][]int) *table.Table {
	t := table.New(caption, "class", "examples", "recall", "precision", "F1", "most often taken for")
	for k, class := range classes {
		examples, answers, taken := 0, 0, -1
		for j, count := range confusion[k] {
			examples += count
			answers += confusion[j][k]
			if j != k && count > 0 && (taken < 0 || count > confusion[k][taken]) {
				taken = j
			}
		}
		right := float64(confusion[k][k])
		as := "–"
		if taken >= 0 {
			as = fmt.Sprintf("%s (%d)", classes[taken], confusion[k][taken])
		}
		t.Add(class, examples, right/float64(examples), right/float64(answers), 2*right/float64(examples+answers), as)
	}
	return t
}

// Hardest returns the class with the smallest recall, and that recall; the first of equals.
func Hardest(classes []string, confusion [][]int) (class string, recall float64) {
	type of struct {
		class  string
		recall float64
	}
	var all []of
	for k, row := range confusion {
		examples := 0
		for _, count := range row {
			examples += count
		}
		if examples > 0 {
			all = append(all, of{classes[k], float64(row[k]) / float64(examples)})
		}
	}
	if len(all) == 0 {
		return "", 0
	}
	least := slices.MinFunc(all, func(a, b of) int { return cmp.Compare(a.recall, b.recall) })
	return least.class, least.recall
}
