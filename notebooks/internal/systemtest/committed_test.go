package systemtest

import (
	"os"
	"strings"
	"testing"

	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/setup"
)

// kernelNote is the first line of a notebook's first cell, which is what fails under a Go
// kernel that was not started by this repository's program and finds none of its packages.
const kernelNote = `// If a package is "not in std", open this notebook with: go run ./notebooks`

// What is committed can be opened by anyone: the Go kernel and a word on where it comes
// from, no cell that sets up a workspace, which that kernel does, pictures that every
// viewer shows, no large files, and nothing of the machine that it ran on.
func TestCommittedNotebooks(t *testing.T) {
	paths := committed(t)
	p, err := setup.FindWorkspace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		doc, err := notebook.Read(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if name := doc.Metadata.Kernelspec.Name; name != "gonb" {
			t.Errorf("%s: the kernel is %q, not gonb", path, name)
		}
		cells := doc.CodeCells()
		if len(cells) == 0 || cells[0].FirstLine() != kernelNote {
			t.Errorf("%s: the first code cell does not begin with\n%s", path, kernelNote)
		}
		if title, summary := doc.Introduction(); title == "" || summary == "" {
			t.Errorf("%s: no title (# …) with a paragraph after it, which the index of pages shows", path)
		}
		if err := doc.CheckLeaks(path, notebook.LocalFolders(p.Root, p.Caches()...)); err != nil {
			t.Error(err)
		}
		for i, c := range cells {
			if strings.Contains(string(c.Source), "go work") || strings.Contains(string(c.Source), "%noautoget") {
				t.Errorf("%s: cell %d sets up what the kernel is started with", path, i+1)
			}
			for _, o := range c.Outputs {
				for mime := range o.Data {
					if strings.HasPrefix(mime, "image/") && mime != "image/png" || strings.Contains(mime, "javascript") {
						t.Errorf("%s: cell %d shows %s, which not every viewer does: draw a PNG", path, i+1, mime)
					}
				}
			}
		}
		if info, err := os.Stat(path); err != nil || info.Size() >= 1<<20 {
			t.Errorf("%s: 1 MB or more (%v)", path, err)
		}
	}
}
