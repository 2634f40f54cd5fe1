package calibration

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"
)

// numbers reads a CSV file of numbers.
func numbers(t testing.TB, path string) [][]float64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := make([][]float64, len(records))
	for i, record := range records {
		for _, field := range record {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			rows[i] = append(rows[i], v)
		}
	}
	return rows
}

// reference reads one of the datasets of testdata.
func reference(t testing.TB, name string) Sample {
	s := Sample{Logits: numbers(t, "testdata/"+name+"_logits.csv")}
	for _, row := range numbers(t, "testdata/"+name+"_labels.csv") {
		s.Labels = append(s.Labels, int32(row[0]))
	}
	return s
}

// asProbabilities returns the same sample given as probabilities.
func asProbabilities(s Sample) Sample {
	p := make([][]float64, len(s.Logits))
	for i, row := range s.Logits {
		p[i] = make([]float64, len(row))
		s.predict(row, s.Labels[i], p[i])
	}
	return Sample{Probabilities: p, Labels: s.Labels}
}

// equal says which metric equals which row of expected.csv: by metric, and by
// package and convention where packages differ. ok is false for rows of another
// convention.
func equal(metric, pkg, convention string, logits, probabilities *Report) (got float64, ok bool) {
	bins := logits.Bins
	switch metric {
	case "accuracy":
		return logits.Accuracy, true
	case "mean_confidence":
		return logits.MeanConfidence, true
	case "ECE":
		return logits.ECE, pkg != "torchmetrics 1.9.0" && convention != "own: [lo,hi), edges i/n"
	case "MCE":
		return logits.MCE, pkg != "torchmetrics 1.9.0"
	case "RMSCE_plugin":
		return logits.RMSCE, true
	case "RMSCE_debiased":
		return logits.RMSCEDebiased, true
	case "ECE_debiased", "ECE_debiased_draws":
		return logits.ECEDebiased, true
	case "smooth_ECE":
		return logits.SmoothECE, true
	case "AUGRC":
		return logits.AUGRC, true
	case "ECE_equal_mass":
		return logits.ECEEqualMass, pkg == "uncertainty-calibration 0.1.4"
	case "classwise_ECE":
		return logits.ClasswiseECE, true
	case "ECE_midpoint":
		return logits.ECEMidpoint, true
	case "ECE_midpoint_official":
		return logits.ECEMidpointOfficial, true
	case "Brier_sum":
		return logits.Brier, true
	case "NLL":
		return logits.NLL, true
	case "NLL_from_probs":
		return probabilities.NLL, true
	case "T_opt":
		return logits.TOpt, true
	case "NLL_at_T_opt":
		return logits.NLLAtTOpt, true
	case "ECE_after_T":
		return logits.ECEAfterT, bins == DefaultBins
	}
	return 0, false
}

// referenceRecords reads a table of testdata.
func referenceRecords(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// Every metric equals the packages named in the package comment, on continuous
// data and on ties.
func TestReferenceValues(t *testing.T) {
	records := referenceRecords(t, "expected.csv")
	type key struct {
		name string
		bins int
	}
	type reports struct{ logits, probabilities *Report }
	done := map[key]reports{}
	held := map[string]int{}
	for _, record := range records[1:] {
		name, metric, pkg, convention := record[0], record[1], record[4], record[5]
		bins := DefaultBins
		if record[2] != "" {
			bins, _ = strconv.Atoi(record[2])
		}
		r, ok := done[key{name, bins}]
		if !ok {
			s := reference(t, name)
			r = reports{measured(t, s, Options{Bins: bins, Validation: &s}), measured(t, asProbabilities(s), Options{Bins: bins})}
			done[key{name, bins}] = r
		}
		got, ok := equal(metric, pkg, convention, r.logits, r.probabilities)
		if !ok {
			continue
		}
		want, err := strconv.ParseFloat(record[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		tolerance := 1e-9
		if metric == "T_opt" {
			tolerance = 1e-6 // the packages agree to no more
		}
		if metric == "ECE_debiased_draws" {
			tolerance = 3e-4 // of 200,000 draws
		}
		if !(math.Abs(got-want) <= tolerance) {
			t.Errorf("%s %s (%d bins): %.15g, but %s has %.15g (%s)", name, metric, bins, got, pkg, want, convention)
		}
		held[metric]++
	}
	for metric, rows := range map[string]int{ // two datasets, 15 and 20 bins
		"accuracy": 2, "ECE": 16, "MCE": 16, "RMSCE_plugin": 4, "ECE_equal_mass": 4, "classwise_ECE": 8,
		"ECE_midpoint": 2, "ECE_midpoint_official": 2, "Brier_sum": 4, "NLL": 4, "NLL_from_probs": 2,
		"RMSCE_debiased": 4, "ECE_debiased": 4, "ECE_debiased_draws": 4, "smooth_ECE": 2, "AUGRC": 2,
		"T_opt": 6, "NLL_at_T_opt": 2, "ECE_after_T": 2,
	} {
		if held[metric] != rows {
			t.Errorf("%d rows of %s were held against this package, want %d", held[metric], metric, rows)
		}
	}
}

// The smooth ECE is relplot 1.0.3's smECE at other temperatures too, of kernels with even and
// odd grids.
func TestSmoothECE(t *testing.T) {
	for _, c := range []struct {
		name        string
		temperature float64
		want        float64
	}{
		{"A_n5000_K10", 1.3, 0.1452583851633307},
		{"A_n5000_K10", 2.25, 0.13680276226994137},
		{"A_n5000_K10", 20, 0.3583126996269521},
		{"C_n37_K3_edge", 2.25, 0.10112871399364758},
		{"C_n37_K3_edge", 20, 0.15797034437967675},
	} {
		s := reference(t, c.name)
		s.Temperature = c.temperature
		if got := measured(t, s, Options{}).SmoothECE; math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s at T = %v: %.15g, want %.15g", c.name, c.temperature, got, c.want)
		}
	}
	// Narrow kernels, whose reach is cut: confidence f of 4000 evenly spread ones, right
	// where the multiples of the golden ratio, mod 1, are below f - over.
	for _, c := range []struct{ from, over, want float64 }{
		{0, 0, 0.005792524156435926},
		{.9, 0, 0.0015073016648379318},
		{.9, .02, 0.01979758679292186},
	} {
		examples := make([]ranked, 4000)
		for i := range examples {
			f := c.from + (1-c.from)*(float64(i)+.5)/4000
			examples[i] = ranked{f, int32(i), math.Mod(float64(i)*0.6180339887498949, 1) < f-c.over}
		}
		if got := smoothECE(examples); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("from %v, %v over: %.15g, want %.15g", c.from, c.over, got, c.want)
		}
	}
}
