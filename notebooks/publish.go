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

	"ngebm/data/files"
)

// publishOptions are what the command line says about publishing.
type publishOptions struct {
	out         string // folder for the pages, empty for none
	write       bool   // outputs go back into the notebooks
	force       bool   // run notebooks that have not changed since they ran
	htmlOnly    bool   // make pages from stored outputs, run nothing
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
		if slices.Contains(o.paths, path) {
			return fmt.Errorf("the notebook %q is named twice", name)
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

// publish runs the notebooks that have changed since they ran, and, if every one
// of them ran without a failure, writes their pages and outputs. Runs that
// notebooks train go into a folder that is empty and is removed, so that what is
// shown is what anyone would get, unless NGEBM_RUNS names one; then every notebook
// runs, since what is in that folder may decide what it shows.
func publish(ctx context.Context, p *place, tools *toolbox, o publishOptions, d *display) error {
	if o.htmlOnly {
		return publishStored(ctx, p, tools, o, d)
	}
	temp, release, err := tempFolder("publish")
	if err != nil {
		return err
	}
	defer release()
	keep := &keeper{p: p, reuse: !o.force}
	if os.Getenv("NGEBM_RUNS") == "" {
		if err := os.Setenv("NGEBM_RUNS", filepath.Join(temp, "runs")); err != nil {
			return err
		}
		defer os.Unsetenv("NGEBM_RUNS")
	} else {
		keep = nil
	}
	sources, err := runChanged(ctx, p, tools, o, keep, temp, d)
	if err != nil {
		return err
	}
	if o.out != "" {
		with, err := versions(ctx, p)
		if err != nil {
			return err
		}
		if err := writeSite(ctx, p, tools, sources, o.out, "Every notebook here was run from top to bottom without a failure, with "+with+"; what you see is what came out.", d); err != nil {
			return err
		}
	}
	if o.write {
		return writeBack(sources, o.paths, d)
	}
	return nil
}

// runChanged returns the executed notebooks, in files below temp: fresh ones, or
// those that keep has. All that can run are run before the failures are returned.
func runChanged(ctx context.Context, p *place, tools *toolbox, o publishOptions, keep *keeper, temp string, d *display) ([]source, error) {
	results := make([]string, len(o.paths))
	keys := make([]string, len(o.paths))
	var todo []int
	expected := make([]time.Duration, len(o.paths))
	for i, path := range o.paths {
		doc, err := readNotebook(path)
		if err != nil {
			return nil, err
		}
		if !doc.isGo() {
			return nil, fmt.Errorf("%s is for the kernel %q, not for Go: run it there, and make its page with -html-only", plain(filepath.Base(path)), doc.Metadata.Kernelspec.Name)
		}
		// Two notebooks from different folders may have one name.
		results[i] = filepath.Join(temp, fmt.Sprintf("%d-%s", i, filepath.Base(path)))
		if keep != nil {
			if keys[i], err = keep.key(ctx, path); err != nil {
				return nil, err
			}
			if keep.fetch(path, keys[i], results[i]) {
				d.say("%s: not run again, nothing that it depends on has changed (-force runs it)", plain(filepath.Base(path)))
				continue
			}
		}
		todo = append(todo, i)
		expected[i] = toldTime(doc)
	}
	var failures []error
	ahead := &forecast{}
	for _, i := range todo {
		ahead.add(expected[i])
	}
	d.ahead = ahead.String
	defer func() { d.ahead = nil }()
	for _, i := range todo {
		ahead.begin()
		err := executeChecked(ctx, p, tools, o.paths[i], results[i], limits{o.cell, o.total}, d)
		ahead.end()
		if err != nil && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil && keep != nil {
			err = keep.store(o.paths[i], keys[i], results[i])
		}
		if err != nil {
			failures = append(failures, err)
		}
	}
	if len(failures) > 0 {
		return nil, fmt.Errorf("nothing is published:\n%w", errors.Join(failures...))
	}
	return executedSources(o.paths, results, d)
}

// executedSources reads the notebooks that were executed.
func executedSources(paths, results []string, d *display) ([]source, error) {
	names := pageNames(paths)
	sayNames(paths, names, d)
	sources := make([]source, len(paths))
	for i, path := range paths {
		doc, err := readNotebook(results[i])
		if err != nil {
			return nil, err
		}
		sources[i] = source{path: path, name: names[i], doc: doc}
	}
	return sources, nil
}

// publishStored writes pages of the outputs that the notebooks hold.
func publishStored(ctx context.Context, p *place, tools *toolbox, o publishOptions, d *display) error {
	var without, refused []error
	var sources []source
	names := pageNames(o.paths)
	for at, path := range o.paths {
		doc, err := readNotebook(path)
		if err != nil {
			refused = append(refused, err)
			continue
		}
		name := filepath.Base(path)
		for i, c := range doc.codeCells() {
			if reason := failure(c.Outputs); reason != "" {
				refused = append(refused, &cellError{name, i + 1, c.firstLine(), reason})
			}
		}
		if slices.ContainsFunc(doc.codeCells(), func(c cell) bool { return c.Count == nil }) {
			without = append(without, fmt.Errorf("%s has cells that have not run", plain(name)))
		}
		if err := tells(p, name, doc); err != nil {
			refused = append(refused, err)
		}
		sources = append(sources, storedSource(path, names[at], doc))
		if sources[len(sources)-1].warning != "" {
			d.say("%s: %s", plain(name), changedSince)
		}
	}
	if len(without) > 0 {
		refused = append(refused, fmt.Errorf("%w; run them and store their outputs with publish -w", errors.Join(without...)))
	}
	if len(refused) > 0 {
		return fmt.Errorf("nothing is published:\n%w", errors.Join(refused...))
	}
	sayNames(o.paths, names, d)
	return writeSite(ctx, p, tools, sources, o.out, "The pages show the outputs that are stored in the notebooks; these were not run to make the pages.", d)
}

// What pages say about where their outputs come from.
const (
	shownAsStored = "This page shows the outputs that are stored in the notebook; it was not run to make the page."
	changedSince  = "The code was changed after this project's publish last ran the notebook: outputs may be of other code than is shown."
	neverRanHere  = " They are not known to be of the code that is shown: this project's publish did not run the notebook."
)

// storedSource says on a notebook's page what is known of its outputs.
func storedSource(path, name string, doc *document) source {
	s := source{path: path, name: name, doc: doc, provenance: shownAsStored}
	switch doc.Metadata.Ran.Code {
	case doc.codeHash():
	case "":
		s.provenance += neverRanHere
	default:
		s.warning = changedSince
	}
	return s
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
	return tells(p, filepath.Base(path), doc)
}

// writeBack replaces notebooks by their executed selves.
func writeBack(executed []source, paths []string, d *display) error {
	for i, path := range paths {
		if err := files.WriteFile(path, executed[i].doc.raw, 0o644); err != nil {
			return fmt.Errorf("cannot store outputs in %s: %w", path, err)
		}
		d.say("%s: outputs stored", plain(filepath.Base(path)))
	}
	return nil
}
