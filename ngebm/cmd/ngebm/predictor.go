package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/environment"
	"ngebm/ngebm/predict"
)

// openPredictor loads a run and the predictor that is stored with it. If there is none, it fits the
// default one and stores it. Close both.
func openPredictor(ctx context.Context, backend compute.Backend, dir string, o predict.Options) (*ngebm.Run, *predict.Predictor, error) {
	run, err := ngebm.Load(ctx, backend, dir, nil)
	if err != nil {
		return nil, nil, err
	}
	if run.Warning != "" {
		fmt.Fprintf(os.Stderr, "warning: %s\n", run.Warning)
	}
	p, err := predict.Open(run)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "no predictor is stored with the run; fitting one on its validation split\n")
		run.Close()
		run, p, err = fitPredictor(ctx, backend, run, run.Config.Data, o)
	}
	if err != nil {
		run.Close()
		return nil, nil, err
	}
	return run, p, nil
}

// fitPredictor fits a predictor of a run that was loaded without its data, which are those of a
// name: a run does not store the folder of files.
func fitPredictor(ctx context.Context, backend compute.Backend, loaded *ngebm.Run, set string, o predict.Options) (*ngebm.Run, *predict.Predictor, error) {
	cfg := loaded.Config
	cfg.Data = set
	if cfg.Validation == 0 {
		_, err := predict.Fit(ctx, loaded, o) // refuses, before data are looked for
		return loaded, nil, err
	}
	dir, err := filepath.Abs(loaded.Dir)
	if err != nil {
		return loaded, nil, err
	}
	options := environment.Data(o.Progress)
	options.Limit = cfg.Limit
	train, test, err := data.Open(ctx, cfg.Data, options)
	if err != nil {
		return loaded, nil, fmt.Errorf("ngebm: the predictor is fitted on the run's validation split: %w; if the data are in another folder, say so once: ngebm predict %s -data %s", err, loaded.Dir, elsewhere(cfg.Data))
	}
	run, err := ngebm.NewRun(backend, cfg, ngebm.Setup{Runs: filepath.Dir(dir), Train: train, Test: test})
	if err != nil {
		return loaded, nil, err
	}
	if run.Dir != dir {
		return run, nil, fmt.Errorf("ngebm: %q was renamed, or %s is not the data that it was trained on: with these its folder is %s", loaded.Dir, cfg.Data, filepath.Base(run.Dir))
	}
	if complete, err := run.Restore(ctx, 0); err != nil || !complete {
		return run, nil, errors.Join(err, fmt.Errorf("ngebm: %q is not complete; resume its training first", loaded.Dir))
	}
	p, err := predict.Fit(ctx, run, o)
	if err != nil {
		return run, nil, err
	}
	fmt.Fprintln(os.Stderr, p)
	return run, p, p.Save()
}

// elsewhere is a set's name with a path to fill in: csv:/path/to/wine.csv@class.
func elsewhere(set string) string {
	if kind, path, ok := strings.Cut(set, ":"); ok {
		return kind + ":/path/to/" + filepath.Base(path)
	}
	return set
}
