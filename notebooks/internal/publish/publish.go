// Package publish makes a website of notebooks: it runs those that have changed, checks them
// for leaks, and writes a page for each, an index and a gallery of figures.
package publish

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"ngebm/data/files"
	"ngebm/data/plain"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/execute"
	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/setup"
	"ngebm/notebooks/internal/tempdir"
)

// Notebooks runs the notebooks that have changed since their last run. If all of them succeed,
// it writes their pages and outputs. Runs that notebooks train are stored in a temporary
// folder, so that pages show what anyone would get. If NGEBM_RUNS names a folder, runs are
// stored there and every notebook runs, since stored runs may change what it shows.
func Notebooks(ctx context.Context, p *setup.Workspace, tools *setup.Tools, o Options, d *display.Display) error {
	if o.HTMLOnly {
		return publishStored(ctx, p, tools, o, d)
	}
	temp, release, err := tempdir.Folder("publish")
	if err != nil {
		return err
	}
	defer release()
	keep := &execute.Cache{Workspace: p, Reuse: !o.Force}
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
	if o.Out != "" {
		with, err := versions(ctx, p)
		if err != nil {
			return err
		}
		if err := Site(ctx, p, tools, sources, o.Out, "Every notebook here was run from top to bottom without a failure, with "+with+"; what you see is what came out.", d); err != nil {
			return err
		}
	}
	if o.Write {
		return writeBack(sources, o.paths, d)
	}
	return nil
}

// runChanged returns the executed notebooks, in files below temp: from the cache keep, or run
// now, some at once. A failure does not keep the others from running; all failures are returned
// together.
func runChanged(ctx context.Context, p *setup.Workspace, tools *setup.Tools, o Options, keep *execute.Cache, temp string, d *display.Display) ([]source, error) {
	results, read := make([]string, len(o.paths)), make([][]byte, len(o.paths))
	var todo, alone []toRun
	times := execute.DurationsIn(p)
	for i, path := range o.paths {
		doc, err := notebook.Read(path)
		if err != nil {
			return nil, err
		}
		if !doc.IsGo() {
			return nil, fmt.Errorf("%s is for the kernel %q, not for Go: run it there, and make its page with -html-only", plain.Text(filepath.Base(path)), doc.Metadata.Kernelspec.Name)
		}
		read[i] = doc.Raw
		// Errors name the executed file as the notebook. Two notebooks from different folders may
		// have the same name, so each has its own folder.
		results[i] = filepath.Join(temp, strconv.Itoa(i), filepath.Base(path))
		if err := os.Mkdir(filepath.Dir(results[i]), 0o700); err != nil {
			return nil, err
		}
		one := toRun{path: path, result: results[i], expected: execute.ExpectedRun{Took: times.Last(path), Alone: doc.Metadata.Ran.Alone}}
		if keep != nil {
			if one.key, err = keep.Key(ctx, path); err != nil {
				return nil, err
			}
			if keep.Fetch(path, one.key, one.result) {
				d.Say("%s: not run again, its text and the code are those of its last run (-force runs it, as after a change of files that it reads)", plain.Text(filepath.Base(path)))
				continue
			}
		}
		if one.expected.Alone && o.Jobs > 1 {
			alone = append(alone, one)
		} else {
			todo = append(todo, one)
		}
	}
	if o.Jobs > 1 { // what takes longest begins first, so that the last ones end together
		slices.SortStableFunc(todo, func(a, b toRun) int { return cmp.Compare(b.expected.Took, a.expected.Took) })
	}
	todo = append(todo, alone...)
	expected := make([]execute.ExpectedRun, len(todo))
	for k, one := range todo {
		expected[k] = one.expected
	}
	ahead := execute.NewETA(o.Jobs, expected)
	d.Ahead(ahead.String)
	defer d.Ahead(nil)

	failures := make([]error, len(todo))
	together := len(todo) - len(alone)
	for _, part := range []struct{ from, to, jobs int }{{0, together, o.Jobs}, {together, len(todo), 1}} {
		var running errgroup.Group
		running.SetLimit(part.jobs)
		for k := part.from; k < part.to; k++ {
			running.Go(func() error {
				if ctx.Err() != nil {
					return nil
				}
				ahead.Begin(k)
				one := todo[k]
				err := executeChecked(ctx, p, tools, one.path, one.result, execute.Limits{Cell: o.CellLimit, Total: o.TotalLimit}, d.Another())
				took := ahead.End(k)
				if err == nil && keep != nil {
					err = store(ctx, keep, one)
				}
				if err == nil {
					err = times.Record(one.path, took)
				}
				failures[k] = err
				return nil // the others run all the same
			})
		}
		_ = running.Wait() // failures has the errors
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err := errors.Join(failures...); err != nil {
		return nil, fmt.Errorf("nothing is published:\n%w", err)
	}
	sources, err := executedSources(o.paths, results, d)
	for i := range sources {
		sources[i].read = read[i]
	}
	return sources, err
}

// toRun is a notebook that is to be run, and where the executed one goes.
type toRun struct {
	path, result, key string
	expected          execute.ExpectedRun
}

// store keeps what was executed, unless the notebook or code that it uses is no longer what its key
// is of: then nobody knows which of both was executed.
func store(ctx context.Context, keep *execute.Cache, one toRun) error {
	key, err := keep.Key(ctx, one.path)
	if err != nil {
		return err
	}
	if key != one.key {
		return fmt.Errorf("%s, or code that it uses, was changed while it ran; publish again", plain.Text(filepath.Base(one.path)))
	}
	return keep.Store(one.path, one.key, one.result)
}

// executedSources reads the executed notebooks.
func executedSources(paths, results []string, d *display.Display) ([]source, error) {
	names := pageNames(paths)
	sayNames(paths, names, d)
	sources := make([]source, len(paths))
	for i, path := range paths {
		doc, err := notebook.Read(results[i])
		if err != nil {
			return nil, err
		}
		sources[i] = source{path: path, name: names[i], doc: doc}
	}
	return sources, nil
}

// publishStored writes pages of the outputs that are stored in the notebooks.
func publishStored(ctx context.Context, p *setup.Workspace, tools *setup.Tools, o Options, d *display.Display) error {
	var without, refused []error
	var sources []source
	names := pageNames(o.paths)
	for at, path := range o.paths {
		doc, err := notebook.Read(path)
		if err != nil {
			refused = append(refused, err)
			continue
		}
		name := filepath.Base(path)
		for i, c := range doc.CodeCells() {
			if reason := notebook.Failure(i+1, c.Outputs); reason != "" {
				refused = append(refused, &notebook.CellError{Notebook: name, Number: i + 1, Line: c.FirstLine(), Reason: reason})
			}
		}
		if slices.ContainsFunc(doc.CodeCells(), func(c notebook.Cell) bool { return c.Count == nil }) {
			without = append(without, fmt.Errorf("%s has cells that have not run", plain.Text(name)))
		}
		if err := doc.CheckLeaks(name, notebook.LocalFolders(p.Root, p.Caches()...)); err != nil {
			refused = append(refused, err)
		}
		sources = append(sources, storedSource(path, names[at], doc))
		if sources[len(sources)-1].warning != "" {
			d.Say("%s: %s", plain.Text(name), changedSince)
		}
	}
	if len(without) > 0 {
		refused = append(refused, fmt.Errorf("%w; run them and store their outputs with publish -w", errors.Join(without...)))
	}
	if len(refused) > 0 {
		return fmt.Errorf("nothing is published:\n%w", errors.Join(refused...))
	}
	sayNames(o.paths, names, d)
	return Site(ctx, p, tools, sources, o.Out, "The pages show the outputs that are stored in the notebooks; these were not run to make the pages.", d)
}

// Sentences about the origin of a page's outputs.
const (
	shownAsStored = "This page shows the outputs that are stored in the notebook; it was not run to make the page."
	changedSince  = "The code was changed after this project's publish last ran the notebook: outputs may be of other code than is shown."
	neverRanHere  = " They are not known to be of the code that is shown: this project's publish did not run the notebook."
)

// storedSource makes a source whose page states what is known about its stored outputs.
func storedSource(path, name string, doc *notebook.Document) source {
	s := source{path: path, name: name, doc: doc, provenance: shownAsStored}
	switch doc.Metadata.Ran.Code {
	case doc.CodeHash():
	case "":
		s.provenance += neverRanHere
	default:
		s.warning = changedSince
	}
	return s
}

// executeChecked executes a notebook and checks its outputs for leaks.
func executeChecked(ctx context.Context, p *setup.Workspace, tools *setup.Tools, path, result string, limit execute.Limits, d *display.Display) error {
	if err := execute.Notebook(ctx, p, tools, path, result, limit, d); err != nil {
		return err
	}
	doc, err := notebook.Read(result)
	if err != nil {
		return err
	}
	return doc.CheckLeaks(filepath.Base(path), notebook.LocalFolders(p.Root, p.Caches()...))
}

// writeBack stores the executed notebooks in place of the originals, if all of these are what they
// were when they were read.
func writeBack(executed []source, paths []string, d *display.Display) error {
	for i, path := range paths {
		now, err := notebook.Read(path)
		if err != nil {
			return err
		}
		if !bytes.Equal(now.Raw, executed[i].read) {
			return fmt.Errorf("no outputs are stored: %s was changed while it ran, and your changes would be lost; run publish -w again", plain.Text(filepath.Base(path)))
		}
	}
	for i, path := range paths {
		if err := files.WriteFile(path, executed[i].doc.Raw, 0o644); err != nil {
			return fmt.Errorf("cannot store outputs in %s: %w", path, err)
		}
		d.Say("%s: outputs stored", plain.Text(filepath.Base(path)))
	}
	return nil
}
