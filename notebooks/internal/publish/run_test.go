package publish

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ngebm/data/testerror"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/notebooktest"
	"ngebm/notebooks/internal/setup"
)

// pythonThatLeaves is a program that leaves an executed notebook, in place of Python.
func pythonThatLeaves(t *testing.T, executed []byte) string {
	t.Helper()
	folder := t.TempDir()
	python, result := filepath.Join(folder, "python"), filepath.Join(folder, "result.ipynb")
	script := fmt.Sprintf("#!/bin/sh\ncp '%s' \"$4\" && echo '{\"event\":\"saved\"}'\n", result)
	for _, err := range []error{os.WriteFile(result, executed, 0o644), os.WriteFile(python, []byte(script), 0o755)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return python
}

// What is wrong with an executed notebook is said of the notebook by its own name, also if
// notebooks of two folders have the same.
func TestExecutedNotebookKeepsItsName(t *testing.T) {
	folder := t.TempDir()
	var paths []string
	for _, sub := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(folder, sub), 0o755); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, filepath.Join(folder, sub, "24_lots.ipynb"))
		notebooktest.Write(t, paths[len(paths)-1], "f()")
	}
	run := func(text string) ([]source, error) {
		executed := notebooktest.JSON(t, notebooktest.Output(map[string]any{"text/plain": text}))
		p := &setup.Workspace{Root: folder, Cache: filepath.Join(folder, "cache")}
		o := Options{paths: paths, Jobs: 1, CellLimit: time.Minute, TotalLimit: time.Minute}
		return runChanged(t.Context(), p, &setup.Tools{Python: pythonThatLeaves(t, executed)}, o, nil, t.TempDir(), display.New(io.Discard))
	}
	if sources, err := run("a"); err != nil || len(sources) != 2 || sources[0].name != "24_lots" || sources[1].name != "24_lots-2" {
		t.Errorf("%v, %v", sources, err)
	}
	paths = paths[:1]
	_, err := run(strings.Repeat("a\n", 30_000))
	if err == nil {
		t.Fatal("no error for too many lines")
	}
	_, reason, _ := strings.Cut(err.Error(), "\n") // after "nothing is published:"
	if !strings.HasPrefix(reason, "24_lots.ipynb: cell 1 (f()): ") {
		t.Errorf("%q does not begin with the notebook's name", reason)
	}
}

// Where a site cannot be written is found when the notebooks are looked up, before any runs.
// What the check makes is removed.
func TestSiteThatCannotBeWritten(t *testing.T) {
	top := t.TempDir()
	for _, err := range []error{
		os.WriteFile(filepath.Join(top, "file"), nil, 0o644), os.Mkdir(filepath.Join(top, "closed"), 0o500),
		os.MkdirAll(filepath.Join(top, "filled"), 0o755), os.WriteFile(filepath.Join(top, "filled", "figures"), nil, 0o644),
		os.Mkdir(filepath.Join(top, "empty"), 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	notebooktest.Write(t, filepath.Join(top, "n.ipynb"))
	for _, test := range []struct{ out, refused string }{
		{"file", "not a directory"},
		{"file/site", "not a directory"},
		{"file/below/site", "not a directory"},
		{"filled", "figures"},
		{"closed", "closed"},
		{"closed/site", "closed"},
		{"empty", ""},
		{"new/below/site", ""},
	} {
		if os.Getuid() == 0 && strings.HasPrefix(test.out, "closed") {
			continue // root may write everywhere
		}
		o := Options{Names: []string{filepath.Join(top, "n")}, Out: filepath.Join(top, test.out)}
		if err := o.Find(top); test.refused != "" {
			testerror.Want(t, err, filepath.Join(top, strings.Split(test.out, "/")[0]), test.refused, "-o")
		} else if err != nil {
			t.Errorf("-o %s: %v", test.out, err)
		}
	}
	for _, path := range []string{"new", "empty/figures", "empty/.writable", "closed/site"} {
		if notebooktest.Exists(filepath.Join(top, path)) {
			t.Errorf("%s is left", path)
		}
	}
}
