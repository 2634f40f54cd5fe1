package table

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// FuzzTable checks that whatever the bytes, the reader returns an error of one line
// without control codes, or finite rows of one length, which it reads again as they are
// from what they print as.
func FuzzTable(f *testing.F) {
	for _, seed := range []string{
		"1,2\n3,4\n", "a,b\r\n1,2\r\n", "\ufeff# x\n\n1e3, -.5\n", "1,2\n3\n", "\"1\",\"2\n", "nan,inf\n", "0x1p-2\n",
		",0,1\n0,1.5,2.5\n", "V1 V2\n1 .5 .25\n", "0,5;1,3\n", "sep=;\n1;2\n", "1,2,\n3,4,\n", "1\r2\r\r\n3\n", "0\ncat\n", "0,1\n.5,.5\n", "0,1\n1,0\n2,1\n",
	} {
		for _, content := range codings(f, seed) {
			f.Add([]byte(content))
		}
	}
	f.Add([]byte(npy("<f2", "(1, 2)", 4)))
	f.Add([]byte(npy("|V2", "(3,)", 6)))
	f.Add([]byte(npy("<f8", "(99999999999, 99999999999)", 0)))
	f.Add([]byte(npz(f, npy(">f4", "(3, 1)", 12))))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, labels := range []bool{false, true} {
			got := &Table{Path: "x.csv"}
			if err := got.read(bytes.NewReader(b), int64(len(b)), labels); err != nil {
				if strings.ContainsAny(err.Error(), "\n\x1b\r") {
					t.Errorf("an error of more than one line, or with a control code: %q", err)
				}
				continue
			}
			if len(got.Rows) > 0 {
				checkTable(t, got, labels)
			}
			if len(got.Rows) > 0 && !labels {
				_ = got.CheckLogits(false)
				checkAgain(t, got)
			}
			if len(got.Rows) > 0 && labels {
				checkLabels(t, got)
			}
		}
	})
}

func checkTable(t *testing.T, got *Table, labels bool) {
	for i, row := range got.Rows {
		if len(row) != got.Width() || len(row) == 0 {
			t.Fatalf("row %d has %d values, the first %d", i, len(row), got.Width())
		}
		for _, v := range row {
			if math.IsInf(v, 0) || math.IsNaN(v) && !(labels && len(row) == 1) {
				t.Fatalf("row %d holds %v", i, v)
			}
		}
	}
	if got.lines != nil && len(got.lines) != len(got.Rows) {
		t.Fatalf("%d lines for %d rows", len(got.lines), len(got.Rows))
	}
	if got.Names != nil && len(got.Names) != got.Width() {
		t.Fatalf("%d names for %d columns", len(got.Names), got.Width())
	}
	for _, note := range got.Notes {
		if strings.ContainsAny(note, "\n\x1b\r") {
			t.Errorf("a note of more than one line, or with a control code: %q", note)
		}
	}
}

// checkLabels checks that labels are classes, or refused in one line.
func checkLabels(t *testing.T, got *Table) {
	logits, err := parse("0,1,2\n0.5,1.5,2.5\n3.5,4.5,5.5\n", false)
	if err != nil {
		t.Fatal(err)
	}
	rows := len(got.Rows)
	values, err := got.Labels(logits)
	if err != nil {
		if strings.ContainsAny(err.Error(), "\n\x1b\r") {
			t.Errorf("an error of more than one line, or with a control code: %q", err)
		}
		return
	}
	if len(values) != rows && len(values) != rows-1 || slices.Min(values) < 0 || slices.Max(values) > 2 {
		t.Errorf("%d rows of labels became %v", rows, values)
	}
}

func checkAgain(t *testing.T, got *Table) {
	var printed strings.Builder
	printed.WriteString("name" + strings.Repeat(",name", got.Width()-1) + "\n")
	for _, row := range got.Rows {
		for k, v := range row {
			if k > 0 {
				printed.WriteByte(',')
			}
			fmt.Fprintf(&printed, "%v", v)
		}
		printed.WriteByte('\n')
	}
	again, err := parse(printed.String(), false)
	if len(again.Notes) > 1 {
		return // its first column counts: an index
	}
	if err != nil || fmt.Sprint(again.Rows) != fmt.Sprint(got.Rows) {
		t.Errorf("%v, read again %v (%v)", got.Rows, again.Rows, err)
	}
}
