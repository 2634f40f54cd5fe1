package train_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/train"
)

// OnEpochEnd sees every epoch's weights; it changes nothing, and its time does not count.
func TestOnEpochEnd(t *testing.T) {
	cfg := small()
	backend := testdevice.Open(t, "go")
	alone, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	const look = 2 * time.Second
	var steps []int
	var atOne []float64
	watched, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir(), OnEpochEnd: func(r *ngebm.Run) {
		steps = append(steps, r.History.Steps())
		energies, err := r.Classifier.Energies(t.Context(), r.Test)
		if err != nil {
			t.Error(err)
		}
		atOne = append(atOne, energies[0])
		if _, err := r.Checksum(); err == nil {
			t.Errorf("at step %d the weights have the checksum of an earlier checkpoint", r.History.Steps())
		}
		if len(steps) == 1 {
			time.Sleep(look)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if perEpoch := watched.History.StepsPerEpoch; len(steps) != cfg.Epochs || steps[0] != perEpoch || steps[cfg.Epochs-1] != cfg.Epochs*perEpoch {
		t.Errorf("called after steps %v, want the end of each of %d epochs of %d steps", steps, cfg.Epochs, perEpoch)
	}
	if slices.Sort(atOne); len(slices.Compact(atOne)) != cfg.Epochs {
		t.Errorf("the classifier's energies at one point are %v: it does not learn", atOne)
	}
	if !bytes.Equal(checkpointOf(t, alone), checkpointOf(t, watched)) {
		t.Error("a run that is watched ends with another checkpoint")
	}
	if most := alone.Cost.Seconds + look.Seconds()/2; watched.Cost.Seconds > most {
		t.Errorf("a run that is watched for %v says it took %.2f s, the other one %.2f s", look, watched.Cost.Seconds, alone.Cost.Seconds)
	}
}
