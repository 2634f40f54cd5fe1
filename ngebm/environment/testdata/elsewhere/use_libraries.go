//go:build libraries

package main

import (
	"context"
	"errors"
	"log"
	"os"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/train"
)

// use opens a dataset and trains two steps on each backend that is here.
func use() {
	ctx := context.Background()
	runs, err := os.MkdirTemp("", "elsewhere-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(runs)
	digits, _, err := data.Open(ctx, "digits", data.Options{})
	if err != nil || digits.Len() == 0 {
		log.Fatal("digits: ", err)
	}
	for _, kind := range []string{device.Go, device.CPU} {
		dev, err := device.OpenContext(ctx, device.Options{Device: kind, Offline: true})
		if errors.Is(err, device.ErrOffline) {
			continue // no plugin is here
		}
		if err != nil {
			log.Fatal(err)
		}
		cfg := ngebm.DefaultConfig("digits", "mlp-16")
		cfg.Limit, cfg.Batch, cfg.Validation, cfg.Epochs, cfg.Seed = 32, 16, 0, 1, 1
		cfg.Beta, cfg.Gamma, cfg.Warmup = 1, 1, 0
		run, err := train.Run(ctx, dev.Backend, cfg, train.Options{Runs: runs + "/" + kind, Offline: true})
		if err != nil {
			log.Fatal(err)
		}
		if run.History.Steps() != 2 {
			log.Fatalf("%s: %d steps, want 2", kind, run.History.Steps())
		}
		dev.Close()
	}
}
