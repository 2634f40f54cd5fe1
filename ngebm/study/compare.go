package study

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"

	"ngebm/ngebm"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/train"
)

// Method is a way of training, under the name that figures and tables show it by.
type Method struct {
	Name     string
	Settings string // what it changes in a configuration, as ngebm.Config.Set takes it
}

// Methods returns the ways of training that this project's notebooks compare:
// cross-entropy, label smoothing with ε = .1, and NG-EBM with weak weights and with
// the paper's.
func Methods() []Method {
	return []Method{
		{"cross-entropy", "beta=0,gamma=0"},
		{"label smoothing", "label_smoothing=.1"},
		{"NG-EBM β=γ=.01", "beta=.01,gamma=.01"},
		{"NG-EBM β=γ=1", "beta=1,gamma=1"},
	}
}

// Compared is one method, trained and measured with each seed.
type Compared struct {
	Method
	Runs    []*ngebm.Run // by seed
	Reports []*measure.Report
}

// Compare trains every method with every seed from one base configuration, and
// measures each run with the options that measuring gives for it. What was trained
// and measured before is loaded. Methods with a gradient norm are trained first: they ask
// most of a network, so that one that cannot be built with them costs no training.
func Compare(ctx context.Context, backend compute.Backend, base ngebm.Config, methods []Method, seeds []uint64,
	opts train.Options, measuring func(*ngebm.Run) (measure.Options, error)) ([]Compared, error) {
	configs := make([]ngebm.Config, len(methods))
	for i, method := range methods {
		configs[i] = base
		if err := configs[i].Set(method.Settings); err != nil {
			return nil, fmt.Errorf("%s: %w", method.Name, err)
		}
		if err := configs[i].Validate(); err != nil {
			return nil, fmt.Errorf("%s: %w", method.Name, err)
		}
	}
	all := make([]Compared, len(methods))
	for _, norm := range []bool{true, false} {
		for i, method := range methods {
			if (configs[i].Gamma > 0) != norm {
				continue
			}
			var err error
			if all[i], err = compared(ctx, backend, configs[i], method, seeds, opts, measuring); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// compared trains and measures one method.
func compared(ctx context.Context, backend compute.Backend, cfg ngebm.Config, method Method, seeds []uint64,
	opts train.Options, measuring func(*ngebm.Run) (measure.Options, error)) (Compared, error) {
	c := Compared{Method: method}
	for _, seed := range seeds {
		cfg.Seed = seed
		run, err := train.Run(ctx, backend, cfg, opts)
		if err != nil {
			return c, fmt.Errorf("%s, seed %d: %w", method.Name, seed, err)
		}
		options, err := measuring(run)
		if err != nil {
			return c, err
		}
		report, err := measure.Stored(ctx, run, options)
		if err != nil {
			return c, fmt.Errorf("%s, seed %d: %w", method.Name, seed, err)
		}
		c.Runs, c.Reports = append(c.Runs, run), append(c.Reports, report)
	}
	return c, nil
}

// Values returns one figure of every report, by seed.
func (c Compared) Values(figure func(*measure.Report) float64) []float64 {
	var values []float64
	for _, r := range c.Reports {
		values = append(values, figure(r))
	}
	return values
}
