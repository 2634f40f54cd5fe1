package table

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// lines prints rows of sines in a format, below a first line.
func lines(first, format string, width, rows int, scale float64) string {
	var b strings.Builder
	b.WriteString(first + "\n")
	for i := range rows {
		for k := range width {
			if k > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, format, scale*math.Sin(float64(1+i*width+k)))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// The first lines are what pandas 3's to_csv(index=False) writes for the columns'
// names, with the names that programs have.
func TestHeadersOfNumbers(t *testing.T) {
	const header, doubt, value = "is read as a header", "may be a header or values: put #", ""
	for _, c := range []struct {
		name, content string
		want          string
		rows          int
	}{
		{"classes of ImageFolder, in string order", lines("0,1,10,11,2,3,4,5,6,7,8,9", "%v", 12, 40, 3), doubt, 0},
		{"columns in another order", lines("2,0,1", "%v", 3, 40, 3), doubt, 0},
		{"pandas.concat of two", lines("0,1,0", "%v", 3, 40, 3), doubt, 0},
		{"classes of an SVM", lines("-1,1", "%v", 2, 40, 3), doubt, 0},
		{"a class for unknown", lines("-1,1,2", "%v", 3, 40, 3), doubt, 0},
		{"classes of floats", lines("0.0,1.0,2.0", "%v", 3, 40, 3), header, 40},
		{"classes of floats from 1", lines("1.0,2.0,3.0", "%v", 3, 40, 3), header, 40},
		{"the same in another order", lines("1.0,0.0,2.0", "%v", 3, 40, 3), doubt, 0},
		{"clf.classes_ of two floats", lines("0.0,1.0", "%v", 2, 40, .5), doubt, 0},
		{"two classes in another order", lines("1,0", "%v", 2, 40, .5), doubt, 0},
		{"%.3g, of which some are whole", lines("1,2,3", "%.3g", 3, 40, 200), doubt, 0},
		{"%.3g and another order", lines("2,0,1", "%.3g", 3, 40, 200), doubt, 0},
		{"a header that is repeated", strings.Repeat(lines("0.0,1.0,2.0", "%v", 3, 20, 3), 2), doubt, 0},
		{"# and the same values", lines("# 2,0,1", "%v", 3, 40, 3), value, 40},
		{"names above whole values", "a,b,c\n" + lines("2,0,1", "%v", 3, 40, 3), value, 41},
		{"%.3g", lines("2.5,0,1", "%.3g", 3, 40, 200), value, 41},
		{"values of uint8", lines("17,4,200", "%.0f", 3, 40, 100), value, 41},
		{"probabilities that are 0 and 1 elsewhere, too", "1.0,0.0\n0.5,0.5\n0.0,1.0\n", "is read as values, not as a header", 3},
		{"scores named 0.0", lines("0.0", "%v", 1, 40, 3), doubt, 0},
		{"scores named -1", lines("-1", "%v", 1, 40, 3), doubt, 0},
		{"scores named 0.1", lines("0.1", "%v", 1, 40, 3), doubt, 0},
		{"scores named 1e-3", lines("1e-3", "%v", 1, 40, 3), doubt, 0},
		{"scores named 2026", lines("2026", "%v", 1, 40, 3), doubt, 0},
		{"whole scores named 1", lines("1", "%.0f", 1, 40, 30), "the first line, 1, is read as a value, not as a header", 41},
		{"scores of %.3f", lines("0.100", "%.3f", 1, 40, .9), value, 41},
		{"scores of %.3g", lines("0.1", "%.3g", 1, 200, .9), value, 201},
	} {
		got, err := parse(c.content, false)
		switch {
		case c.want == doubt:
			refuses(t, err, "x.csv:1: ", doubt)
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		case len(got.Rows) != c.rows || (c.want == "") != (got.Notes == nil) || !strings.Contains(fmt.Sprint(got.Notes), c.want):
			t.Errorf("%s: %d rows, notes %q; want %d, %q", c.name, len(got.Rows), got.Notes, c.rows, c.want)
		}
	}
}

// The remedy that the error names is taken.
func TestRemediesOfHeadersOfNumbers(t *testing.T) {
	for _, c := range []struct {
		content string
		rows    int
	}{
		{lines("# 2,0,1\n0,1,2", "%.0f", 3, 20, 9), 21},
		{lines("a,b,c\n0,1,2", "%.0f", 3, 20, 9), 21},
		{lines("# 1\n-1", "%v", 1, 20, 9), 21},
	} {
		if got, err := parse(c.content, false); err != nil || len(got.Rows) != c.rows || got.Notes != nil {
			t.Errorf("%.20q: %d rows, %q (%v)", c.content, len(got.Rows), got.Notes, err)
		}
	}
	if got, err := parse("# by a program\n0\n0.5\n0.25\n", false); err != nil || len(got.Rows) != 2 {
		t.Errorf("a header after a remark: %v (%v)", got.Rows, err)
	}
}

// Names that are floats are the names that labels have; whole logits and labels from
// pandas may both have a header.
func TestLabelsOfHeadersOfNumbers(t *testing.T) {
	logits, err := parse(lines("1.0,2.0,3.0", "%v", 3, 3, 3), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"0\n3.0\n1.0\n2.0\n", "0\n3\n1\n2\n"} {
		y, err := parse(content, true)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := y.Labels(logits); err != nil || !slices.Equal(got, []int32{2, 0, 1}) {
			t.Errorf("%q: %v (%v)", content, got, err)
		}
	}
	logits, err = parse(lines("1,2,3", "%.0f", 3, 12, 99), false)
	if err != nil {
		t.Fatal(err)
	}
	y, err := parse("0\n"+strings.Repeat("1\n2\n", 6), true)
	if err != nil {
		t.Fatal(err)
	}
	_, err = y.Labels(logits)
	refuses(t, err, `their first lines, "1,2,3" and 0, may both be headers`)
}
