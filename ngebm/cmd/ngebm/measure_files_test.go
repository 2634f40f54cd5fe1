package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/data/testerror"
)

const csvData = "testdata/csv/"

// hold compares keys of a report with what testdata/csv/make.py prints.
func hold(t *testing.T, got map[string]any, want map[string]float64) {
	t.Helper()
	for key, v := range want {
		if g, ok := got[key].(float64); !ok || math.Abs(g-v) > 1e-6 {
			t.Errorf("%s is %v, want %v", key, got[key], v)
		}
	}
}

// Files as pandas writes them give pandas' figures, and the report says what they were
// read as, also in JSON.
func TestMeasureReadsWhatPandasWrites(t *testing.T) {
	header, index := csvData+"pandas_default_header_", csvData+"pandas_index_column_"
	for bins, ece := range map[string]float64{"15": .17159268350148868, "10": .16142359800635037} {
		hold(t, report(t, "-bins", bins, "-logits", header+"logits.csv", "-labels", header+"labels.csv"),
			map[string]float64{"samples": 40, "classes": 4, "accuracy": .775, "ECE": ece, "T_opt": .5415256279111971})
	}
	for bins, ece := range map[string]float64{"15": .13870243417657294, "10": .18896903237364646} {
		got := report(t, "-bins", bins, "-logits", index+"logits.csv", "-labels", index+"labels.csv")
		hold(t, got, map[string]float64{"samples": 30, "classes": 3, "accuracy": .8333333333333334, "ECE": ece, "T_opt": .5343548915832476})
		if notes := fmt.Sprint(got["notes"]); !strings.Contains(notes, "is read as an index and left out") {
			t.Errorf("the notes are %s", notes)
		}
	}
	scores := []string{"-in-scores", header + "scores_in.csv", "-out-scores", header + "scores_out.csv"}
	hold(t, report(t, scores...), map[string]float64{"in": 30, "out": 30, "AUROC": .8377777777777778})
	if out := ask(t, scores...); strings.Count(out, `note: testdata/csv/pandas_default_header_scores_in.csv: the first line, "0", is read as a header`) != 1 {
		t.Errorf("the header is not named:\n%s", out)
	}
	hold(t, report(t, "-in-scores", csvData+"first_line_trailing_blank_scores.csv", "-out-scores", header+"scores_out.csv"), map[string]float64{"in": 3})
}

// An input is not replaced by the results, under whatever name.
func TestMeasureKeepsItsInputs(t *testing.T) {
	logits, labels := file(t, "L.csv", "0.5,1.5\n1.5,0.5\n"), file(t, "y.csv", "0\n1\n")
	other := filepath.Join(filepath.Dir(labels), ".", "link.csv")
	if err := os.Link(labels, other); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{logits, other} {
		err := measure(t.Context(), []string{"-logits", logits, "-labels", labels, "-o", out}, new(bytes.Buffer))
		testerror.Want(t, err, "-o names the input", "would be lost")
	}
	err := measure(t.Context(), []string{"-logits", logits, "-ood", "o=" + labels, "-o", labels}, new(bytes.Buffer))
	testerror.Want(t, err, "-o names the input", "would be lost")
}

// Labels are told from logits by the number of rows only where the same program wrote
// both; what is in doubt is an error.
func TestMeasureLengths(t *testing.T) {
	logits := file(t, "L.csv", "0.5,1.5\n1.5,0.5\n0.25,.75\n")
	for name, c := range map[string]struct{ labels, want string }{
		"too many": {"0\n1\n0\n1\n", `L.csv" has 3 rows but`},
		"too few":  {"0\n1\n", `y.csv" has 2 labels`},
		"a blank":  {"0\n\n1\n0\n", "y.csv:2: the line is empty"},
	} {
		err := measure(t.Context(), []string{"-bins", "2", "-logits", logits, "-labels", file(t, "y.csv", c.labels)}, new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Columns in another order are no logits of the same classes.
func TestMeasureColumnsInOneOrder(t *testing.T) {
	in, out := file(t, "L.csv", "cat,dog\n0.5,1.5\n"), file(t, "O.csv", "dog,cat\n0.5,1.5\n")
	err := measure(t.Context(), []string{"-logits", in, "-ood", "o=" + out}, new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), `["dog" "cat"]`) || !strings.Contains(err.Error(), "put them in one order") {
		t.Errorf("%v", err)
	}
}

// Rounded probabilities are divided by their sums: torch 2's softmax of [2,1,.5] and
// [0,3,1], as bfloat16 and with three digits, gives the figures of its quotient, by hand.
func TestMeasureRoundedProbabilities(t *testing.T) {
	y := file(t, "y.csv", "0\n2\n")
	for name, rows := range map[string][][]float64{
		"bfloat16":     {{.62890625, .2314453125, .140625}, {.04199218750, .84375, .1142578125}},
		"three digits": {{.629, .231, .141}, {.042, .844, .115}},
	} {
		var text, divided strings.Builder
		for _, p := range rows {
			sum := p[0] + p[1] + p[2]
			fmt.Fprintf(&text, "%v,%v,%v\n", p[0], p[1], p[2])
			fmt.Fprintf(&divided, "%.17g,%.17g,%.17g\n", p[0]/sum, p[1]/sum, p[2]/sum)
		}
		got := report(t, "-bins", "2", "-probabilities", "-logits", file(t, "P.csv", text.String()), "-labels", y)
		want := report(t, "-bins", "2", "-probabilities", "-logits", file(t, "P.csv", divided.String()), "-labels", y)
		if want["notes"] != nil || !strings.Contains(fmt.Sprint(got["notes"]), "each row is divided by its sum") {
			t.Errorf("%s: notes %v, and %v of exact ones", name, got["notes"], want["notes"])
		}
		for _, key := range []string{"accuracy", "ECE", "NLL", "T_opt"} {
			if math.Abs(got[key].(float64)-want[key].(float64)) > 1e-12 {
				t.Errorf("%s: %s is %v, want %v", name, key, got[key], want[key])
			}
		}
	}
	off := file(t, "P.csv", ".629,.231,.145\n.1,.2,.7\n")
	err := measure(t.Context(), []string{"-bins", "2", "-probabilities", "-logits", off, "-labels", y}, new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "P.csv:1: the probabilities sum to 1.005, not 1") {
		t.Errorf("a sum of 1.005: %v", err)
	}
	// Without the flag they are logits, and the report wonders.
	given := report(t, "-bins", "2", "-logits", file(t, "P.csv", ".629,.231,.14\n.1,.2,.7\n"), "-labels", y)
	if !strings.Contains(fmt.Sprint(given["notes"]), "if these are probabilities, give -probabilities") {
		t.Errorf("notes on probabilities as logits: %v", given["notes"])
	}
}
