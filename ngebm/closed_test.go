package ngebm_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
)

// A run that is closed, or lacks a weight, leaves its checkpoint as it is.
func TestNoCheckpointWithoutWeights(t *testing.T) {
	moons, test, err := data.Open(t.Context(), "moons:60", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	setup := ngebm.Setup{Runs: t.TempDir(), Train: moons, Test: test}
	for _, ema := range []float64{0, .9} {
		cfg := small()
		cfg.EMA = ema
		run, err := ngebm.NewRun(testdevice.Open(t, "go"), cfg, setup)
		if err != nil {
			t.Fatal(err)
		}
		unlock, err := run.Lock(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		if err := run.Save(ngebm.LastCheckpoint, nil); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(run.Dir, string(ngebm.LastCheckpoint))
		saved, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parameters := run.Classifier.Parameters()
		for v := range run.Classifier.Store().RootScope().At("net").IterVariables() {
			if err := v.Reset(); err != nil {
				t.Fatal(err)
			}
			break
		}
		testerror.Want(t, run.Save(ngebm.LastCheckpoint, nil), "1 of the ", "weights of mlp-16 have no value")
		run.Close()
		_, sample := run.Classifier.Sample(t.Context(), moons, ngebm.Sampling{Count: 1, Steps: 1})
		_, summary := run.Classifier.Summary()
		_, operations := run.Classifier.Operations()
		_, restored := run.RestoreFrom(t.Context(), ngebm.LastCheckpoint)
		for name, err := range map[string]error{
			"Save":        run.Save(ngebm.LastCheckpoint, nil),
			"Weights":     run.Classifier.Weights(func(string, *tensors.Tensor) error { return nil }),
			"Sample":      sample,
			"Summary":     summary,
			"Operations":  operations,
			"RestoreFrom": restored,
		} {
			if !errors.Is(err, ngebm.ErrClosed) {
				t.Errorf("%s after Close: %v", name, err)
			}
		}
		if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, saved) {
			t.Errorf("the checkpoint has %d bytes, had %d (%v)", len(now), len(saved), err)
		}
		if n := run.Classifier.Parameters(); n != parameters || n == 0 {
			t.Errorf("%d weights after Close, %d before", n, parameters)
		}
	}
}
