package nb

import (
	"slices"
	"strings"

	"ngebm/ngebm/study"
	"ngebm/plots/notebook"
	"ngebm/plots/table"
)

// Table returns a table without rows, see [table.Table]. The caption says what the numbers
// are; the first column names the rows.
//
//	t := nb.Table("means of 3 seeds", "", "accuracy", "ECE")
//	t.Add("cross-entropy", .927, .046)
//	nb.ShowTable(t)
func Table(caption string, columns ...string) *table.Table { return table.New(caption, columns...) }

// Records returns a table of records, as encoding/csv reads them and data frames return
// them. The first has the names of the columns.
func Records(caption string, records [][]string) *table.Table {
	return table.FromRecords(caption, records)
}

// ShowTable puts a table below the cell: it scrolls where it is wide, and is copied as CSV or
// LaTeX.
func ShowTable(t *table.Table) { Check(notebook.ShowTable(t)) }

// Metrics returns a table of metrics, a row for each method: means over the seeds and, where there
// are several, their 95 % t-intervals in brackets, which the caption then says, with three decimals.
// Where methods differ in how many seeds they have, a column says so.
func Metrics(caption string, rows []study.Row, columns ...study.Column) *table.Table {
	names := []string{""}
	differ := slices.ContainsFunc(rows, func(r study.Row) bool { return len(r.Results) != len(rows[0].Results) })
	if differ {
		names = append(names, "seeds")
	}
	for _, c := range columns {
		names = append(names, c.Name)
	}
	if slices.ContainsFunc(rows, func(r study.Row) bool { return len(r.Results) > 1 }) && !strings.Contains(caption, "95 %") {
		caption += "; in brackets 95 % t-intervals over the seeds"
	}
	t := table.New(caption, names...)
	for _, r := range rows {
		cells := []any{r.Title}
		if differ {
			cells = append(cells, len(r.Results))
		}
		for _, c := range columns {
			cells = append(cells, r.Estimate(c.Of).Format(3))
		}
		t.Add(cells...)
	}
	return t
}
