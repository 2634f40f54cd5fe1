package study

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"

	"ngebm/ngebm"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/train"
)

// Compared is one method, trained and measured with each seed. [Rows] reads metrics from it.
type Compared struct {
	Method
	Runs    []*ngebm.Run // by seed; they stay open
	Reports []*measure.Report
}

// Compare trains every method with every seed from one base configuration, and measures
// each run on its test set with the options that measuring returns for it. What was
// trained and measured before is loaded. Methods with a gradient norm are trained first:
// they demand most of a network, so that one that cannot be built with them fails before
// any training. Canceling ctx saves and stops; the error wraps train.ErrStopped.
func Compare(ctx context.Context, backend compute.Backend, base ngebm.Config, methods []Method, seeds []uint64,
	opts train.Options, measuring func(*ngebm.Run) (measure.Options, error)) ([]Compared, error) {
	all := make([]Compared, len(methods))
	var first, second []job
	for i, method := range methods {
		all[i] = Compared{Method: method.complete(), Runs: make([]*ngebm.Run, len(seeds)), Reports: make([]*measure.Report, len(seeds))}
		for k, seed := range seeds {
			cfg, err := method.Configure(base, seed)
			if err == nil {
				err = cfg.Validate()
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", method.Name, err)
			}
			j := job{name: fmt.Sprintf("%s, seed %d", method.Name, seed), config: known(cfg)}
			j.evaluate = func(ctx context.Context, run *ngebm.Run, diverged error) (bool, error) {
				return false, all[i].measure(ctx, k, run, diverged, measuring)
			}
			if cfg.Gamma > 0 {
				first = append(first, j)
			} else {
				second = append(second, j)
			}
		}
	}
	e := newEngine("comparison", fmt.Sprintf("of %d methods", len(methods)), backend, opts)
	e.keep = true
	if err := e.run(ctx, append(first, second...)); err != nil {
		return nil, err
	}
	return all, nil
}

// measure enters the run with the k-th seed.
func (c *Compared) measure(ctx context.Context, k int, run *ngebm.Run, diverged error, measuring func(*ngebm.Run) (measure.Options, error)) error {
	if diverged != nil {
		return diverged
	}
	options, err := measuring(run)
	if err != nil {
		return err
	}
	c.Runs[k] = run
	c.Reports[k], err = measure.MeasureCached(ctx, run, options)
	return err
}
