package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// A temporary folder that a killed program left is removed by the next one; not one that
// is held, is young, or is not this program's.
func TestTempFolder(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	folder := func(name string, age time.Duration) string {
		t.Helper()
		dir := filepath.Join(temp, name)
		lock := filepath.Join(dir, tempLock)
		then := time.Now().Add(-age)
		for _, err := range []error{os.Mkdir(dir, 0o700), os.WriteFile(lock, nil, 0o600), os.Chtimes(lock, then, then)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	left, held := folder("ngebm-run-1", time.Hour), folder("ngebm-run-2", time.Hour)
	young, other := folder("ngebm-run-3", 0), folder("someone-run-4", time.Hour)
	lock := flock.New(filepath.Join(held, tempLock))
	if ok, err := lock.TryLock(); err != nil || !ok {
		t.Fatal(ok, err)
	}
	defer lock.Unlock()
	dir, release, err := tempFolder("run")
	if err != nil {
		t.Fatal(err)
	}
	exists := func(path string) bool { _, err := os.Stat(path); return err == nil }
	for path, want := range map[string]bool{left: false, held: true, young: true, other: true, dir: true} {
		if exists(path) != want {
			t.Errorf("%s exists: %v, want %v", filepath.Base(path), !want, want)
		}
	}
	old := filepath.Join(dir, tempLock)
	then := time.Now().Add(-time.Hour)
	if err := os.Chtimes(old, then, then); err != nil {
		t.Fatal(err)
	}
	removeIfLeft(dir)
	if !exists(dir) {
		t.Error("a folder in use was removed")
	}
	release()
	if exists(dir) {
		t.Error("the folder is there after its release")
	}
}
