package predict_test

import (
	"context"
	"fmt"
	"os"

	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/predict"
	"ngebm/ngebm/train"
)

// Train, fit a predictor on the validation split, store it, and decide about a point among
// the moons and one far away.
func Example() {
	runs, err := os.MkdirTemp("", "runs")
	check(err)
	defer os.RemoveAll(runs)
	ctx := context.Background()
	dev, err := device.Open("cpu", nil)
	check(err)
	cfg := ngebm.DefaultConfig("moons:1400", "mlp-32-32")
	cfg.Epochs, cfg.Batch, cfg.LearningRate, cfg.Validation = 10, 50, 1e-2, 400
	run, err := train.Run(ctx, dev.Backend, cfg, train.Options{Runs: runs})
	check(err)
	fitted, err := predict.Fit(ctx, run, predict.Options{Risk: .1})
	check(err)
	check(fitted.Save())

	// Elsewhere, without the data.
	p, err := predict.Load(ctx, dev.Backend, run.Dir)
	check(err)
	defer p.Close()
	decisions, err := p.Predict(ctx, [][]float32{{0, 1}, {40, -30}})
	check(err)
	for _, d := range decisions {
		fmt.Println(d.Class, d.Set, "refused:", d.Refused)
	}
	// Output:
	// upper [upper] refused: false
	// lower [lower] refused: true
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
