package explorer

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"

	"github.com/gomlx/compute"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/study"
	"ngebm/ngebm/train"
	"ngebm/plots"
	"ngebm/plots/notebook"
)

// Train does what the panel's button does: it trains the network of the preset "moons"
// with these settings, in a temporary folder, so that it learns from the start each
// time. Of the options, Progress and OnEpochEnd are used.
func Train(ctx context.Context, backend compute.Backend, s Settings, opts train.Options) (*ngebm.Run, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	cfg, err := ngebm.PresetConfig("moons")
	if err != nil {
		return nil, err
	}
	cfg.Name = "moons-live"
	cfg.Alpha, cfg.Beta, cfg.Gamma, cfg.Epochs = s.Alpha, s.Beta, s.Gamma, s.Epochs
	cfg.Validation, cfg.EvalEvery = 100, max(1, s.Epochs/20)
	if opts.TrainSet, opts.TestSet, err = moons(ctx, s.Noise); err != nil {
		return nil, err
	}
	if opts.Runs, err = os.MkdirTemp("", "ngebm-live-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(opts.Runs)
	return train.Run(ctx, backend, cfg, opts)
}

// moons returns data's moons, whose points have a noise of .1, with as much noise added
// as gives the noise that is asked for.
func moons(ctx context.Context, noise float64) (train, test *data.Dataset, err error) {
	if train, test, err = data.Open(ctx, "moons", data.Options{}); err != nil || noise == minNoise {
		return train, test, err
	}
	const radius = 4. / 3 // of a moon, in the set's own units
	more := radius * math.Sqrt(noise*noise-minNoise*minNoise)
	move := func(d *data.Dataset, part uint64) (*data.Dataset, error) {
		moved := *d
		moved.Name = fmt.Sprintf("moons with noise %g", noise)
		moved.Points = make([]float32, len(d.Points))
		random := rand.New(rand.NewPCG(part, 0))
		for i, v := range d.Points {
			moved.Points[i] = v + float32(more*random.NormFloat64())
		}
		return data.New(moved)
	}
	if train, err = move(train, 1); err != nil {
		return nil, nil, err
	}
	test, err = move(test, 2)
	return train, test, err
}

// Figure draws what the panel shows of a run, its landscape and how training went (see
// [plots.Learning]), as sharp as a figure that stays in a notebook should be.
func Figure(ctx context.Context, run *ngebm.Run) (*plots.Figure, error) {
	return figure(ctx, run, 120)
}

// figure draws a landscape of side by side points.
func figure(ctx context.Context, run *ngebm.Run, side int) (*plots.Figure, error) {
	grid, err := plots.EnergyGrid(ctx, run.Classifier, run.Test, side)
	if err != nil {
		return nil, err
	}
	title, name := "NG-EBM", "ng-ebm"
	if run.Config.Beta == 0 && run.Config.Gamma == 0 {
		title, name = "cross-entropy", "cross-entropy"
	}
	method, err := study.FindMethod(name)
	if err != nil {
		return nil, err
	}
	return plots.Learning(plots.Landscape{Title: title, Grid: grid, Data: run.Test}, plots.Run{Name: title, Color: method.Color, History: run.History})
}

// drawWhileLearning draws a run's figure as HTML, at a screen's resolution: 60 points
// a side are smooth enough to watch.
func drawWhileLearning(ctx context.Context, run *ngebm.Run) (string, error) {
	f, err := figure(ctx, run, 60)
	if err != nil {
		return "", err
	}
	return notebook.HTML(f, 96)
}
