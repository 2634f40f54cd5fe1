package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npy"
	"gonum.org/v1/gonum/mat"

	"ngebm/data/testdisk"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/ood"
)

const (
	calibrationData = "../../calibration/testdata/"
	oodData         = "../../ood/testdata/"
)

// ask runs the command and returns what it prints.
func ask(t testing.TB, args ...string) string {
	t.Helper()
	testdisk.Inputs(t, csvData, calibrationData, oodData)
	var out bytes.Buffer
	if err := measure(t.Context(), args, &out); err != nil {
		t.Fatalf("ngebm measure %s: %v", strings.Join(args, " "), err)
	}
	return out.String()
}

// report runs the command and decodes its JSON.
func report(t testing.TB, args ...string) map[string]any {
	t.Helper()
	var keys map[string]any
	if err := json.Unmarshal([]byte(ask(t, append(args, "-o", "-")...)), &keys); err != nil {
		t.Fatal(err)
	}
	return keys
}

// file writes a file for one test.
func file(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// The command's JSON has the figures of other people's packages under the names of
// their table (the packages test more rows).
func TestMeasureGivesThePackagesFigures(t *testing.T) {
	expected := func(path string) [][]string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return records[1:]
	}
	held := 0
	hold := func(record []string, got any) {
		want, err := strconv.ParseFloat(record[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		tolerance := 1e-9
		if record[1] == "T_opt" {
			tolerance = 1e-6
		}
		if v, ok := got.(float64); !ok || math.Abs(v-want) > tolerance {
			t.Errorf("%s %s: %v, want %v (%s)", record[0], record[1], got, want, record[4])
		}
		held++
	}
	for _, name := range []string{"A_n5000_K10", "C_n37_K3_edge"} {
		l, y := calibrationData+name+"_logits.csv", calibrationData+name+"_labels.csv"
		for _, bins := range []string{"15", "20"} {
			keys := report(t, "-logits", l, "-labels", y, "-val-logits", l, "-val-labels", y, "-bins", bins)
			for _, record := range expected(calibrationData + "expected.csv") {
				key := strings.TrimSuffix(record[1], "_plugin")
				theirs := strings.HasPrefix(record[4], "uncertainty") || record[1] != "ECE_equal_mass" && !strings.HasPrefix(record[4], "torchmetrics") && !strings.Contains(record[5], "own: [lo,hi), edges")
				fits := record[2] == bins || record[2] == "" || record[2] == "20" && strings.HasPrefix(key, "ECE_midpoint")
				if got, ok := keys[key]; ok && record[0] == name && theirs && fits {
					hold(record, got)
				}
			}
		}
	}
	for _, name := range []string{"O1_ties", "O2_continuous", "O4_constant"} {
		keys := report(t, "-in-scores", oodData+name+"_in.csv", "-out-scores", oodData+name+"_out.csv")
		for _, record := range expected(oodData + "expected.csv") {
			if got, ok := keys[record[1]]; ok && record[0] == name {
				hold(record, got)
			}
		}
	}
	if held < 100 {
		t.Errorf("only %d rows were held against the command", held)
	}
}

// One sample as CSV with a header, CSV as other programs write it, and NPY of
// several types and orders gives one report.
func TestMeasureReadsCSVAndNPY(t *testing.T) {
	logits := []float64{2, -1, 0.5, 1, 0, 3, -2, 0.25, 1, 1, 1, 1.5}
	rows, width := 4, 3
	npyFile := func(name string, v any) string {
		var b bytes.Buffer
		if err := npy.Write(&b, v); err != nil {
			t.Fatal(err)
		}
		return file(t, name, b.String())
	}
	// npy writes the shape of flat slices as one dimension, of a matrix as two.
	fortran := func() string {
		var b bytes.Buffer
		header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': True, 'shape': (%d, %d), }", rows, width)
		header += strings.Repeat(" ", 117-len(header)) + "\n"
		b.WriteString("\x93NUMPY\x01\x00")
		b.Write([]byte{byte(len(header)), 0})
		b.WriteString(header)
		for k := range width {
			for i := range rows {
				bits := math.Float32bits(float32(logits[i*width+k]))
				b.Write([]byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)})
			}
		}
		return file(t, "fortran.npy", b.String())
	}
	labels := file(t, "y.csv", "0\n2\n1\n0\n")
	want := ask(t, "-bins", "3", "-logits", file(t, "L.csv", "2,-1,.5\n1,0,3\n-2,.25,1\n1,1,1.5\n"), "-labels", labels)
	for name, paths := range map[string][2]string{
		"header, comments, CRLF, BOM": {file(t, "L.csv", "\ufeffcat,dog,cow\r\n# from somewhere\r\n2, -1, 0.5\r\n\r\n1,0,3e0\r\n-2,0.25,1\r\n1,1,1.50"), file(t, "y.csv", "label\n0.000e+00\n2\n1\n0")},
		"float64":                     {npyFile("L.npy", mat.NewDense(rows, width, logits)), npyFile("y.npy", []int64{0, 2, 1, 0})},
		"float32, Fortran order":      {fortran(), npyFile("y.npy", []uint8{0, 2, 1, 0})},
		"labels as floats":            {fortran(), npyFile("y.npy", []float32{0, 2, 1, 0})},
	} {
		if got := ask(t, "-bins", "3", "-logits", paths[0], "-labels", paths[1]); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}

func TestMeasurePrintsTables(t *testing.T) {
	l, y := calibrationData+"C_n37_K3_edge_logits.csv", calibrationData+"C_n37_K3_edge_labels.csv"
	out := ask(t, "-logits", l, "-labels", y, "-ood", "same="+l, "-ood", "flat="+file(t, "flat.csv", "0,0,0\n"), "-bootstrap", "20", "-seed", "4")
	for _, c := range append(names(calibration.Conventions()), "T = 18.0681", "same", "flat", "px", "GEN", "AUROC", "20 resamples, seed 4", "warning: temperature: fitted to the measured examples") {
		if !strings.Contains(out, c) {
			t.Errorf("%q is not printed:\n%s", c, out)
		}
	}
	if again := ask(t, "-logits", l, "-labels", y, "-ood", "same="+l, "-ood", "flat="+file(t, "flat.csv", "0,0,0\n"), "-bootstrap", "20", "-seed", "4"); again != out {
		t.Error("the same seed printed other tables")
	}
	keys := report(t, "-logits", l, "-labels", y, "-ood", "same="+l, "-bootstrap", "20")
	same := keys["ood"].(map[string]any)["same"].(map[string]any)["px"].(map[string]any)
	if same["AUROC"] != .5 || same["intervals"].(map[string]any)["AUROC"] == nil {
		t.Errorf("a set against itself: %v", same)
	}
	if keys["intervals"].(map[string]any)["ECE"] == nil || keys["reliability"] == nil || keys["bootstrap"] == nil {
		t.Errorf("intervals, reliability or bootstrap are missing among %v", keys)
	}

	// Probabilities: only the scores that they have.
	p := file(t, "P.csv", ".75,.25\n.5,.5\n1,0\n")
	out = ask(t, "-probabilities", "-logits", p, "-ood", "same="+p)
	if !strings.Contains(out, "entropy") || strings.Contains(out, "px") {
		t.Errorf("scores of probabilities:\n%s", out)
	}
	path := filepath.Join(t.TempDir(), "report.json")
	if out := ask(t, "-in-scores", oodData+"O1_ties_in.csv", "-out-scores", oodData+"O1_ties_out.csv", "-o", path); !strings.Contains(out, "0.752091") {
		t.Errorf("with -o it prints %q", out)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Contains(b, []byte(`"AUROC": 0.752`)) {
		t.Errorf("report.json: %s (%v)", b, err)
	}
	if out := ask(t, "-in-scores", oodData+"O1_ties_in.csv", "-out-scores", oodData+"O1_ties_out.csv"); !strings.Contains(out, "0.752091") {
		t.Errorf("lists of scores:\n%s", out)
	}
}

func names(conventions []calibration.Convention) []string {
	var all []string
	for _, c := range conventions {
		all = append(all, c.Name)
	}
	return all
}

// -h documents each key and score.
func TestMeasureKeysAreDocumented(t *testing.T) {
	help := keys()
	for _, c := range ood.Conventions() {
		if !strings.Contains(help, c.Name) {
			t.Errorf("%s is not explained", c.Name)
		}
	}
	s := calibrationData + "C_n37_K3_edge_"
	for key := range report(t, "-logits", s+"logits.csv", "-labels", s+"labels.csv", "-ood", "O="+s+"logits.csv", "-bootstrap", "5") {
		if !strings.Contains(help, key) {
			t.Errorf("the JSON key %s is not explained:\n%s", key, help)
		}
	}
}

func TestMeasureBadInput(t *testing.T) {
	l, y := file(t, "L.csv", "2,1\n0,1\n3,4\n"), file(t, "y.csv", "0\n1\n1\n")
	for _, c := range []struct{ args, name, content, err string }{
		// {} stands for the file that is wrong.
		{"-logits {} -labels " + y, "L.csv", "1,2\n\n3,4,5\n", "L.csv:3: 3 values, but the rows before have 2"},
		{"-logits {} -labels " + y, "L.csv", "a,b\n1,2\n3,nan\n", "L.csv:3: value 2 is nan; every value must be finite"},
		{"-logits {} -labels " + y, "L.csv", "1,2\n3,1e999\n", "L.csv:2: value 2 is 1e999; every value must be finite"},
		{"-logits {} -labels " + y, "L.csv", "1,2\n3,x\n", `L.csv:2: value 2 is "x", which is no number`},
		{"-logits {} -labels " + y, "L.csv", "1 2\n3 4\n", `L.csv" has 2 rows but `},
		{"-logits {} -labels " + y, "L.csv", "1,2\n3,\"4\n", "L.csv:2: "},
		{"-logits {} -labels " + y, "L.csv", "", "L.csv: there are no rows"},
		{"-logits {} -labels " + y, "L.csv", "a,b\n", "L.csv: there are no rows"},
		{"-logits {} -labels " + y, "L.csv", "1\n2\n3\n", "L.csv: rows of one value; there must be one for each"},
		{"-logits {} -labels " + y, "L.csv", "1,2\n", `y.csv" has 3 labels; each example needs one of each`},
		{"-logits {} -labels " + y, "L.npy", "\x93NUMPY\x01\x00", "cut short: it ends at byte 8, in the length of the header"},
		{"-logits {} -labels " + y, "L.npy", npyHeader("<f8", "(1000000000000, 10)") + "12345678", "shape [1000000000000 10] of float64 takes more than"},
		{"-logits {} -labels " + y, "L.npy", npyHeader("<f8", "(4611686018427387904, 4)"), "is no size"},
		{"-logits {} -labels " + y, "L.npy", npyHeader("<f8", "(-1, -1)") + "12345678", `"-1" is no size`},
		{"-logits {} -labels " + y, "L.npy", npyHeader("<f8", "(1, 2)") + strings.Repeat("\xff", 16), "row 0, value 0 (the first of each is 0) is NaN"},
		{"-logits {} -labels " + y, "L.npy", npyHeader("<f8", "(1, 1, 1)") + "12345678", "1 or 2 dimensions"},
		{"-logits {} -labels " + y, "L.npy", npyHeader("<c8", "(1, 1)") + "12345678", "numbers are read whose type is"},
		{"-logits {} -labels " + y, "L.npy", "\x93NUMPY\x01\x00\x04\x00{  }", "lacks descr"},
		{"-logits " + l + " -labels {}", "y.csv", "0\n1\n0.5\n", "y.csv:3: label 0.5 is not a whole number"},
		{"-logits " + l + " -labels {}", "y.csv", "0\n2\n1\n", "y.csv:2: label 2 is not a class; with 2 values a row, labels are 0 … 1"},
		{"-logits " + l + " -labels {}", "y.csv", "0\n-1\n1\n", "y.csv:2: label -1 is not a class"},
		{"-logits " + l + " -labels {}", "y.csv", "1,0\n1,1\n0,1\n", "y.csv: rows of 2 values; there must be one value a row"},
		{"-logits " + l + " -labels {}", "y.csv", "0\n1\n", "has 3 rows but "},
		{"-logits " + l + " -labels " + y, "", "", "15 bins but 3 examples"},
		{"-logits " + l + " -labels " + y + " -bins 0", "", "", "-bins is 0"},
		{"-probabilities -logits {} -labels " + y, "P.csv", "p,q\n.5,.5\n.4,.5\n0,1\n", "P.csv:3: the probabilities sum to 0.9, not 1"},
		{"-probabilities -logits {} -labels " + y, "P.csv", "1.5,-.5\n.5,.5\n0,1\n", "P.csv:1: value 1 is 1.5, which is no probability; without -probabilities the files are read as logits"},
		{"-logits " + l + " -labels " + y + " -bins 2 -ood o={}", "O.csv", "1,2,3\n", `O.csv" has rows of 3 values, `},
		{"-logits " + l + " -labels " + y + " -bins 2 -ood o={}", "O.csv", "1,2\n1,inf\n", "O.csv:2: value 2 is inf"},
		{"-logits " + l + " -labels " + y + " -bins 2 -ood {}", "O.csv", "1,2\n", "it must be NAME=FILE"},
		{"-logits " + l + " -labels " + y + " -bins 2 -ood o={} -ood o={}", "O.csv", "1,2\n", "given twice"},
		{"-logits " + l + " -labels " + y + " -bins 2 -val-logits {} -val-labels " + y, "V.csv", "1,2,3\n4,5,6\n7,8,9\n", `V.csv" has rows of 3 values, `},
		{"-logits " + l + " -labels " + y + " -val-logits " + l, "", "", "-val-logits and -val-labels go together"},
		{"-in-scores {} -out-scores " + y, "in.csv", "# nothing\n", "in.csv: there are no rows"},
		{"-in-scores {} -out-scores " + y, "in.csv", "1\nnan\n", "in.csv:2: value 1 is nan"},
		{"-in-scores {} -out-scores " + y, "in.csv", "1,2\n", "in.csv: rows of 2 values"},
		{"-in-scores " + y, "", "", "-in-scores and -out-scores go together"},
		{"-in-scores " + y + " -out-scores " + y + " -bins 5", "", "", "-bins has no effect with -in-scores"},
		{"-logits " + l + " -ood o={} -bins 5", "O.csv", "1,2\n", "-bins has no effect without -labels"},
		{"-logits " + l + " -labels " + y + " -seed 5", "", "", "-seed has no effect without -bootstrap"},
		{"-in-scores " + y + " -out-scores " + y + " -logits " + l, "", "", "take neither logits nor labels"},
		{"-logits nowhere.csv -labels " + y, "", "", "nowhere.csv"},
		{"-logits " + l, "", "", "give -labels with -logits"},
		{"", "", "", "give -logits and -labels, or -in-scores"},
		{"L.csv", "", "", `unexpected argument "L.csv"`},
		{"-logits " + l + " -labels " + y + " -bootstrap -2", "", "", "-bootstrap is -2"},
	} {
		args := c.args
		if c.name != "" {
			args = strings.ReplaceAll(args, "{}", file(t, c.name, c.content))
		}
		err := measure(t.Context(), strings.Fields(args), new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "\n") {
			t.Errorf("measure %s\nwith %.60q: error %v, want %q", c.args, c.content, err, c.err)
		}
	}
}

// npyHeader returns what precedes the values in a file of version 1.
func npyHeader(kind, shape string) string {
	h := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", kind, shape)
	return "\x93NUMPY\x01\x00" + string([]byte{byte(len(h)), byte(len(h) >> 8)}) + h
}
