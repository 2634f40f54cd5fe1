package ngebm_test

import (
	"slices"
	"testing"

	"ngebm/data"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// Seeds draw their own training and validation examples, which share none; without a draw
// all examples are of one of the two, and the draw is part of the hash.
func TestDraw(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	trainSet, testSet, err := data.Open(t.Context(), "moons:240", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	run := func(draw int, seed uint64) *ngebm.Run {
		cfg := small()
		cfg.Draw, cfg.Seed = draw, seed
		r, err := ngebm.NewRun(backend, cfg, ngebm.Setup{Runs: t.TempDir(), Train: trainSet, Test: testSet})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		return r
	}
	first, again, other, whole := run(100, 1), run(100, 1), run(100, 2), run(0, 1)
	if first.Train.Len() != 60 || first.Validation.Len() != 40 || whole.Train.Len() != trainSet.Len()-40 {
		t.Errorf("%d and %d examples, without a draw %d", first.Train.Len(), first.Validation.Len(), whole.Train.Len())
	}
	if first.Train.Checksum != again.Train.Checksum || first.Train.Checksum == other.Train.Checksum || first.Validation.Checksum == other.Validation.Checksum {
		t.Error("the examples do not follow from the seed")
	}
	if first.Hash != again.Hash || first.Hash == whole.Hash {
		t.Errorf("hashes %s, %s and without a draw %s", first.Hash, again.Hash, whole.Hash)
	}
	held, used := make([]float32, 2), make([]float32, 2)
	for i := range first.Validation.Len() {
		first.Validation.Example(i, held)
		for k := range first.Train.Len() {
			if first.Train.Example(k, used); slices.Equal(used, held) {
				t.Errorf("example %d of the validation set is trained on", i)
			}
		}
	}
	cfg := small()
	cfg.Draw = trainSet.Len()
	if _, err := ngebm.NewRun(backend, cfg, ngebm.Setup{Runs: t.TempDir(), Train: trainSet, Test: testSet}); err == nil {
		t.Error("all examples were drawn, which is no draw")
	}
}

// A run against outliers that are not given would have the hash of one without.
func TestNewRunWithoutItsOutliers(t *testing.T) {
	trainSet, testSet, err := data.Open(t.Context(), "moons:240", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := small()
	cfg.Margin.Outliers = "uniform box"
	_, err = ngebm.NewRun(testdevice.Open(t, "go"), cfg, ngebm.Setup{Runs: t.TempDir(), Train: trainSet, Test: testSet})
	testerror.Want(t, err, `margin.outliers is "uniform box"`, "train.OpenOutliers")
}

// More samples than can be drawn even one step at a time are refused with how many can.
func TestSampleTooMany(t *testing.T) {
	trainSet, _, err := data.Open(t.Context(), "moons:240", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := ngebm.NewClassifier(testdevice.Open(t, "go"), nets.MLP{}, 1, trainSet.Shape, trainSet.Classes)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Sample(t.Context(), trainSet, ngebm.Sampling{Count: 1 << 28, Steps: 1})
	testerror.Want(t, err, "268435456 chains", "draw 134217728 samples at a time at most")
}
