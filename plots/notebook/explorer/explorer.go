// Package explorer is a panel of sliders in a notebook, behind which a small network
// learns while one watches: press Train, and it learns two half-moons with the weights
// that the sliders show, while the energy landscape and the loss are drawn again and
// again as they change.
//
// Without a browser that answers, it trains once with the values that it was given.
// Every wait has a limit.
package explorer

import (
	"context"
	"fmt"
	"time"

	"github.com/gomlx/compute"

	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/train"
)

const (
	// answerWithin limits how long the browser may take to answer, once it was sent the
	// panel.
	answerWithin = 10 * time.Second
	// maxSilence is how long a browser may be silent before it is taken to be gone. The
	// panel sends a message every second, which browsers delay by up to a minute in
	// tabs that are not visible.
	maxSilence = 3 * time.Minute
)

// Options says where the sliders start, and what the notebook is.
type Options struct {
	Start Settings
	// Kernel is Jupyter's id of the kernel that runs the cell, by which the panel reaches
	// it. Leave it empty where no browser shows the notebook: then there is no panel.
	Kernel string
	// Progress shows the one training that runs where there is no panel; nil shows none.
	Progress progress.Reporter
	// Notice is given a line about each thing that went other than expected, such as why
	// there is no panel; nil drops them.
	Notice func(line string)
}

func (o Options) notice(format string, args ...any) {
	if o.Notice != nil {
		o.Notice(fmt.Sprintf(format, args...))
	}
}

// Explore shows the panel in the output of the notebook cell that runs, with its sliders
// at opts.Start, and trains whenever Train is pressed, until Finish is pressed, ctx ends
// or the browser is gone. It returns the run trained last, as far as it was trained; nil if
// there was none or it did not end its first epoch. That ctx ends is no error.
//
// Pressing Train while a network learns stops it and starts again, with what the sliders
// show then. Moving a slider alone changes nothing that runs.
//
// Without a browser that answers within ten seconds it gives opts.Notice a line that says
// why, trains once with opts.Start, and returns that run.
//
// Nothing is kept on disk: the folder that Run.Dir names is gone.
func Explore(ctx context.Context, backend compute.Backend, opts Options) (*ngebm.Run, error) {
	if err := opts.Start.check(); err != nil {
		return nil, err
	}
	b, why := connect(ctx, opts)
	if b == nil {
		if ctx.Err() != nil {
			return nil, nil
		}
		opts.notice("The sliders need %s: this is one training with the values of the cell's first line.", why)
		return once(ctx, backend, opts)
	}
	defer b.close()
	s := &session{
		page: b, maxSilence: maxSilence,
		train: func(ctx context.Context, s Settings, look func(*ngebm.Run)) (*ngebm.Run, error) {
			return Train(ctx, backend, s, train.Options{OnEpochEnd: look})
		},
		draw: func(run *ngebm.Run) (string, error) {
			return drawWhileLearning(context.WithoutCancel(ctx), run) // of a stopped training too
		},
	}
	return s.run(ctx)
}

// once trains without a panel.
func once(ctx context.Context, backend compute.Backend, opts Options) (*ngebm.Run, error) {
	run, err := Train(ctx, backend, opts.Start, train.Options{Progress: opts.Progress})
	if ctx.Err() != nil { // it was asked to stop
		return afterFirstEpoch(run), nil
	}
	return run, err
}

// afterFirstEpoch is the run if it has ended its first epoch, nil else.
func afterFirstEpoch(run *ngebm.Run) *ngebm.Run {
	if run == nil || run.History.StepsPerEpoch == 0 || run.History.Steps() < run.History.StepsPerEpoch {
		return nil
	}
	return run
}
