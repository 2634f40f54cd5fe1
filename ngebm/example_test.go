package ngebm_test

import (
	"context"
	"fmt"
	"os"
	"slices"

	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/train"
)

// Train a classifier, predict, and abstain where it is unsure.
func Example() {
	dev, err := device.Open("cpu", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	runs, err := os.MkdirTemp("", "runs")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(runs)

	cfg := ngebm.DefaultConfig("moons", "mlp-64-64")
	cfg.Beta, cfg.Gamma = .05, .05
	run, err := train.Run(context.Background(), dev.Backend, cfg, train.Options{Runs: runs})
	if err != nil {
		fmt.Println(err)
		return
	}
	probabilities, err := run.Classifier.Probabilities(context.Background(), run.Test)
	if err != nil {
		fmt.Println(err)
		return
	}
	answered, right := 0, 0
	for i, p := range probabilities {
		confidence := slices.Max(p)
		if confidence < .9 {
			continue // abstain
		}
		answered++
		if p[run.Test.Labels[i]] == confidence {
			right++
		}
	}
	fmt.Println("answers most:", answered > len(probabilities)/2)
	fmt.Println("nearly always right:", float64(right) > .98*float64(answered))
	// Output:
	// answers most: true
	// nearly always right: true
}
