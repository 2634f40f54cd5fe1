package study

import (
	"context"
	"errors"
	"fmt"

	"github.com/gomlx/compute"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/train"
)

// Sweep selects settings, such as α, β and γ: it trains every combination of a grid with
// every seed, and evaluates the runs on validation data alone.
type Sweep struct {
	// Base is what every run starts from. It must hold out validation data. Each seed
	// holds out other examples, so that the interval over seeds covers their draw too.
	Base  ngebm.Config
	Grid  Grid
	Seeds []uint64
	// Evaluate returns the metrics of a run; see [Evaluate].
	Evaluate Evaluate
}

// Evaluate returns the metrics of a run, the same ones in the same order for every run.
// The run has neither the test set nor evaluations on it, see ngebm.Run.WithoutTest. Its
// classifier is freed afterwards. [Validation] has one.
type Evaluate func(context.Context, *ngebm.Run) ([]Metric, error)

// Run trains what is not trained yet, evaluates every run, and returns the table. Runs go
// seed by seed, so that every setting is seen once before any is seen twice.
//
// Finished runs are kept: a sweep that was interrupted, run again with the same options,
// resumes, and gives the table of an uninterrupted one. Canceling ctx saves and stops;
// the error wraps train.ErrStopped. Seeds that diverge do not end the sweep: the row's
// Failed has them, and they are tried again when the sweep is run again.
func (s Sweep) Run(ctx context.Context, backend compute.Backend, opts train.Options) (*SweepTable, error) {
	configs, err := s.configs()
	if err != nil {
		return nil, err
	}
	found := newEvaluations(s.Evaluate, len(configs), s.Seeds)
	var jobs []job
	for k, seed := range s.Seeds {
		for cell, cfg := range configs {
			cfg.Seed = seed
			jobs = append(jobs, found.job(fmt.Sprintf("%s, seed %d", s.Grid.assignments(cell), seed), cell, k, cfg))
		}
	}
	if err := newEngine("sweep", s.Grid.String(), backend, opts).run(ctx, jobs); err != nil {
		return nil, err
	}
	t := &SweepTable{Base: s.Base.WithoutFolders(), Grid: s.Grid, Validation: s.Base.Validation, Interval: intervalOverSeeds,
		Code: ngebm.Version(), Source: ngebm.Source(), Machine: ngebm.Machine()}
	t.Base.Seed = s.Seeds[0]
	for cell := range configs {
		t.Rows = append(t.Rows, SweepRow{Settings: s.Grid.values(cell)})
	}
	found.fill(t)
	return t, nil
}

// configs returns the grid's configurations, without seeds.
func (s Sweep) configs() ([]ngebm.Config, error) {
	if s.Evaluate == nil {
		return nil, errors.New("study: the sweep has no Evaluate; use study.Validation{}.Evaluate")
	}
	if err := checkSeeds("the sweep", s.Seeds); err != nil {
		return nil, err
	}
	if err := s.Grid.check(); err != nil {
		return nil, err
	}
	var configs []ngebm.Config
	seen := map[string]string{}
	for cell := range s.Grid.cells() {
		assignments := s.Grid.assignments(cell)
		cfg, err := Method{Settings: assignments}.Configure(s.Base, s.Seeds[0])
		if err != nil {
			return nil, err
		}
		if err := cfg.Validate(); err != nil {
			return nil, fmt.Errorf("%w (in the sweep's %s)", err, assignments)
		}
		if cfg.Validation == 0 {
			return nil, fmt.Errorf("study: a sweep selects by validation data, never by the test set, but %s holds out none; set validation to a number of training examples, such as validation=200", assignments)
		}
		// What a checksum stands for once the data are opened.
		key := cfg.Hash(fmt.Sprint(cfg.Data, "\x00", cfg.Limit, "\x00", data.CanonicalOODKind(cfg.Margin.Outliers)))
		if other, ok := seen[key]; ok {
			return nil, fmt.Errorf("study: %s and %s of the sweep are the same configuration; remove one", other, assignments)
		}
		seen[key] = assignments
		configs = append(configs, cfg)
	}
	return configs, nil
}

// maxSeeds bounds the runs that a file of results can plan.
const maxSeeds = 1 << 16

// checkSeeds wants 1 to maxSeeds seeds, and none twice.
func checkSeeds(what string, seeds []uint64) error {
	if len(seeds) == 0 {
		return fmt.Errorf("study: %s has no seeds; give at least one; three or more for a useful interval", what)
	}
	if len(seeds) > maxSeeds {
		return fmt.Errorf("study: %s has %d seeds, more than %d; give fewer", what, len(seeds), maxSeeds)
	}
	seen := map[uint64]bool{}
	for _, seed := range seeds {
		if seen[seed] {
			return fmt.Errorf("study: %s has seed %d twice; each run counts once", what, seed)
		}
		seen[seed] = true
	}
	return nil
}
