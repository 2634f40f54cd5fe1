package nb

import (
	"fmt"
	"math"
	"os"
	"time"

	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/environment"
	"ngebm/ngebm/train"
)

// StepTime trains a configuration, whatever is stored, and returns the time that a step
// takes by the clock: a mean that leaves out the first 20 steps, which compile, evaluations
// and checkpoints. Other programs on the machine slow it down, so take the least of several
// calls. See `ngebm bench` for more.
func StepTime(cfg ngebm.Config) time.Duration {
	folder := Must(os.MkdirTemp("", "timing"))
	defer os.RemoveAll(folder)
	cfg.EvalEvery = cfg.Epochs // after the last step
	var timer stepTimer
	Must(train.Run(Context(), Backend(), cfg, timer.options(folder)))
	mean := timer.mean()
	if mean == 0 {
		Check(fmt.Errorf("a run of %d epochs is too short for the time of a step; give more, as in epochs=%d", cfg.Epochs, 10*cfg.Epochs))
	}
	return mean
}

// stepTimer times the steps of a run, without its start.
type stepTimer struct {
	from, to    time.Duration
	first, last int64
}

// options are those of the environment, less its runs: a timed run is in the folder, without checkpoints.
func (t *stepTimer) options(folder string) train.Options {
	o := environment.Training(t, false)
	o.Runs, o.SaveEvery = folder, math.MaxInt64
	return o
}

// Report implements [progress.Reporter]. A report may be of many steps: the first one may come
// long after step 20.
func (t *stepTimer) Report(r progress.Report) {
	if r.Unit != "steps" || r.Finished || r.Done < 20 {
		return
	}
	if t.last, t.to = r.Done, r.Elapsed; t.first == 0 {
		t.first, t.from = r.Done, r.Elapsed
	}
}

// mean is 0 for a run that is too short to be timed.
func (t *stepTimer) mean() time.Duration {
	if t.last == t.first {
		return 0
	}
	return (t.to - t.from) / time.Duration(t.last-t.first)
}
