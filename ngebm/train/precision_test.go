package train_test

import (
	"math"
	"strings"
	"testing"

	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/train"
)

// Training in bfloat16, with all three terms of NG-EBM, goes where training in float32
// goes: bfloat16 has 8 bits, so that losses are alike to a hundredth at first and the
// accuracy in the end to a few examples. It is another run.
func TestBFloat16(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it trains two convolutional networks")
	}
	cfg := ngebm.DefaultConfig("digits", "convnet")
	cfg.Limit, cfg.Epochs, cfg.Batch, cfg.Beta, cfg.Gamma, cfg.LearningRate, cfg.Warmup = 400, 12, 40, .01, .01, 3e-3, 10
	single, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Precision = "bfloat16"
	half, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if half.Hash == single.Hash {
		t.Error("the precision is no part of the hash")
	}
	for i := range 10 {
		if a, b := float64(half.History.Loss[i]), float64(single.History.Loss[i]); math.Abs(a-b) > .01*b || a == b && i > 0 {
			t.Errorf("step %d: loss %v in bfloat16, %v in float32", i, a, b)
		}
	}
	last := func(r *ngebm.Run) float64 { return r.History.Evaluations[len(r.History.Evaluations)-1].Accuracy }
	t.Logf("accuracy %v in bfloat16, %v in float32", last(half), last(single))
	if last(single) < .85 || math.Abs(last(half)-last(single)) > .03 {
		t.Errorf("accuracy %v in bfloat16, %v in float32", last(half), last(single))
	}
	cfg.Precision = "float32"
	if got := cfg.Hash(single.Train.Checksum); got != single.Hash {
		t.Errorf("float32 by name has hash %s, the default %s", got, single.Hash)
	}
	cfg.Precision = "float16"
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), `precision is "float16"; it must be float32 (the default) or bfloat16`) {
		t.Error(err)
	}
}
