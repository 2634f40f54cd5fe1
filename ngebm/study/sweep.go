package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/gomlx/compute"

	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/train"
)

// Sweep chooses settings, such as α, β and γ: it trains every combination of a grid
// with every seed, and judges the runs on validation data alone.
type Sweep struct {
	// Base is what every run starts from. It must hold out validation data. Each
	// seed holds out others, so that the interval over seeds covers their draw too.
	Base  ngebm.Config
	Grid  Grid
	Seeds []uint64
	// Judge returns the figures of a run, in the same order for every run, without
	// NaN. It is handed a run without Test and without what the history says of the
	// test set, and may keep neither the run nor its classifier, whose memory is freed
	// when it returns. [OnValidation] makes one.
	Judge func(context.Context, *ngebm.Run) ([]Figure, error)
}

// Figure is one number that runs are compared by.
type Figure struct {
	Name   string  `json:"name"` // "ECE"
	Is     string  `json:"is"`   // its convention
	Better Better  `json:"better"`
	Value  float64 `json:"-"`
}

// Better says which way a figure is better.
type Better string

// The two ways.
const (
	Higher Better = "higher"
	Lower  Better = "lower"
)

// over tells whether a is better than b.
func (better Better) over(a, b float64) bool {
	return better == Higher && a > b || better == Lower && a < b
}

// Run trains what is not trained yet, judges every run, and returns the table. Runs
// go seed by seed, so that all settings have been seen once before any is seen twice.
//
// What is trained stays, so that a sweep that was stopped or killed goes on where it
// was when it is run again with the same options, and gives the table of one left
// alone. A sweep that was stopped, by its context, SIGINT or SIGTERM, returns an error
// that wraps [train.ErrStopped]. Seeds that diverge do not end it: they are told in the
// row's Failed, and tried again when the sweep is run again.
func (s Sweep) Run(ctx context.Context, backend compute.Backend, opts train.Options) (*SweepTable, error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills
	if opts.Progress == nil {
		opts.Progress = progress.Discard{}
	}
	configs, err := s.configs()
	if err != nil {
		return nil, err
	}
	opts.Progress = &once{Reporter: opts.Progress, told: map[string]bool{}}
	t := newSweepTable(s, len(configs))
	w := sweeping{Sweep: s, table: t, opts: opts, total: len(configs) * len(s.Seeds)}
	for i, seed := range s.Seeds {
		for cell, cfg := range configs {
			cfg.Seed = seed
			w.report()
			if err := w.one(ctx, backend, cell, i, cfg); err != nil {
				what := fmt.Sprintf("sweep, run %d of %d (%s, seed %d)", w.done+1, w.total, s.Grid.assignments(cell), seed)
				if ctx.Err() != nil {
					return nil, fmt.Errorf("study: %s: %w; the same sweep goes on where it was", what, train.ErrStopped)
				}
				return nil, fmt.Errorf("%s: %w", what, err)
			}
			w.done++
		}
	}
	w.report()
	t.estimate()
	return t, nil
}

// configs returns the grid's configurations, without seeds.
func (s Sweep) configs() ([]ngebm.Config, error) {
	if s.Judge == nil {
		return nil, errors.New("study: the sweep has no Judge; study.OnValidation makes one")
	}
	if len(s.Seeds) == 0 {
		return nil, errors.New("study: the sweep has no seeds; give one or more, three make an interval that says something")
	}
	for i, seed := range s.Seeds {
		if slices.Contains(s.Seeds[:i], seed) {
			return nil, fmt.Errorf("study: the sweep has seed %d twice; each run counts once", seed)
		}
	}
	if err := s.Grid.check(); err != nil {
		return nil, err
	}
	var configs []ngebm.Config
	seen := map[string]string{}
	for cell := range s.Grid.cells() {
		cfg, assignments := s.Base, s.Grid.assignments(cell)
		if err := cfg.Set(assignments); err != nil {
			return nil, err
		}
		cfg.Seed = s.Seeds[0]
		if err := cfg.Validate(); err != nil {
			return nil, fmt.Errorf("%w (in the sweep's %s)", err, assignments)
		}
		if cfg.Validation == 0 {
			return nil, fmt.Errorf("study: a sweep chooses by validation data, never by the test set, but %s holds out none; set validation to a number of training examples, as in validation=200", assignments)
		}
		key := cfg.Hash("")
		if other, ok := seen[key]; ok {
			return nil, fmt.Errorf("study: %s and %s of the sweep are the same configuration; leave one out", other, assignments)
		}
		seen[key] = assignments
		configs = append(configs, cfg)
	}
	return configs, nil
}

// sweeping is a sweep under way.
type sweeping struct {
	Sweep
	table *SweepTable
	opts  train.Options

	done, total int           // runs
	fresh       int           // of those done, trained at least in part by this process
	took        time.Duration // what these took, judging included
}

// one trains and judges one run, or loads it, and enters it in the table.
func (w *sweeping) one(ctx context.Context, backend compute.Backend, cell, seed int, cfg ngebm.Config) error {
	began := time.Now()
	run, err := train.Run(ctx, backend, cfg, w.opts)
	if run != nil {
		defer run.Close()
	}
	row := &w.table.Rows[cell]
	switch {
	case errors.Is(err, train.ErrDiverged):
		row.fail(w.Seeds[seed], run.History.Stopped)
	case err != nil:
		return err
	default:
		figures, err := w.Judge(ctx, run.WithoutTest())
		if err != nil {
			return err
		}
		if err := w.table.enter(row, seed, figures); err != nil {
			return err
		}
	}
	row.Runs = append(row.Runs, run.Hash)
	for _, note := range run.WithoutTest().Notes {
		row.Notes = append(row.Notes, fmt.Sprintf("seed %d: %s", w.Seeds[seed], note))
	}
	if run.Loaded {
		w.table.Loaded++
		return nil
	}
	w.table.Trained++
	w.fresh++
	w.took += time.Since(began)
	return nil
}

// once passes a warning on the first time only: every run of a sweep may have it.
type once struct {
	progress.Reporter
	told map[string]bool
}

// Report implements [progress.Reporter].
func (o *once) Report(r progress.Report) {
	if r.Finished && r.Unit == "" && !r.Quiet {
		if o.told[r.Task] {
			return
		}
		o.told[r.Task] = true
	}
	o.Reporter.Report(r)
}

// report says how far the sweep is, between the reports of its runs. Speed and time
// left are those of runs that had to be trained.
func (w *sweeping) report() {
	w.opts.Progress.Report(progress.Report{
		Task: "sweep " + w.Grid.String(), Unit: "runs", Done: int64(w.done), Total: int64(w.total),
		Start: int64(w.done - w.fresh), Elapsed: w.took, Finished: w.done == w.total,
	})
}
