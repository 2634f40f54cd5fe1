package ngebm_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"ngebm/ngebm"
)

// At a set's own examples LogitsAt says what Logits says, and it refuses what is no
// whole number of inputs.
func TestLogitsAt(t *testing.T) {
	cfg := small()
	cfg.Epochs = 1
	run, err := ngebm.Train(context.Background(), open(t, "cpu"), cfg, ngebm.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	want, err := run.Classifier.Logits(run.Test)
	if err != nil {
		t.Fatal(err)
	}
	got, err := run.Classifier.LogitsAt(run.Test.Points)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Error("the logits at the points of the test set are not those of the set")
	}
	for _, x := range [][]float32{nil, {1, 2, 3}} {
		if _, err := run.Classifier.LogitsAt(x); err == nil || !strings.Contains(err.Error(), "not one or more inputs of shape [2]") {
			t.Errorf("%d values: error %v", len(x), err)
		}
	}
}
