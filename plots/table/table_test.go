package table_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"ngebm/plots/table"
)

func ExampleTable_Text() {
	t := table.New("means of 3 seeds, 600 test images", "", "accuracy", "ECE", "note")
	t.Add("cross-entropy", .927, .0461, "over-confident")
	t.Add("NG-EBM β=γ=.01", .951, math.NaN(), "")
	text, err := t.Text()
	fmt.Print(text, err)
	// Output:
	// means of 3 seeds, 600 test images
	//                 accuracy    ECE  note
	// cross-entropy      0.927  0.046  over-confident
	// NG-EBM β=γ=.01     0.951      –
	// <nil>
}

func ExampleTable_LaTeX() {
	t := table.New("100 % of a & b", "", "ECE", "range")
	t.Add("NG-EBM β=γ=.01", "0.369 ± 0.039", "2.09 (0.37 … 11.88)")
	text, err := t.LaTeX()
	fmt.Print(text, err)
	// Output:
	// % 100 % of a & b
	// \begin{tabular}{lrr}
	// \toprule
	//  & ECE & range \\
	// \midrule
	// NG-EBM $\beta$=$\gamma$=.01 & 0.369 $\pm$ 0.039 & 2.09 (0.37 \ldots{} 11.88) \\
	// \bottomrule
	// \end{tabular}
	// <nil>
}

// Columns of numbers, and only those, are on the right; a column's name is where its cells are.
func TestAlignment(t *testing.T) {
	tbl := table.New("c", "set", "n", "share", "interval", "dash", "word", "mixed")
	tbl.Add("12", 600, .5, "≤ 3", "–", "of 3", "1.5")
	tbl.Add("13", 60, -.5, ".37 (.1 … .5)", "-", "px", "none")
	html, err := tbl.HTML()
	if err != nil {
		t.Fatal(err)
	}
	var sides []string
	for _, cell := range strings.Split(html, `scope="col"`)[1:] {
		_, rest, _ := strings.Cut(cell, "text-align:")
		sides = append(sides, strings.SplitN(rest, `"`, 2)[0])
	}
	if want := []string{"left", "right", "right", "right", "right", "left", "left"}; !slices.Equal(sides, want) {
		t.Errorf("%v, want %v", sides, want)
	}
	for _, part := range []string{"<caption", "<thead>", `<th scope="row"`, "Copy as CSV or LaTeX"} {
		if !strings.Contains(html, part) {
			t.Errorf("no %s in %s", part, html)
		}
	}
}

func TestFaults(t *testing.T) {
	short := table.New("c", "a", "b")
	short.Add(1)
	large := table.New("c", "a")
	for range 20_001 {
		large.Add("x")
	}
	for name, test := range map[string]struct {
		table *table.Table
		want  string
	}{
		"no columns":     {table.New("c"), "no columns"},
		"no records":     {table.FromRecords("c", nil), "no columns"},
		"a short row":    {short, "row 1 has 1 cells, but there are 2 columns (a, b)"},
		"too many":       {large, "more than 20000 cells"},
		"a ragged table": {table.FromRecords("c", [][]string{{"a"}, {"1"}, {"1", "2"}}), "row 2 has 2 cells"},
	} {
		for form, write := range map[string]func() (string, error){"HTML": test.table.HTML, "text": test.table.Text, "CSV": test.table.CSV, "LaTeX": test.table.LaTeX} {
			if _, err := write(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s, %s: %v", name, form, err)
			}
		}
	}
}

// Whatever a cell holds, it stays one cell in every form, and steers nothing.
func FuzzCells(f *testing.F) {
	for _, s := range []string{"a", `<script>alert(1)</script>`, `"><b>`, "a,b\n\"c\"", `\end{tabular} & % $x_1^2$ {`, "\x1b]0;t\x07", "\xff", "数字", "</pre></details>", "é🏳️‍🌈"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tbl := table.New(s, s, s)
		tbl.Add(s, s)
		html, err := tbl.HTML()
		if err != nil {
			t.Fatal(err)
		}
		empty := table.New("x", "x", "x")
		empty.Add("x", "x")
		plain, err := empty.HTML()
		if err != nil {
			t.Fatal(err)
		}
		if s != "" && strings.Count(html, "<") != strings.Count(plain, "<") {
			t.Fatalf("%q adds elements: %s", s, html)
		}
		text, err := tbl.CSV()
		if err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || s != "" && (len(records) != 2 || len(records[1]) != 2) {
			t.Fatalf("%q as CSV: %v, %v", s, records, err)
		}
		latex, err := tbl.LaTeX()
		_, body, _ := strings.Cut(latex, "\\begin{tabular}") // the caption above it is a comment
		if err != nil || strings.Count(body, "\n") != 7 || strings.Count(body, " \\\\\n") != 2 {
			t.Fatalf("%q as LaTeX: %s, %v", s, latex, err)
		}
		if out, err := tbl.Text(); err != nil || strings.ContainsAny(out+latex+html, "\x1b\x07") {
			t.Fatalf("%q as text: %q, %v", s, out, err)
		}
	})
}
