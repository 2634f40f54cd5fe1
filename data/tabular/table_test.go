package tabular

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ngebm/data/testerror"
)

// people is a small table; encoder_test.go has what scikit-learn makes of it.
const people = `age,color,income,const,class
31,red,1200.5,7,yes
45,blue,800,7,no
22,red,950.25,7,yes
60,green,3000,7,no
38,blue,1500,7,yes
`

func table(t testing.TB, content, label string) *Table {
	t.Helper()
	got, err := Read(context.Background(), strings.NewReader(content), label)
	if err != nil {
		t.Fatalf("%.80q: %v", content, err)
	}
	return got
}

// fitted is the encoder of all rows.
func fitted(t testing.TB, table *Table) *Encoder {
	t.Helper()
	rows := make([]int, len(table.Labels))
	for i := range rows {
		rows[i] = i
	}
	e, _, err := table.Fit(rows)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Programs write the same table in several ways.
func TestNotations(t *testing.T) {
	want := table(t, people, "class")
	inputs, err := want.Encode(fitted(t, want))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"CRLF":                  strings.ReplaceAll(people, "\n", "\r\n"),
		"byte order mark":       "\ufeff" + people,
		"semicolons":            strings.ReplaceAll(people, ",", ";"),
		"tabs":                  strings.ReplaceAll(people, ",", "\t"),
		"spaces":                strings.ReplaceAll(people, ",", " , "),
		"quotes":                `"` + strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(people), ",", `","`), "\n", "\"\n\"") + `"`,
		"blank lines":           strings.ReplaceAll(people, "\n", "\n\n"),
		"no newline at the end": strings.TrimSpace(people),
	} {
		got := table(t, content, "class")
		again, err := got.Encode(fitted(t, got))
		if err != nil || !slices.Equal(again, inputs) || !slices.Equal(got.Labels, want.Labels) || !slices.Equal(got.Keys, want.Keys) {
			t.Errorf("%s: %v %v, want %v %v (%v)", name, again, got.Labels, inputs, want.Labels, err)
		}
	}
}

func TestLabelColumn(t *testing.T) {
	for label, want := range map[string]string{"class": "class", "5": "class", "2": "color"} {
		if got := table(t, people, label); got.Label != want {
			t.Errorf("@%s is %q, want %q", label, got.Label, want)
		}
	}
	// Headers of numbers, as pandas writes them for columns without names.
	numbers := "0,1,10,11\n.5,1.5,2.5,1\n1.5,.5,2,2\n"
	if _, err := Read(context.Background(), strings.NewReader(numbers), "11"); err == nil {
		t.Error("0,1,10,11, which does not count, is read as a header")
	}
	pandas := "0,1,2,3\n.5,1.5,2.5,1\n1.5,.5,2,2\n"
	if got := table(t, pandas, "3"); got.Label != "3" || !slices.Equal(got.Classes, []string{"1", "2"}) {
		t.Errorf("the last column of a header of numbers: %q, %q", got.Label, got.Classes)
	}
	_, err := Read(context.Background(), strings.NewReader(pandas), "4")
	testerror.Want(t, err, `no column is named "4": the label after @ is one of 0, 1, 2, 3`)
	_, err = Read(context.Background(), strings.NewReader(people), "clas")
	testerror.Want(t, err, `no column is named "clas" (did you mean class?)`, "or a number from 1 to 5")
}

func TestClassOrder(t *testing.T) {
	for content, want := range map[string][]string{
		"x,y\n1.5,10\n2,9\n3,-1\n": {"-1", "9", "10"},
		"x,y\n1.5,b\n2,a\n3,10\n":  {"10", "a", "b"},
	} {
		if got := table(t, content, "y"); !slices.Equal(got.Classes, want) {
			t.Errorf("%q: classes %q, want %q", content, got.Classes, want)
		}
	}
}

// Each error names the place and the value.
func TestReadRefuses(t *testing.T) {
	many := func(columns int) string { return strings.Repeat("x,", columns) + "y\n" }
	for name, c := range map[string]struct {
		content string
		want    []string
	}{
		"nothing":             {"", []string{"it is empty"}},
		"a header alone":      {"x,y\n", []string{"no rows below the header"}},
		"UTF-16":              {"\xff\xfex\x00,\x00y\x00", []string{"save it as CSV in UTF-8"}},
		"zeros":               {"x,y\x001\n", []string{"save it as CSV in UTF-8"}},
		"a zero later":        {"x,y\n" + strings.Repeat("a,1\n", 40) + "a\x00b,1\n", []string{"line 42", `column "x"`, `"a\x00b"`, "unprintable"}},
		"an unnamed column":   {",x,y\n0,1,a\n", []string{"line 1: column 1 has no name", "index=False"}},
		"the same name twice": {"x,y,x\n1,2,3\n", []string{"columns 1 and 3 have the same name", `"x"`}},
		"a newline in a name": {"\"x\nz\",y\n1,2\n", []string{"line 1", "name of column 1", `"x\nz"`}},
		"a newline in a cell": {"x,y\n\"a\nb\",2\n", []string{"line 2", `"a\nb"`, "line break"}},
		"a missing value":     {"x,y\n1,a\n,b\n", []string{"line 3", `column "x" has no value`}},
		"NA":                  {"x,y\n1,a\nNA,b\n", []string{"line 3", `column "x" has "NA", which stands for no value`}},
		"a missing class":     {"x,y\n1,a\n2,\n", []string{"line 3", `column "y" has no value`}},
		"a marked class":      {"x,y\n1,a\n2,?\n", []string{"line 3", `column "y" has "?", which stands for no value`}},
		"a class called none": {"x,y\n1,mild\n2,none\n", []string{"line 3", `column "y" has "none", which stands for no value`}},
		"a class twice":       {"x,y\n1.5,0\n2,1\n3,1.0\n", []string{`column "y" has one class as "1" and as "1.0"`}},
		"infinity":            {"x,y\n1,a\n-inf,b\n", []string{"line 3", `"-inf"`, "finite"}},
		"a huge number":       {"x,y\n1,a\n1e999,b\n", []string{"line 3", `column "x" has +Inf`}},
		"a large number":      {"x,y\n1,a\n-1e200,b\n", []string{"line 3", "-1e+200"}},
		"a decimal comma":     {"x;y\n0,5;a\n1,5;b\n", []string{"line 2", `"0,5"`, "decimal point"}},
		"thousands":           {"x,y\n\"1,234.5\",a\n2,b\n", []string{"line 2", `"1,234.5"`}},
		"text among numbers":  {"x,y\n1,a\ntwo,b\n", []string{"line 3", `column "x" has the text "two", but numbers above`}},
		"a number among text": {"x,y\none,a\n2,b\n", []string{"line 3", `column "x" has the number 2, but texts above`}},
		"a formula":           {"x,y\n=1+2,a\n2,b\n", []string{"line 2", `formula "=1+2"`}},
		"a formula as name":   {"=cmd|' /C calc'!A0,y\n1,b\n", []string{"line 1", "formula"}},
		"few cells":           {"x,z,y\n1,2,a\n1,2\n", []string{"line 3: it has 2 cells, but the header names 3"}},
		"a lone quote":        {"x,y\n1,a\n1\",b\n", []string{`line 3: column "x" has a quote within it: put the cell in quotes and write a quote in it twice ("")`}},
		"a quote too many":    {"x,y\n1,\"a\"b\n", []string{`line 2: column "y" begins with a quote that is not closed at its end: put the cell in quotes`}},
		"an open quote":       {"x,y\n1,a\n\"1,a\n2,b\n", []string{`in the row that begins at line 3: column "x" begins with a quote that is not closed`}},
		"a quote in a name":   {"x,y\"\n1,a\n", []string{`line 1: cell 2 has a quote within it`}},
		"a quote too far":     {"x,y\n1,a,\"\n", []string{`cell 3 begins with a quote that is not closed`}},
		"one class":           {"x,y\n1,a\n2,a\n", []string{`column "y" has only the class "a"`}},
		"a target":            {"x,y\n" + lines(30, "%[1]d,%[1]d.5\n"), []string{`column "y" has 30 different values in 30 rows: is it the class?`}},
		"no header":           {"5.1,3.5,a\n4.9,3,b\n", []string{"line 1", `"5.1,3.5,a", may be a header or values`}},
		"no header, whole":    {"1,2,0\n2,2,1\n3,4,1\n", []string{`no column is named "3"`, "line 1 must be a header"}},
		"a header or values":  {"1,2,3\n2,2,1\n3,4,1\n", []string{"line 1", `"1,2,3"`, "may be a header or values"}},
		"many columns":        {many(MaxInputs), []string{"has 16385 columns, more than 16384"}},
		"a long cell":         {"x,y\n" + strings.Repeat("a", 5000) + ",1\n", []string{"line 2", "5000 bytes, more than 4096"}},
		"a long category":     {"x,y\n" + strings.Repeat("a", 300) + ",1\n", []string{"line 2", `column "x"`, "300 bytes, more than 200"}},
		"many categories":     {"x,y\n" + lines(1001, "a%d,b\n"), []string{"line 1002", "more than 1000 different texts", `"a1000"`}},
	} {
		label := "y"
		if strings.Contains(name, "header") && name != "a header alone" {
			label = "3"
		}
		t.Run(name, func(t *testing.T) {
			_, err := Read(context.Background(), strings.NewReader(c.content), label)
			testerror.Want(t, err, c.want...)
		})
	}
}

// lines prints a format with the numbers from 0.
func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestBounds(t *testing.T) {
	limit := defaultLimits()
	limit.rows = 3
	_, err := read(context.Background(), strings.NewReader(people), "class", limit)
	testerror.Want(t, err, "more than 3 rows of 5 columns")
	limit = defaultLimits()
	limit.cells = 20
	_, err = read(context.Background(), strings.NewReader(people), "class", limit)
	testerror.Want(t, err, "more than 4 rows of 5 columns")
	limit = defaultLimits()
	limit.bytes = 100
	_, err = read(context.Background(), strings.NewReader(people), "class", limit)
	testerror.Want(t, err, "too large")
}

// The inputs of a test file are bounded as those of the table are, however many columns it has.
func TestBoundsOfEncodedRows(t *testing.T) {
	const columns, rows = 3000, 40 // maxValues / columns / columns is 29
	e := &Encoder{Label: "class"}
	for k := range columns {
		e.Columns = append(e.Columns, Column{Name: fmt.Sprint("x", k), Deviation: 1})
	}
	file := strings.Join(e.Inputs(), ",") + "\n" + strings.Repeat(strings.Repeat("1,", columns-1)+"1\n", rows)
	got, err := e.Read(context.Background(), strings.NewReader(file))
	if err != nil || len(got.Lines) != rows || len(got.Inputs) != rows*columns {
		t.Errorf("%d rows of %d columns: %v", rows, columns, err)
	}
	for _, limit := range []limits{{rows: 3, cells: 1 << 20}, {rows: 1 << 20, cells: 3 * columns}} {
		whole := defaultLimits()
		whole.rows, whole.cells = limit.rows, limit.cells
		_, err := e.read(context.Background(), strings.NewReader(file), whole)
		testerror.Want(t, err, "more than 3 rows of 3000 columns")
	}
}

// A row is refused before all of it is in memory, where an empty cell takes 40 bytes.
func TestLongRowsAreRefused(t *testing.T) {
	many := strings.NewReader(strings.Repeat(",", 64<<20))
	_, err := Read(context.Background(), many, "class")
	testerror.Want(t, err, "line 1 or below: the row is too long")
	if left := many.Len(); left < 59<<20 {
		t.Errorf("%d bytes are left of %d", left, many.Size())
	}
	_, err = Read(context.Background(), strings.NewReader(people+"\""+strings.Repeat("a\n", 3<<20)), "class")
	testerror.Want(t, err, "or below: the row is too long: close its quotes")
	wide := strings.Repeat(strings.Repeat("a", 190)+",", MaxInputs-1)
	encoder := &Encoder{Label: "class", Columns: []Column{{Name: "x", Deviation: 1}}}
	names := "x"
	for k := range MaxInputs - 1 {
		names += fmt.Sprint(",", k)
	}
	_, err = encoder.Read(context.Background(), strings.NewReader(names+"\n"+wide+"1\n")) // 3 MB are read
	testerror.Want(t, err, `column "x" has the text`)
}

func TestReadStops(t *testing.T) {
	ctx, stop := context.WithCancelCause(context.Background())
	stop(fmt.Errorf("enough"))
	_, err := Read(ctx, strings.NewReader(people), "class")
	testerror.Want(t, err, "enough")
}
