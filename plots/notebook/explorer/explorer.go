// Package explorer is a panel of sliders in a notebook, behind which a small network
// learns while one watches: press Train, and two half-moons are learnt with the weights
// that the sliders show, the energy landscape and the loss drawn again and again as
// they change.
//
// Where there is no browser, or none that answers, it trains once with the values that
// it was given. It never waits without a limit.
package explorer

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gomlx/compute"

	"ngebm/ngebm"
	"ngebm/plots"
)

// How long is waited for a browser.
const (
	// answerWithin is what a browser has to answer in, once it was shown the panel.
	answerWithin = 10 * time.Second
	// patience is how long a browser may be silent before it is taken to be gone. The
	// panel says every second that it is there, and browsers hold that up to once
	// a minute in tabs that are not seen.
	patience = 3 * time.Minute
)

// Explore shows the panel in the output of the notebook cell that runs, its sliders at
// the values given, and trains whenever Train is pressed, until Finish is pressed, the
// kernel is interrupted, ctx ends or the browser is gone. It returns the run trained
// last, as far as that came; nil if there was none or it did not end its first epoch.
//
// Pressing Train while a network learns stops it and starts anew, with what the sliders
// show then. Moving a slider alone changes nothing that runs.
//
// Without a browser that answers within ten seconds it says so in a line, trains once
// with the values given, under a progress bar, and returns that run.
//
// Nothing is kept on disk: the folder that Run.Dir names is gone.
func Explore(ctx context.Context, backend compute.Backend, s Settings) (*ngebm.Run, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills
	knobs := s.knobs()
	b, why := connect(ctx, knobs)
	if b == nil {
		if ctx.Err() != nil {
			return nil, nil
		}
		fmt.Printf("The sliders need %s: this is one training with the values of the cell's first line.\n", why)
		return once(ctx, backend, s)
	}
	defer b.close()
	d := &dialogue{
		page: b, start: s, patience: patience,
		train: func(ctx context.Context, s Settings, look func(*ngebm.Run)) (*ngebm.Run, error) {
			return Train(ctx, backend, s, ngebm.Options{Watch: look})
		},
		draw: frame,
	}
	return d.hold(ctx)
}

// once trains without a panel.
func once(ctx context.Context, backend compute.Backend, s Settings) (*ngebm.Run, error) {
	run, err := Train(ctx, backend, s, ngebm.Options{Progress: plots.Reporter()})
	if ctx.Err() != nil { // it was asked to stop
		return looked(run), nil
	}
	return run, err
}

// looked is a run if there is something to be seen of it.
func looked(run *ngebm.Run) *ngebm.Run {
	if run == nil || run.History.StepsPerEpoch == 0 || run.History.Steps() < run.History.StepsPerEpoch {
		return nil
	}
	return run
}
