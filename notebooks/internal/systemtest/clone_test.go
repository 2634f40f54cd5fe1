package systemtest

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Clones are in a folder whose name has a space.
const spaced = "a folder"

// pinsClone makes a repository with its pins only: what notebooks need that import none of
// its packages.
func pinsClone(t *testing.T) (root string) {
	t.Helper()
	root = filepath.Join(t.TempDir(), spaced, "ngebm")
	if err := syncClone(root, false); err != nil {
		t.Fatal(err)
	}
	return root
}

// wholeClone returns a clone that tests share one after the other, each as if it were new: Go
// compiles packages again for each folder that they are in, which takes half a minute of two
// cores. What a test changes in it is undone for the next.
func wholeClone(t *testing.T) (root string) {
	t.Helper()
	if cloneFolder == "" {
		dir, err := os.MkdirTemp("", "ngebm-clone-")
		if err != nil {
			t.Fatal(err)
		}
		cloneFolder = dir
	}
	root = filepath.Join(cloneFolder, spaced, "ngebm")
	if err := syncClone(root, true); err != nil {
		t.Fatal(err)
	}
	return root
}

var cloneFolder string // of the shared clone, empty until there is one

// cloneAt makes a whole clone in a folder.
func cloneAt(t *testing.T, root string) {
	t.Helper()
	if err := syncClone(root, true); err != nil {
		t.Fatal(err)
	}
}

// syncClone makes a folder hold what this repository holds, and nothing else.
func syncClone(root string, whole bool) error {
	from, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	skip := map[string]bool{".git": true, "runs": true, "site": true, ".setup": true, ".carry": true, ".ipynb_checkpoints": true}
	kept := map[string]bool{".": true, "notebooks": true}
	err = filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && rel != "." && (skip[entry.Name()] || !whole):
			return filepath.SkipDir
		case entry.IsDir():
			kept[rel] = true
			return os.MkdirAll(filepath.Join(root, rel), 0o755)
		case !entry.Type().IsRegular() || !whole && rel != "go.mod" && rel != "go.sum":
			return nil
		}
		kept[rel] = true
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if old, err := os.ReadFile(filepath.Join(root, rel)); err == nil && bytes.Equal(old, raw) {
			return nil
		}
		return os.WriteFile(filepath.Join(root, rel), raw, 0o644)
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(root, "notebooks"), 0o755); err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil || kept[rel] {
			return err
		}
		if err := os.RemoveAll(path); err != nil || !entry.IsDir() {
			return err
		}
		return filepath.SkipDir
	})
}
