package study_test

import (
	"context"
	"fmt"
	"os"

	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/study"
	"ngebm/ngebm/train"
)

// A sweep over γ with two seeds, in pure Go.
func ExampleSweep() {
	dev, err := device.Open("go", nil)
	check(err)
	runs, err := os.MkdirTemp("", "runs")
	check(err)
	defer os.RemoveAll(runs)
	base := ngebm.DefaultConfig("moons:240", "mlp-16")
	base.Epochs, base.Validation = 4, 40
	grid, err := study.ParseGrid("gamma=0,.1")
	check(err)
	sweep := study.Sweep{Base: base, Grid: grid, Seeds: []uint64{1, 2}, Evaluate: study.Validation{AttackExamples: 20}.Evaluate}
	table, err := sweep.Run(context.Background(), dev.Backend, train.Options{Runs: runs})
	check(err)
	_, err = table.Best("NLL")
	check(err)
	fmt.Printf("%d runs, %d settings, %d metrics\n", table.Trained, len(table.Rows), len(table.Metrics))
	// Output: 4 runs, 2 settings, 7 metrics
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
