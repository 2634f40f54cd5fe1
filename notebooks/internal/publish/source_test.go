package publish

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/notebooktest"
	"ngebm/notebooks/internal/setup"
)

// sourceOf is a notebook of cells in a folder, as it is published.
func sourceOf(t *testing.T, folder, name string, cells ...map[string]any) source {
	t.Helper()
	path := filepath.Join(folder, name+".ipynb")
	doc, err := notebook.Parse(name+".ipynb", notebooktest.JSON(t, cells...))
	if err != nil {
		t.Fatal(err)
	}
	return source{path: path, name: pageNames([]string{path})[0], doc: doc}
}

// pageTools sets up what pages are made with, once for all tests.
func pageTools(t *testing.T) *setup.Tools {
	t.Helper()
	tools, err := sharedTools()
	if err != nil {
		t.Fatalf("set-up: %v", err)
	}
	return tools
}

var sharedTools = sync.OnceValues(func() (*setup.Tools, error) {
	ctx := context.Background()
	p, err := setup.FindWorkspace(ctx)
	if err != nil {
		return nil, err
	}
	return setup.ForPages(ctx, p, display.New(os.Stdout))
})
