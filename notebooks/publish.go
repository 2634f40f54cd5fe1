package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
)

// publishOptions are what the command line says about publishing.
type publishOptions struct {
	out         string // folder for the pages, empty for none
	write       bool   // outputs go back into the notebooks
	cell, total time.Duration
	names       []string

	paths []string // of the notebooks, set by find
}

// find looks up the notebooks that are named: all of the folder's, or those with
// the given names, with or without .ipynb; a name with a slash is a path.
func (o *publishOptions) find(p *place) error {
	all, err := filepath.Glob(filepath.Join(escapeGlob(p.notebooks), "*.ipynb"))
	if err != nil {
		return err
	}
	if len(o.names) == 0 {
		if o.paths = all; len(all) == 0 {
			return fmt.Errorf("no notebooks (*.ipynb) in %s", p.notebooks)
		}
		return nil
	}
	for _, name := range o.names {
		path := strings.TrimSuffix(name, ".ipynb") + ".ipynb"
		if !strings.ContainsRune(name, os.PathSeparator) {
			path = filepath.Join(p.notebooks, path)
		}
		if path, err = filepath.Abs(path); err != nil {
			return err
		}
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("no notebook %q; there are: %s", name, strings.Join(baseNames(all), ", "))
		}
		if slices.Contains(baseNames(o.paths), baseNames([]string{path})[0]) {
			return fmt.Errorf("two notebooks are called %q: their pages would have one name", name)
		}
		o.paths = append(o.paths, path)
	}
	return nil
}

// escapeGlob makes a folder's name stand for itself in a pattern.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// baseNames strips folders and .ipynb.
func baseNames(paths []string) []string {
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = strings.TrimSuffix(filepath.Base(path), ".ipynb")
	}
	return names
}

// publish runs notebooks and, if every one of them ran without a failure, writes
// their pages and outputs. Runs that notebooks train go into a folder that is
// empty and is removed, so that what is shown is what anyone would get, unless
// NGEBM_RUNS names one.
func publish(ctx context.Context, p *place, tools *toolbox, o publishOptions, d *display) error {
	temp, err := os.MkdirTemp("", module+"-publish-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if os.Getenv("NGEBM_RUNS") == "" {
		if err := os.Setenv("NGEBM_RUNS", filepath.Join(temp, "runs")); err != nil {
			return err
		}
		defer os.Unsetenv("NGEBM_RUNS")
	}
	executed := make([]string, len(o.paths))
	var failures []error
	for i, path := range o.paths {
		executed[i] = filepath.Join(temp, filepath.Base(path))
		err := executeChecked(ctx, p, tools, path, executed[i], limits{o.cell, o.total}, d)
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failures = append(failures, err)
		}
	}
	if len(failures) > 0 {
		return fmt.Errorf("nothing is published:\n%w", errors.Join(failures...))
	}
	if o.out != "" {
		if err := writeSite(ctx, tools, executed, o.paths, o.out, d); err != nil {
			return err
		}
	}
	if o.write {
		return writeBack(executed, o.paths, d)
	}
	return nil
}

// executeChecked executes a notebook and looks for outputs that should not be
// shown to others.
func executeChecked(ctx context.Context, p *place, tools *toolbox, path, result string, limit limits, d *display) error {
	if err := execute(ctx, tools, path, result, limit, d); err != nil {
		return err
	}
	doc, err := readNotebook(result)
	if err != nil {
		return err
	}
	return tellsPath(filepath.Base(path), doc, machinePaths(p))
}

// writeBack replaces notebooks by their executed selves.
func writeBack(executed, paths []string, d *display) error {
	for i, path := range paths {
		raw, err := os.ReadFile(executed[i])
		if err != nil {
			return err
		}
		if err := renameio.WriteFile(path, raw, 0o644); err != nil {
			return fmt.Errorf("cannot store outputs in %s: %w", path, err)
		}
		d.say("%s: outputs stored", filepath.Base(path))
	}
	return nil
}
