package predict_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/predict"
	"ngebm/ngebm/train"
)

// Rows of a table get sets with the coverage that is asked for, and a stored predictor encodes
// rows by the names of their columns.
func TestPredictorOfTable(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	for file, row := range map[string]map[string]any{
		"breast_cancer.csv": nil,
		"wine.csv": {"alcohol": 14.23, "malic_acid": 1.71, "ash": 2.43, "alcalinity_of_ash": 15.6, "magnesium": 127, "total_phenols": 2.8,
			"flavanoids": 3.06, "nonflavanoid_phenols": .28, "proanthocyanins": 2.29, "color_intensity": 5.64, "hue": 1.04, "od280/od315_of_diluted_wines": 3.92, "proline": 1065},
	} {
		cfg := ngebm.DefaultConfig("csv:../../data/testdata/tables/"+file+"@class", "mlp-lrelu-16")
		cfg.Epochs, cfg.Batch, cfg.LearningRate, cfg.Warmup, cfg.EvalEvery = 20, 32, 3e-3, 0, 20
		rows, _, err := data.Open(t.Context(), cfg.Data, data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Validation = rows.Len() / 2
		run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(run.Close)
		p, err := predict.Fit(t.Context(), run, predict.Options{FalseAlarms: .1})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Save(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile("../../data/testdata/tables/" + file)
		if err != nil {
			t.Fatal(err)
		}
		half := filepath.Join(t.TempDir(), file)
		if err := os.WriteFile(half, text[:bytes.LastIndexByte(text[:len(text)/2], '\n')+1], 0o600); err != nil {
			t.Fatal(err)
		}
		others, _, err := data.Open(t.Context(), "csv:"+half+"@class", data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.PredictSet(t.Context(), others); err == nil || !strings.Contains(err.Error(), "standardized by other training rows") {
			t.Errorf("rows that another table standardized: %v", err)
		}
		if _, err := predict.Fit(t.Context(), run, predict.Options{FalseAlarms: .1, Outliers: others}); err == nil || !strings.Contains(err.Error(), "standardized by other training rows") {
			t.Errorf("outliers that another table standardized: %v", err)
		}
		covered, refused, shifted := shares(t, p, run.Test)
		t.Logf("%s: %.3f of %d test rows have their class in the set (90 %% asked); %.3f are refused, shifted ones %.3f", file, covered, run.Test.Len(), refused, shifted)
		// Three standard deviations of the test rows and of the threshold's validation rows.
		if slack := 3 * math.Sqrt(.09/float64(run.Test.Len())+.09/float64(cfg.Validation)); covered < .9-slack {
			t.Errorf("%s: coverage %.3f, asked for .9, less than %.3f below", file, covered, slack)
		}
		if shifted < .9 {
			t.Errorf("%s: only %.3f of rows moved by 3 deviations are refused", file, shifted)
		}
		if row == nil {
			continue
		}
		stored, err := predict.Load(t.Context(), backend, run.Dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stored.Close)
		input, err := stored.Encoder().Encode(row)
		if err != nil {
			t.Fatal(err)
		}
		// The first row of the file, of which scikit-learn says class_0.
		if d, err := stored.Predict(t.Context(), [][]float32{input}); err != nil || d[0].Class != "class_0" || d[0].Refused {
			t.Errorf("%+v (%v)", d, err)
		}
	}
}

// shares are of rows whose set has their class, of refused ones, and of refused ones after a shift.
func shares(t *testing.T, p *predict.Predictor, rows *data.Dataset) (covered, refused, shifted float64) {
	t.Helper()
	moved, err := rows.SynthesizeOOD("shifted", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*data.Dataset{rows, moved} {
		decisions, err := p.Predict(t.Context(), examples(d))
		if err != nil {
			t.Fatal(err)
		}
		for i, decision := range decisions {
			share := 1 / float64(d.Len())
			switch {
			case d == moved && decision.Refused:
				shifted += share
			case d == rows && decision.Refused:
				refused += share
			}
			if d == rows && slices.Contains(decision.Set, d.Classes[d.Labels[i]]) {
				covered += share
			}
		}
	}
	return covered, refused, shifted
}
