package study

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"

	"ngebm/data/files"
	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/train"
)

// engine trains many runs and evaluates each. Sweeps, comparisons and experiments are
// lists of its jobs.
type engine struct {
	kind    string // "sweep": the beginning of errors and progress reports
	about   string // what is studied, in progress reports
	backend compute.Backend
	opts    train.Options
	share   bool // several processes with one folder of runs share the jobs
	keep    bool // runs stay open

	trained     map[string]bool // configurations that were trained or loaded
	done, total int             // jobs
	fresh       int             // of those done, trained or evaluated by this process
	took        time.Duration   // of these
}

// job is one run to train and to evaluate.
type job struct {
	name string // "jem, seed 2"
	// config returns nil while it depends on jobs that are not done.
	config func() (*ngebm.Config, error)
	// evaluate receives the run, and the reason if it diverged. It says whether it took
	// more than loading.
	evaluate func(ctx context.Context, run *ngebm.Run, diverged error) (fresh bool, err error)
}

// known is the config function of a job whose configuration is known.
func known(c ngebm.Config) func() (*ngebm.Config, error) {
	return func() (*ngebm.Config, error) { return &c, nil }
}

func newEngine(kind, about string, backend compute.Backend, opts train.Options) *engine {
	if opts.Progress == nil {
		opts.Progress = progress.Discard{}
	}
	if opts.Runs == "" {
		opts.Runs = ngebm.DefaultRuns
	}
	opts.Progress = &once{Reporter: opts.Progress, reported: map[string]bool{}}
	return &engine{kind: kind, about: about, backend: backend, opts: opts, trained: map[string]bool{}}
}

// run does all jobs in order. With share, jobs of other processes are skipped, and looked
// at again in the end. An interrupted context is an error that wraps train.ErrStopped.
func (e *engine) run(ctx context.Context, jobs []job) error {
	e.total = len(jobs)
	for len(jobs) > 0 {
		var waiting []job
		for _, j := range jobs {
			did, err := e.one(ctx, j)
			if err != nil {
				return e.explain(ctx, j, err)
			}
			if !did {
				waiting = append(waiting, j)
			}
		}
		if len(waiting) == len(jobs) {
			e.opts.Progress.Report(progress.Report{Task: fmt.Sprintf("wait for other processes, which work on the last %d runs", len(jobs))})
			select {
			case <-ctx.Done():
				return e.explain(ctx, jobs[0], ctx.Err())
			case <-time.After(500 * time.Millisecond):
			}
		}
		jobs = waiting
	}
	e.report("")
	return nil
}

// explain says which job an error is of.
func (e *engine) explain(ctx context.Context, j job, err error) error {
	what := fmt.Sprintf("%s, run %d of %d (%s)", e.kind, e.done+1, e.total, j.name)
	switch {
	case errors.Is(err, train.ErrStopped): // it says at which step, and where the run was saved
		return fmt.Errorf("study: %s: %w; run the same %s again to resume", what, err, e.kind)
	case ctx.Err() != nil:
		return fmt.Errorf("study: %s: %w; run the same %s again to resume", what, train.ErrStopped, e.kind)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// one does a job, unless another process has it or it has to wait.
func (e *engine) one(ctx context.Context, j job) (did bool, err error) {
	config, err := j.config()
	if err != nil || config == nil {
		return false, err
	}
	if e.share {
		release, ok, err := e.claim(*config)
		if err != nil || !ok {
			return false, err
		}
		defer release()
	}
	e.report(j.name)
	began := time.Now()
	run, diverged, err := e.train(ctx, *config)
	if run != nil && !e.keep {
		defer run.Close()
	}
	if err != nil {
		return false, err
	}
	fresh, err := j.evaluate(ctx, run, diverged)
	if err != nil {
		return false, err
	}
	if e.done++; fresh || !run.Loaded {
		e.fresh++
		e.took += time.Since(began)
	}
	return true, nil
}

// train trains a run or loads it. A run that diverged comes with the reason.
func (e *engine) train(ctx context.Context, config ngebm.Config) (run *ngebm.Run, diverged, err error) {
	opts, key := e.opts, config.String()
	opts.Fresh = opts.Fresh && !e.trained[key] // once in a study
	run, err = train.Run(ctx, e.backend, config, opts)
	if errors.Is(err, train.ErrDiverged) {
		return run, err, nil
	}
	e.trained[key] = e.trained[key] || err == nil
	return run, nil, err
}

// claim reserves a configuration for this process; ok is false if another process has it.
// A claim ends with its process.
func (e *engine) claim(config ngebm.Config) (release func(), ok bool, err error) {
	dir := filepath.Join(e.opts.Runs, "claims")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, false, fmt.Errorf("study: cannot create the folder of claims: %w; choose a writable folder of runs, with -runs or $NGEBM_RUNS", err)
	}
	folder, err := files.OpenFolder(dir)
	if err != nil {
		return nil, false, fmt.Errorf("study: the folder of claims %w", err)
	}
	defer folder.Close()
	sum := sha256.Sum256([]byte(config.String()))
	release, ok, err = folder.TryLock(hex.EncodeToString(sum[:6]) + ".lock")
	if err != nil {
		return nil, false, fmt.Errorf("study: cannot claim a run: %w", err)
	}
	return release, ok, nil
}

// report says how far the study is, between the reports of its runs. Speed and time left
// are those of runs that were not only loaded.
func (e *engine) report(next string) {
	e.opts.Progress.Report(progress.Report{
		Task: e.kind + " " + e.about, Encloses: true, Part: next, Unit: "runs", Done: int64(e.done), Total: int64(e.total),
		Start: int64(e.done - e.fresh), Elapsed: e.took, Finished: e.done == e.total,
	})
}

// once passes on a warning only the first time: every run may have it.
type once struct {
	progress.Reporter
	reported map[string]bool
}

// Report implements [progress.Reporter].
func (o *once) Report(r progress.Report) {
	if r.Finished && r.Unit == "" && !r.Quiet {
		if o.reported[r.Task] {
			return
		}
		o.reported[r.Task] = true
	}
	o.Reporter.Report(r)
}
