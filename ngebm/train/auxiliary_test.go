package train

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
)

// The replay buffer is drawn where no checkpoint has one, and no longer than the context lasts.
func TestReplayBufferIsDrawnOnce(t *testing.T) {
	cfg := ngebm.DefaultConfig("moons:240", "mlp-4")
	cfg.JEM.Weight, cfg.JEM.Steps, cfg.JEM.Buffer, cfg.JEM.Start = 1, 1, 20, "data"
	out := trainerOf(t, cfg)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := out.newInputSource(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("without a checkpoint: %v", err)
	}
	if err := out.run.Save(ngebm.LastCheckpoint, out.auxiliary.state()); err != nil {
		t.Fatal(err)
	}
	resumed, err := out.newInputSource(canceled)
	if err != nil {
		t.Fatal(err)
	}
	resumed.close()

	// Interrupted once its files are there, which is just before the buffer is drawn.
	cfg.JEM.Buffer = 1_000_000 // seconds
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	runs := t.TempDir()
	go func() {
		for ctx.Err() == nil {
			if found, _ := filepath.Glob(filepath.Join(runs, "*", "cost.json")); len(found) > 0 {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	_, err = Run(ctx, testdevice.Open(t, "go"), cfg, Options{Runs: runs})
	if !errors.Is(err, ErrStopped) || !strings.Contains(err.Error(), "before a step of") {
		t.Errorf("stopped while it draws the buffer: %v", err)
	}
}
