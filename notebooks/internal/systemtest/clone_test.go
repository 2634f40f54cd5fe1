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

// wholeClone returns a clone that tests share one after the other, each as if it were new. What
// a test changes in it is undone for the next. It is in the cache folder and stays there: Go
// compiles packages again for each folder that they are in, for 20 seconds of processor time.
func wholeClone(t *testing.T) (root string) {
	t.Helper()
	return wholeCloneIn(t, filepath.Join(spaced, "ngebm"))
}

// wholeCloneIn is [wholeClone] in a folder of another name.
func wholeCloneIn(t *testing.T, folder string) (root string) {
	t.Helper()
	dir, err := cloneFolder()
	if err != nil {
		t.Fatal(err)
	}
	root = filepath.Join(dir, folder)
	if err := syncClone(root, true); err != nil {
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
