package main

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"

	"ngebm/data/testerror"
)

// sines are 40 rows of 3 logits, 3 sin(first+3i+k) times scale.
func sines(first, scale float64) [][]float64 {
	rows := make([][]float64, 40)
	for i := range rows {
		for k := range 3 {
			rows[i] = append(rows[i], scale*math.Sin(first+float64(3*i+k)))
		}
	}
	return rows
}

// each applies a function to rows and prints them.
func each(format string, rows [][]float64, of func(v, logSum float64) float64) string {
	var b strings.Builder
	for _, row := range rows {
		for k, v := range row {
			if k > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, format, of(v, floats.LogSumExp(row)))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func logit(v, _ float64) float64       { return v }
func logSoftmax(v, s float64) float64  { return v - s }
func probability(v, s float64) float64 { return math.Exp(v - s) }
func percentage(v, s float64) float64  { return 100 * math.Exp(v-s) }
func classes(first string) (text string) { // labels 7i mod 3
	text = first
	for i := range 40 {
		text += fmt.Sprintln(i * 7 % 3)
	}
	return text
}

// scikit-learn's accuracy_score and log_loss of pandas.read_csv(f), for the files that
// pandas 3.1.1 writes of columns 0.0, 1.0 and 2.0 and of a Series.
func TestMeasureHeaderOfFloats(t *testing.T) {
	l := file(t, "L.csv", "0.0,1.0,2.0\n"+each("%v", sines(1, 3), logit))
	for _, first := range []string{"", "0\n", "label\n"} {
		got := report(t, "-logits", l, "-labels", file(t, "y.csv", classes(first)))
		hold(t, got, map[string]float64{"samples": 40, "accuracy": .3, "NLL": 2.0549809008169384})
		if notes := fmt.Sprint(got["notes"]); !strings.Contains(notes, `"0.0,1.0,2.0", is read as a header`) {
			t.Errorf("the notes are %s", notes)
		}
	}
}

// scikit-learn's figures of numpy's round(2), divided by the rows' sums.
func TestMeasureProbabilitiesOfTwoDigits(t *testing.T) {
	p, y := file(t, "P.csv", each("%.2f", sines(1, 3), probability)), file(t, "y.csv", classes(""))
	got := report(t, "-probabilities", "-logits", p, "-labels", y)
	hold(t, got, map[string]float64{"samples": 40, "accuracy": .3, "NLL": 2.0399394185890913})
	if notes := fmt.Sprint(got["notes"]); !strings.Contains(notes, "sum to 1 within 0.01 only") {
		t.Errorf("the notes are %s", notes)
	}
	for content, want := range map[string]string{
		each("%.2f", sines(1, 3), probability):                        "are read as logits; if these are probabilities, give -probabilities",
		strings.Repeat(".5,.25,.25\n", 39) + ".5,.5,.5\n":             "if these are probabilities, give -probabilities", // one row is damaged
		each("%.1f", sines(1, 3), percentage):                         "if these are percentages, divide by 100",
		each("%.0f", sines(1, 1), percentage):                         "if these are percentages, divide by 100",
		strings.ReplaceAll(each("%.3f", sines(1, 3), logit), "-", ""): "",
	} {
		got := report(t, "-logits", file(t, "L.csv", content), "-labels", y)
		if notes := fmt.Sprint(got["notes"]); !strings.Contains(notes, want) || (got["notes"] == nil) != (want == "") {
			t.Errorf("%.40q: the notes are %s, want %q", content, notes, want)
		}
	}
	err := measure(t.Context(), []string{"-probabilities", "-logits", file(t, "P.csv", each("%.1f", sines(1, 3), percentage)), "-labels", y}, new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "percentages: divide the values by 100") {
		t.Errorf("percentages: %v", err)
	}
}

// A class may have the probability 0 or 1 in every row, as Iris setosa has in a random forest; labels beside
// probabilities are refused however rare a 1 is.
func TestMeasureProbabilitiesOfWholeNumbers(t *testing.T) {
	certain := file(t, "P.csv", strings.Repeat("1.0,0.0,0.0\n0.0,0.9,0.1\n0.0,0.25,0.75\n0.0,0.6,0.4\n", 10))
	y := file(t, "y.csv", strings.Repeat("0\n1\n2\n1\n", 10))
	for _, args := range [][]string{{"-probabilities"}, nil} {
		hold(t, report(t, append(args, "-logits", certain, "-labels", y)...), map[string]float64{"samples": 40, "accuracy": 1})
	}
	labeled := file(t, "P.csv", strings.Repeat("0.7,0.3,0\n", 38)+"0.2,0.8,1\n0.4,0.6,1\n")
	err := measure(t.Context(), []string{"-logits", labeled, "-labels", y}, new(bytes.Buffer))
	testerror.Want(t, err, "column 3 holds whole numbers only")
}

// Raw logits against log_softmax are told apart by px without a model; the energy of
// log_softmax is 0. max_logit of both as log_softmax by scikit-learn's roc_auc_score.
func TestMeasureLogSoftmax(t *testing.T) {
	in, out := file(t, "x.csv", each("%v", sines(1, 3), logit)), file(t, "o.csv", each("%v", sines(200, 1), logit))
	logIn, logOut := file(t, "lx.csv", each("%v", sines(1, 3), logSoftmax)), file(t, "lo.csv", each("%.5f", sines(200, 1), logSoftmax))
	p := file(t, "p.csv", each("%v", sines(200, 1), probability))
	for _, c := range []struct{ in, out, want string }{
		{in, logOut, `x.csv" looks like logits and "`},
		{logIn, out, `lx.csv" looks like logarithms of probabilities and "`},
		{in, p, `p.csv" like probabilities: write the same of both`},
	} {
		err := measure(t.Context(), []string{"-logits", c.in, "-ood", "o=" + c.out}, new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: %v, want %q", c.in, c.out, err, c.want)
		}
	}
	got := report(t, "-logits", logIn, "-ood", "o="+logOut)
	hold(t, got["ood"].(map[string]any)["o"].(map[string]any)["max_logit"].(map[string]any), map[string]float64{"AUROC": .91125})
	if notes := fmt.Sprint(got["notes"]); !strings.Contains(notes, "px is rounding noise") {
		t.Errorf("the notes are %s", notes)
	}
	if got := report(t, "-logits", in, "-ood", "o="+out); got["notes"] != nil {
		t.Errorf("notes on logits: %v", got["notes"])
	}
	short := file(t, "s.csv", "0.5,0.25,0.25\n")
	if got := report(t, "-logits", in, "-ood", "o="+short); !strings.Contains(fmt.Sprint(got["notes"]), "write the same of both") {
		t.Errorf("one row of probabilities: %v", got["notes"])
	}
}
