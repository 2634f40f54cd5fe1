package table

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// parse reads the content of a file that is called x.csv.
func parse(content string, labels bool) (*Table, error) {
	t := &Table{Path: "x.csv"}
	return t, t.read(strings.NewReader(content), int64(len(content)), labels)
}

// refuses checks that an error has one line and holds all parts.
func refuses(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", parts)
		return
	}
	for _, part := range append(parts, "x.csv") {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %q, want %q in it", err, part)
		}
	}
	if strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("the error %q has more than one line, or a control code", err)
	}
}

// The texts are what pandas 3.1.1, numpy 2.4.6, polars 2.1.0 and R 4 write for the
// array [[.5,-1.25,3],[1,0,2.5],[7,0,-2]], or the same in other dialects.
func TestRead(t *testing.T) {
	want := [][]float64{{.5, -1.25, 3}, {1, 0, 2.5}, {7, 0, -2}}
	for _, c := range []struct{ name, content, note string }{
		{"bare", "0.5,-1.25,3\n1,0,2.5\n7,0,-2\n", ""},
		{"pandas.DataFrame(x).to_csv(f, index=False)", "0,1,2\n0.5,-1.25,3.0\n1.0,0.0,2.5\n7.0,0.0,-2.0\n", `the first line, "0,1,2", is read as a header`},
		{"pandas.DataFrame(x).to_csv(f)", ",0,1,2\n0,0.5,-1.25,3.0\n1,1.0,0.0,2.5\n2,7.0,0.0,-2.0\n", "read as an index"},
		{"to_csv(f, header=False)", "0,0.5,-1.25,3.0\n1,1.0,0.0,2.5\n2,7.0,0.0,-2.0\n", "counts the rows from 0, so it is read as an index"},
		{"columns=range(1, 4)", "1,2,3\n0.5,-1.25,3.0\n1.0,0.0,2.5\n7.0,0.0,-2.0\n", `the first line, "1,2,3", is read as a header`},
		{"columns with names, index", ",cat,dog,ship\n5,0.5,-1.25,3.0\n2,1.0,0.0,2.5\n9,7.0,0.0,-2.0\n", "read as an index"},
		{"an index of text", ",0,1,2\ni.png,0.5,-1.25,3.0\nj.png,1.0,0.0,2.5\nk.png,7.0,0.0,-2.0\n", "read as an index"},
		{"written, read and written again", "Unnamed: 0,0,1,2\n0,0.5,-1.25,3.0\n1,1.0,0.0,2.5\n2,7.0,0.0,-2.0\n", "read as an index"},
		{"an index with a name", "id,cat,dog,ship\n0,0.5,-1.25,3.0\n1,1.0,0.0,2.5\n2,7.0,0.0,-2.0\n", "counts the rows from 0"},
		{"quoting=csv.QUOTE_ALL", "\"\",\"0\",\"1\",\"2\"\n\"0\",\"0.5\",\"-1.25\",\"3.0\"\n\"1\",\"1.0\",\"0.0\",\"2.5\"\n\"2\",\"7.0\",\"0.0\",\"-2.0\"\n", "read as an index"},
		{"sep=';'", "a;b;c\n0.5;-1.25;3.0\n1.0;0.0;2.5\n7.0;0.0;-2.0\n", ""},
		{"numpy.savetxt", "5.000000000000000000e-01 -1.250000000000000000e+00 3.000000000000000000e+00\n1.000000000000000000e+00 0.000000000000000000e+00 2.500000000000000000e+00\n7.0 0.0 -2.0\n", ""},
		{"numpy.savetxt(header='a b c', delimiter='\\t')", "# a b c\n5.0e-01\t-1.25e+00\t3.0e+00\n1.0e+00\t0.0e+00\t2.5e+00\n7.0\t0.0\t-2.0\n", ""},
		{"numpy.savetxt(header='0 1 2', comments='')", "0 1 2\n5.0e-01 -1.25e+00 3.0e+00\n1.0e+00 0.0e+00 2.5e+00\n7.0 0.0 -2.0\n", `the first line, "0 1 2", is read as a header`},
		{"polars.DataFrame(x).write_csv()", "column_0,column_1,column_2\n0.5,-1.25,3.0\n1.0,0.0,2.5\n7.0,0.0,-2.0\n", ""},
		{"R: write.csv(x, f)", "\"\",\"V1\",\"V2\",\"V3\"\n\"1\",0.5,-1.25,3\n\"2\",1,0,2.5\n\"3\",7,0,-2\n", "read as an index"},
		{"R: write.table(x, f)", "\"V1\" \"V2\" \"V3\"\n\"1\" 0.5 -1.25 3\n\"2\" 1 0 2.5\n\"3\" 7 0 -2\n", "the first column, of row names, is left out"},
		{"R: write.table(x, f, col.names=FALSE)", "\"1\" 0.5 -1.25 3\n\"2\" 1 0 2.5\n\"3\" 7 0 -2\n", "counts the rows from 1"},
		{"R: write(t(x), f)", "0.5 -1.25 3\n1 0 2.5\n7 0 -2\n", ""},
		{"Excel's line about the separator", "sep=;\r\na;b;c\r\n0.5;-1.25;3\r\n1;0;2.5\r\n7;0;-2\r\n", ""},
		{"Excel, UTF-8 with mark", "\ufeffa,b,c\r\n0.5,-1.25,3\r\n1,0,2.5\r\n7,0,-2\r\n", ""},
		{"a mark and a comment", "\ufeffa,b,c\r\n# from somewhere\r\n0.5, -1.25, 3e0\r\n\r\n1,0,2.5\r\n7,0,-2", ""},
		{"line ends of old Macs", "a,b,c\r0.5,-1.25,3\r1,0,2.5\r7,0,-2\r", ""},
		{"Python on Windows without newline=''", "a,b,c\r\r\n0.5,-1.25,3\r\r\n1,0,2.5\r\r\n7,0,-2\r\r\n", ""},
		{"blanks around", " 0.5 , -1.25\t, 3 \n  1,0,2.5  \n7,0,-2\t\n", ""},
		{"aligned by blanks", "   0.5   -1.25    3\n   1      0       2.5\n   7      0      -2\n", ""},
		{"blanks that do not break", "0.5,\u00a0-1.25,3\u00a0\n1,0,2.5\n7,0,-2\n", ""},
		{"a separator at each end", "0.5,-1.25,3,\n1,0,2.5,\n7,0,-2,\n", "a separator ends every line"},
		{"the same with a header", "a,b,c,\n0.5,-1.25,3,\n1,0,2.5,\n7,0,-2,\n", "a separator ends every line"},
		{"the same without one in the header", "a;b;c\n0.5;-1.25;3;\n1;0;2.5;\n7;0;-2;\n", "a separator ends every line"},
		{"bars", "a|b|c\n0.5|-1.25|3\n1|0|2.5\n7|0|-2\n", ""},
		{"a separator in a quoted name", "\"cat, black\",\"dog\",\"a \"\"b\"\"\"\n0.5,-1.25,3\n1,0,2.5\n7,0,-2\n", ""},
		{"names that occur twice", "a,a,b\n0.5,-1.25,3\n1,0,2.5\n7,0,-2\n", `several columns are named "a"`},
		{"names of pairs of classes", "0_1,0_2,1_2\n0.5,-1.25,3\n1,0,2.5\n7,0,-2\n", `the first line, "0_1,0_2,1_2", is read as a header`},
		{"names and numbers in the header", "cat,7,none\n0.5,-1.25,3\n1,0,2.5\n7,0,-2\n", ""},
		{"a name above a first line that counts", "a,b,c\n0.5,-1.25,3\n1,0,2.5\n7,0,-2\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for coding, content := range codings(t, c.content) {
				got, err := parse(content, false)
				if err != nil {
					t.Fatalf("%s: %v", coding, err)
				}
				if fmt.Sprint(got.Rows) != fmt.Sprint(want) {
					t.Errorf("%s: read as %v", coding, got.Rows)
				}
				if notes := strings.Join(got.Notes, "\n"); (c.note == "") != (notes == "") || !strings.Contains(notes, c.note) || len(got.Notes) > 1 {
					t.Errorf("%s: the notes are %q, want %q", coding, notes, c.note)
				}
			}
		})
	}
}

// A header that has a name twice costs no more than its length.
func TestManyNames(t *testing.T) {
	var header strings.Builder
	for k := range 150_000 {
		fmt.Fprintf(&header, "c%d,", k)
	}
	began := time.Now()
	got, err := parse(header.String()+"c7\n"+strings.Repeat("0.5,", 150_000)+"0.5\n", false)
	if took := time.Since(began); err != nil || !strings.Contains(fmt.Sprint(got.Notes), `several columns are named "c7"`) || took > 10*time.Second {
		t.Errorf("%.200q (%v) after %v", got.Notes, err, took)
	}
}

// Lists of scores, one a line.
func TestColumn(t *testing.T) {
	for _, c := range []struct {
		name, content string
		want          []float64
		note          string
	}{
		{"bare", "0.53\n0.4\n0.3\n", []float64{.53, .4, .3}, ""},
		{"a blank after the first", "0.53 \n0.4\n0.3\n", []float64{.53, .4, .3}, ""},
		{"pandas.Series(s).to_csv(f, index=False)", "0\n0.53\n0.4\n0.3\n", []float64{.53, .4, .3}, `"0", is read as a header`},
		{"pandas.Series(s).to_csv(f)", ",0\n0,0.53\n1,0.4\n2,0.3\n", []float64{.53, .4, .3}, "read as an index"},
		{"pandas.Series(s).to_csv(f, header=False)", "0,0.53\n1,0.4\n2,0.3\n", []float64{.53, .4, .3}, "counts the rows"},
		{"a name", "score\n0.53\n0.4\n0.3\n", []float64{.53, .4, .3}, ""},
		{"whole numbers", "3\n1\n0\n", []float64{3, 1, 0}, ""},
		{"whole numbers, the first 0", "0\n3\n1\n", []float64{0, 3, 1}, "the first line, 0, is read as a value"},
		{"as Python prints saturated scores", "1.0\n0.5\n0.0\n", []float64{1, .5, 0}, ""},
		{"as C prints them, by %g", "1\n0.5\n0\n", []float64{1, .5, 0}, ""},
		{"empty lines at the end", "0.5\n0.25\n\n\n", []float64{.5, .25}, ""},
		{"a list with commas at the ends", "0.5,\n0.25,\n", []float64{.5, .25}, "a separator ends every line"},
	} {
		got, err := parse(c.content, false)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		values, err := got.Column()
		if notes := strings.Join(got.Notes, "\n"); err != nil || !slices.Equal(values, c.want) || (c.note == "") != (notes == "") || !strings.Contains(notes, c.note) {
			t.Errorf("%s: %v (%v), notes %q; want %v, %q", c.name, values, err, notes, c.want, c.note)
		}
	}
}

// Missing values, as programs write them, are errors with line and column wherever they
// stand.
func TestMissing(t *testing.T) {
	for _, mark := range strings.Split("nan NaN -nan NA N/A n/a null NULL None <NA> #N/A #NA #DIV/0! inf -inf Inf Infinity 1e999 -1.#IND 1.#QNAN ? - -- .", " ") {
		for content, want := range map[string]string{
			"1.5,2.5\n3.5," + mark + "\n4.5,5.5\n": "x.csv:2: value 2 is " + mark,
			"a,b\n1.5,2.5\n" + mark + ",3.5\n":     "x.csv:3: value 1 is " + mark,
			"1.5\n" + mark + "\n2.5\n":             "x.csv:2: value 1 is " + mark,
			mark + "\n1.5\n2.5\n":                  "x.csv:1: value 1 is " + mark,
			"1.5," + mark + "\n2.5,3.5\n":          "x.csv:1: value 2 is " + mark,
		} {
			for _, labels := range []bool{false, true} {
				_, err := parse(content, labels)
				refuses(t, err, want)
			}
		}
	}
	for content, want := range map[string]string{
		"1.5,2.5\n,3.5\n4.5,5.5\n": "x.csv:2: value 1 is missing",
		"1.5,2.5\n3.5,\n4.5,5.5\n": "x.csv:2: value 2 is missing",
		"1.5,2.5\n3.5,\n":          "x.csv:2: value 2 is missing",
		"a,b\n3.5,\n4.5,\n":        "x.csv:2: value 2 is missing",
		"1.5,2.5\n3.5,4.5\n5.5,\n": "x.csv:3: value 2 is missing",
		"a,b\n1.5,2.5\n3.5,\"\"\n": "x.csv:3: value 2 is missing",
		"0\n1.5\n\"\"\n2.5\n":      "x.csv:3: value 1 is missing", // pandas
		"s\n1.5\n\n2.5\n":          "x.csv:3: the line is empty",  // polars
		"s\n\n1.5\n2.5\n":          "x.csv:2: the line is empty",  //
		",,\n1.5,2.5,3.5\n":        "x.csv:1: value 1 is missing", //
		",0.5,1.5\n1.5,2.5,3.5\n":  "x.csv:1: value 1 is missing", //
		"1.5,2.5,3.5\n,,\n":        "x.csv:2: ",                   // Excel's empty row
		"1.5,2.5,3.5\n4.5,5.5\n":   "x.csv:2: 2 values, but the rows before have 3",
		"1.5,2.5\n3.5,4.5,5.5\n":   "x.csv:2: 3 values, but the rows before have 2",
		"a,b,c\n1.5,2.5\n":         "x.csv:1: a header of 3 names, but the rows after have 2 values",
	} {
		_, err := parse(content, false)
		refuses(t, err, want)
	}
}

// What cannot be told is refused with a remedy.
func TestUnclear(t *testing.T) {
	for content, want := range map[string]string{
		"0,1,2\n2,1,0\n1,0,2\n":                            `x.csv:1: "0,1,2" may be a header or values: put # before it if it is a header, or a line of names above it if it is not`,
		"0,1\n1,0\n0,1\n":                                  `x.csv:1: "0,1" may be a header`,
		"3,5,7\n0.5,1.5,2.5\n3.5,4.5,5.5\n":                `x.csv:1: "3,5,7" may be a header`,
		"1\n0.5\n0.25\n":                                   `x.csv:1: "1" may be a header`,
		"0,1,2\n":                                          `x.csv:1: "0,1,2" may be a header`,
		"0.53x\n0.4\n0.3\n":                                `x.csv:1: value 1 is "0.53x", which is no number (if the line is a header, put # before it)`,
		"cat,0.5\n1.5,2.5\n":                               `x.csv:1: value 1 is "cat", which is no number`,
		"0 - zero,1 - one\n1.5,2.5\n":                      `x.csv:1: value 1 is "0 - zero"`,
		",dog,ship\n0.5,1.5,2.5\n3.5,4.5,5.5\n":            "x.csv:2: value 1 is 0.5, in a column without a name in line 1",
		"0,5;1,3\n0,25;2,5\n":                              "its numbers have decimal commas",
		"a;b\n0,5;1,3\n0,25;2,5\n":                         "its numbers have decimal commas",
		"0,5\t1,3\n0,25\t2,5\n":                            "its numbers have decimal commas",
		"0,5 1,3\n0,25 2,5\n":                              "its numbers have decimal commas",
		",0,1\n0,\"0,5\",\"-1,25\"\n1,\"1,0\",\"0,0\"\n":   "its numbers have decimal commas",
		"\"\";\"V1\";\"V2\"\n\"1\";0,5;-1,25\n\"2\";1;0\n": "its numbers have decimal commas", // R: write.csv2
		"a,b\n\"1,234.5\",2\n3,4\n":                        `x.csv:2: value 1 is "1,234.5", which is no number`,
		"1.5,2.5\n3.5,\"4\n":                               "x.csv:2: a quote is not closed",
		"1.5,2.5\n3.5,0.5 # a remark\n":                    `x.csv:2: value 2 is "0.5 # a remark"`,
		"a,b\n1,2\nc,d\n":                                  `x.csv:3: value 1 is "c", which is no number`,
		"1.5,\u22120.5\n2.5,1.5\n":                         "x.csv:1: value 2 is \"\u22120.5\"",
		"a,b\n1.5,(1+2j)\n":                                `value 2 is "(1+2j)"`,
		"a,b\n1.5,50%\n":                                   `value 2 is "50%"`,
		"1_5,2.5\n3.5,4.5\n":                               `x.csv:1: value 1 is "1_5", which is no number`,
		"a,b\n1.5,1_000\n":                                 `value 2 is "1_000"`,
		"a,b\n1.5,True\n":                                  `value 2 is "True"`,
		"0,1.5\n1,2.5\n":                                   "the first column may be an index of the two rows",
		"[[1.5, 2.5]]\n":                                   "this is JSON or an array as Python prints it",
		"{\"a\": 1}\n":                                     "this is JSON",
		"tensor([1.5])\n":                                  "this is JSON",
		"<html>\n":                                         "this is HTML",
		"a\x1b]0;owned\x07,b\n1.5,x\x1b[2J\ny\n":           `value 2 is "x\x1b[2J"`,
		"1.5\x00\n2.5\n":                                   "bytes of 0",
		"\x1b]0;owned\x07b\n1.5\n":                         `"\x1b]0;owned\ab"`,
	} {
		_, err := parse(content, false)
		refuses(t, err, want)
	}
}

// A name above keeps what counts as values; # before it as a header.
func TestRemedies(t *testing.T) {
	for content, want := range map[string]string{
		"a,b,c\n0,1,2\n2,1,0\n1,0,2\n": "[[0 1 2] [2 1 0] [1 0 2]]",
		"# 0,1,2\n2,1,0\n1,0,2\n":      "[[2 1 0] [1 0 2]]",
		"score\n1\n0.5\n":              "[[1] [0.5]]",
	} {
		got, err := parse(content, false)
		if err != nil || fmt.Sprint(got.Rows) != want || got.Notes != nil {
			t.Errorf("%q: %v, %v (%v), want %s", content, got.Rows, got.Notes, err, want)
		}
	}
}

// A column of labels or an index in another place is no logit.
func TestCheckLogits(t *testing.T) {
	var labeled, plain, zeros strings.Builder
	for i := range 12 {
		v := math.Sin(float64(i))
		fmt.Fprintf(&labeled, "%v,%v,%d\n", v, -v/2+.01, i*7%3)
		fmt.Fprintf(&plain, "%v,%v\n", v, -v/2+.01)
		fmt.Fprintf(&zeros, "0.0,%v,%v\n", v, -v/2+.01) // a class of reference
	}
	for content, want := range map[string]string{
		labeled.String():                        "column 3 holds whole numbers only",
		"cat,dog,label\n" + labeled.String():    `column 3, "label", holds whole numbers only`,
		"0,1,label\n0.5,1.5,0\n0.25,2.5,1\n":    `column 3, "label", holds whole numbers only`,
		"id,cat,dog\n17,1.5,0.5\n3,2.5,1.5\n":   `column 1, "id", holds whole numbers only`,
		plain.String():                          "",
		zeros.String():                          "",
		"1,2\n3,4\n":                            "",
		"cat,dog,ship\n0.5,1.5,0\n0.25,2.5,1\n": "",
		"0.5\n0.25\n":                           "rows of one value",
	} {
		got, err := parse(content, false)
		if err != nil {
			t.Errorf("%.40q: %v", content, err)
			continue
		}
		if err := got.CheckLogits(false); want == "" && err != nil {
			t.Errorf("%.40q: %v", content, err)
		} else if want != "" {
			refuses(t, err, want)
		}
	}
}
