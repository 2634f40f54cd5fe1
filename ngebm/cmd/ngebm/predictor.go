package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"

	"ngebm/data"
	"ngebm/data/tabular"
	"ngebm/ngebm"
	"ngebm/ngebm/environment"
	"ngebm/ngebm/predict"
	"ngebm/ngebm/train"
)

// decider is a run and its predictor, both open.
type decider struct {
	run       *ngebm.Run
	predictor *predict.Predictor
	fresh     bool // fitted now, not read
}

// Close frees both.
func (d *decider) Close() {
	d.predictor.Close()
	d.run.Close()
}

// openPredictor loads a run and the predictor that is stored with it. If there is none, it fits the
// default one, on the data of a name or the run's, and stores it.
func openPredictor(ctx context.Context, backend compute.Backend, dir, set string, o predict.Options) (*decider, error) {
	run, err := loadRun(ctx, backend, dir)
	if err != nil {
		return nil, err
	}
	p, err := predict.Open(run)
	if err == nil {
		warnOf("", p.Notes)
		return &decider{run: run, predictor: p}, nil
	}
	run.Close()
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "no predictor is stored with the run; fitting one on its validation split\n")
		return fitPredictor(ctx, backend, run, cmp.Or(set, run.Config.Data), o, true)
	}
	return nil, err
}

func loadRun(ctx context.Context, backend compute.Backend, dir string) (*ngebm.Run, error) {
	run, err := ngebm.Load(ctx, backend, dir, nil)
	if err == nil {
		warnOf(run.Warning, run.Notes)
	}
	return run, err
}

// warnOf prints what is to be known before numbers are trusted.
func warnOf(warning string, notes []string) {
	for _, note := range notes {
		fmt.Fprintf(os.Stderr, "note: %s\n", note)
	}
	if warning != "" {
		fmt.Fprintf(os.Stderr, "warning: %s\n", warning)
	}
}

// fitPredictor fits a predictor, and stores it if asked to. The run was loaded without its data, and is closed; these
// are those of a name, since a run does not store the folder of files.
func fitPredictor(ctx context.Context, backend compute.Backend, loaded *ngebm.Run, set string, o predict.Options, store bool) (*decider, error) {
	if loaded.Config.Validation == 0 {
		_, err := predict.Fit(ctx, loaded, o) // refuses, before data are looked for
		return nil, err
	}
	run, err := withData(ctx, backend, loaded, set, o)
	if err != nil {
		return nil, err
	}
	p, err := predict.Fit(ctx, run, o)
	if err != nil {
		run.Close()
		return nil, err
	}
	d := &decider{run, p, true}
	if !store {
		return d, nil
	}
	if err := p.Save(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// withData is a run that was loaded, with the data of a name.
func withData(ctx context.Context, backend compute.Backend, loaded *ngebm.Run, set string, o predict.Options) (*ngebm.Run, error) {
	cfg := loaded.Config
	cfg.Data = set
	dir, err := filepath.Abs(loaded.Dir)
	if err != nil {
		return nil, err
	}
	options := environment.Data(o.Progress)
	options.Limit = cfg.Limit
	trainSet, test, err := data.Open(ctx, cfg.Data, options)
	if err != nil {
		err = fmt.Errorf("ngebm: the predictor is fitted on the run's validation split: %w", err)
		if there := elsewhere(loaded.Config.Data); there != loaded.Config.Data && ctx.Err() == nil {
			err = fmt.Errorf("%w; if the data are in another folder, say so once: ngebm predict %s -data %s", err, shellQuote(loaded.Dir), shellQuote(there))
		}
		return nil, err
	}
	if c := loaded.Classifier; !slices.Equal(trainSet.Shape, c.Shape) || (trainSet.Encoder == nil) != (c.Encoder == nil) {
		return nil, fmt.Errorf("ngebm: %s holds %s, and the run was trained on %s; name those data once: ngebm predict %s -data %s",
			set, examplesOf(trainSet.Shape, trainSet.Encoder), examplesOf(c.Shape, c.Encoder), shellQuote(loaded.Dir), shellQuote(elsewhere(loaded.Config.Data)))
	}
	outliers, err := train.OpenOutliers(ctx, cfg, trainSet, options)
	if err != nil {
		return nil, err
	}
	setup := ngebm.Setup{Runs: filepath.Dir(dir), Train: trainSet, Test: test, Outliers: outliers}
	run, err := ngebm.NewRun(backend, cfg, setup)
	if err != nil {
		return nil, err
	}
	if run.Dir != dir {
		if earlier := runOfEarlierOutliers(backend, cfg, setup, dir); earlier != nil {
			run.Close()
			run = earlier
		}
	}
	complete := false
	if run.Dir != dir {
		err = fmt.Errorf("ngebm: %q was renamed, or %s is not the data that it was trained on: with these its folder is %s", loaded.Dir, cfg.Data, filepath.Base(run.Dir))
	} else if complete, err = run.Restore(ctx, 0); err == nil && !complete {
		err = fmt.Errorf("ngebm: %q is not complete; resume its training first", loaded.Dir)
	}
	if err != nil {
		run.Close()
		return nil, err
	}
	return run, nil
}

// runOfEarlierOutliers is the run in dir if a version before 2026-12 trained it, else nil: outliers were drawn
// with the random numbers of OOD sets.
func runOfEarlierOutliers(backend compute.Backend, cfg ngebm.Config, setup ngebm.Setup, dir string) *ngebm.Run {
	var err error
	if setup.Outliers, err = setup.Train.SynthesizeOOD(cfg.Margin.Outliers, cfg.Seed); err != nil {
		return nil // no outliers, or those of a dataset
	}
	run, err := ngebm.NewRun(backend, cfg, setup)
	if err != nil {
		return nil
	}
	if run.Dir != dir {
		run.Close()
		return nil
	}
	return run
}

// examplesOf says what a set holds.
func examplesOf(shape []int, encoder *tabular.Encoder) string {
	switch {
	case encoder != nil:
		return fmt.Sprintf("rows of a table, encoded as %d numbers", shape[0])
	case len(shape) == 3:
		return fmt.Sprintf("images of %dx%dx%d", shape[0], shape[1], shape[2])
	}
	return fmt.Sprintf("points of %d numbers", shape[0])
}

// elsewhere is a set's name, which has no folders, with a path to fill in: csv:/path/to/wine.csv@class.
func elsewhere(set string) string {
	const folder = "/path/to/"
	kind, path, named := strings.Cut(set, ":")
	switch {
	case named && kind == "csv":
		label := ""
		if at := strings.LastIndexByte(path, '@'); at >= 0 {
			path, label = path[:at], path[at:]
		}
		return "csv:" + folder + strings.ReplaceAll(path, ",", ","+folder) + label
	case named && slices.Contains([]string{"folder", "tar", "zip", "npz", "celeba"}, kind):
		return kind + ":" + folder + path
	}
	return set
}
