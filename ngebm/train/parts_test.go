package train_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/train"
)

// A run whose layers draw random numbers or keep statistics of batches, stopped in the middle
// and resumed, ends with the bytes of the one left alone; loaded, it evaluates the same.
func TestPartsResumeExactly(t *testing.T) {
	backend := testdevice.Open(t, "go")
	digits, _, err := data.Open(t.Context(), "digits", data.Options{Limit: 98})
	if err != nil {
		t.Fatal(err)
	}
	fitted, left, err := digits.RandomSplit(50, 1, "train", "test")
	if err != nil {
		t.Fatal(err)
	}
	options := func(runs string) train.Options { return train.Options{Runs: runs, TrainSet: fitted, TestSet: left} }
	for net, set := range map[string]string{
		"convnet+act+dropout.3":   "beta=.1,gamma=.1,ema=.9",
		"convnet+batch+dropout.3": "optimizer=sgd,momentum=.9",
	} {
		cfg := ngebm.DefaultConfig("digits", net)
		cfg.Epochs, cfg.Batch, cfg.Warmup = 3, 8, 0
		if err := cfg.Set(set); err != nil {
			t.Fatal(err)
		}
		alone, err := train.Run(t.Context(), backend, cfg, options(t.TempDir()))
		if err != nil {
			t.Fatal(err)
		}
		runs := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stopped := options(runs)
		stopped.Progress, stopped.SaveEvery = stopAfter{7, cancel}, time.Hour
		if _, err := train.Run(ctx, backend, cfg, stopped); !errors.Is(err, train.ErrStopped) {
			t.Fatal(err)
		}
		resumed, err := train.Run(t.Context(), backend, cfg, options(runs))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(checkpointOf(t, alone), checkpointOf(t, resumed)) {
			t.Errorf("%s: the resumed run ended with another checkpoint than the one left alone", net)
		}
		loaded, err := ngebm.Load(t.Context(), backend, resumed.Dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err1 := alone.Classifier.Accuracy(t.Context(), alone.Test)
		b, err2 := loaded.Classifier.Accuracy(t.Context(), alone.Test)
		if err := errors.Join(err1, err2); err != nil || a != b {
			t.Errorf("%s: accuracy %v, when loaded %v (%v)", net, a, b, err)
		}
	}
}
