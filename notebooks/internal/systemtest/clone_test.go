package systemtest

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"ngebm/data/files"
)

// Clones are in a folder whose name has a space.
const spaced = "a folder"

// What needs a whole clone, one after the other, as there is one.
func TestInClone(t *testing.T) {
	ready(t)
	t.Parallel()
	lockClone(t)
	t.Run("environment of others", testEnvironmentOfOthers)
	t.Run("without execution of temporary files", testEnvironmentWithoutExecution)
	t.Run("server", testServer)
}

// lockClone gives a test [wholeClone] until its end: other parallel tests wait.
func lockClone(t *testing.T) {
	clone.Lock()
	t.Cleanup(clone.Unlock)
}

var clone sync.Mutex

// pinsClone makes a repository with its pins only: what notebooks need that import none of
// its packages.
func pinsClone(t *testing.T) (root string) {
	t.Helper()
	root = filepath.Join(t.TempDir(), spaced, "ngebm")
	if err := syncClone(root, onlyPins); err != nil {
		t.Fatal(err)
	}
	return root
}

// wholeClone returns a clone that tests share one after the other, each as if it were new. What
// a test changes in it is undone for the next. It is in the cache folder and stays there: Go
// compiles packages again for each folder that they are in, for 20 seconds of processor time.
func wholeClone(t *testing.T) (root string) {
	t.Helper()
	return cloneIn(t, filepath.Join(spaced, "ngebm"), whole)
}

// deviceClone is a clone in a folder of another name without what most notebooks import: it has
// package device, and set-up finds nothing more to compile, which would take as long again.
func deviceClone(t *testing.T, folder string) (root string) {
	t.Helper()
	return cloneIn(t, folder, func(rel string) bool {
		return rel != "plots" && rel != filepath.Join("notebooks", "nb")
	})
}

// cloneIn makes a clone in a folder below that for clones, which stays.
func cloneIn(t *testing.T, folder string, has func(rel string) bool) (root string) {
	t.Helper()
	dir, err := cloneFolder()
	if err != nil {
		t.Fatal(err)
	}
	root = filepath.Join(dir, folder)
	if err := syncClone(root, has); err != nil {
		t.Fatal(err)
	}
	return root
}

// unlockClone releases cloneFolder; so does the end of this process.
var unlockClone func()

// cloneFolder is the first folder for clones that no other process has.
var cloneFolder = sync.OnceValues(func() (string, error) {
	for n := 1; ; n++ {
		dir := filepath.Join(shared().workspace.Cache, fmt.Sprintf("clone-%d", n))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		unlock, mine, err := files.TryLock(filepath.Join(dir, "lock"))
		if mine || err != nil {
			unlockClone = unlock
			return dir, err
		}
	}
})

// What a clone has of the repository, by a path's name in it.
func whole(string) bool        { return true }
func onlyPins(rel string) bool { return rel == "go.mod" || rel == "go.sum" }

// syncClone makes a folder hold what this repository holds, and nothing else.
func syncClone(root string, has func(rel string) bool) error {
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
		case entry.IsDir() && rel != "." && (skip[entry.Name()] || !has(rel)):
			return filepath.SkipDir
		case entry.IsDir():
			kept[rel] = true
			return os.MkdirAll(filepath.Join(root, rel), 0o755)
		case !entry.Type().IsRegular() || !has(rel):
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
