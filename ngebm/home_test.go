//go:build unix

package ngebm_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ngebm/ngebm"

	"github.com/gomlx/compute"
)

// home makes a folder that stands for a person's home, with files that look like what a
// program leaves, and returns a check that it is as it was.
func home(t *testing.T) (dir string, untouched func()) {
	t.Helper()
	dir = t.TempDir()
	contents := map[string]string{
		".bashrc": "alias", ".netrc": "secret", ".gitconfig": "name", ".checkpoint.ngebm": "mine", "letter.txt": "dear",
		".checkpoint.ngebm12": "left by a program", "lock": "a canal's",
	}
	for name, content := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir, func() {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != len(contents)+1 {
			t.Errorf("the home holds %v (%v)", entries, err)
		}
		for name, content := range contents {
			b, err := os.ReadFile(filepath.Join(dir, name))
			info, e := os.Stat(filepath.Join(dir, name))
			if err != nil || e != nil || string(b) != content || info.Mode().Perm() != 0o600 {
				t.Errorf("%s holds %q, %v", name, b, errors.Join(err, e))
			}
		}
	}
}

// A run folder that is a link is neither trained in nor loaded; what it points to stays.
func TestARunFolderIsNotALink(t *testing.T) {
	backend, cfg, runs := open(t, "go"), small(), t.TempDir()
	run, err := ngebm.Train(t.Context(), backend, cfg, ngebm.Options{Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, untouched := home(t)
	others := t.TempDir()
	link := filepath.Join(others, filepath.Base(run.Dir))
	if err := os.Symlink(elsewhere, link); err != nil {
		t.Fatal(err)
	}
	refused := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "symbolic link") || !strings.Contains(err.Error(), link) {
			t.Errorf("%s: %v", what, err)
		}
		untouched()
	}
	_, err = ngebm.Train(t.Context(), backend, cfg, ngebm.Options{Runs: others})
	refused("training", err)
	_, err = ngebm.Load(t.Context(), backend, link, nil)
	refused("loading", err)
	cfg.Start = run.Hash
	cfg.Epochs = 1
	_, err = ngebm.Train(t.Context(), backend, cfg, ngebm.Options{Runs: others})
	refused("starting from it", err)

	// A folder of runs that the user made a link is his own choice.
	linked := filepath.Join(t.TempDir(), "runs")
	if err := os.Symlink(runs, linked); err != nil {
		t.Fatal(err)
	}
	if again, err := ngebm.Train(t.Context(), backend, small(), ngebm.Options{Runs: linked}); err != nil || !again.Loaded {
		t.Errorf("through a linked folder of runs: %v", err)
	}
}

// No file of a run is read or written through a link.
func TestARunsFilesAreNoLinks(t *testing.T) {
	backend := open(t, "go")
	elsewhere, untouched := home(t)
	for _, name := range []string{"checkpoint.ngebm", "previous.ngebm", "best.ngebm", "good.ngebm", "config.json", "cost.json", "history.csv", "lock"} {
		cfg, runs := small(), t.TempDir()
		path := filepath.Join(stopped(t, backend, cfg, runs), name)
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(elsewhere, "letter.txt"), path); err != nil {
			t.Fatal(err)
		}
		if _, err := ngebm.Train(t.Context(), backend, cfg, ngebm.Options{Runs: runs}); err == nil || !strings.Contains(err.Error(), "symbolic link") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is a link: %v", name, err)
		}
		untouched()
	}
}

// stopped trains 12 steps of a configuration and returns the run's folder.
func stopped(t *testing.T, backend compute.Backend, cfg ngebm.Config, runs string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	run, err := ngebm.Train(ctx, backend, cfg, ngebm.Options{Runs: runs, Progress: stopAfter{12, cancel}})
	if !errors.Is(err, ngebm.ErrStopped) {
		t.Fatal(err)
	}
	return run.Dir
}

// What other people and programs put into a run's folder stays there.
func TestOthersFilesStayInARunFolder(t *testing.T) {
	backend, cfg, runs := open(t, "go"), small(), t.TempDir()
	dir := stopped(t, backend, cfg, runs)
	stay := []string{".gitignore", ".gitattributes", ".checkpoint.ngebm", ".nfs000123", ".checkpoint.ngebm12.bak", "notes.txt", ".DS_Store"}
	left := []string{".checkpoint.ngebm123", ".best.ngebm4", ".history.csv99", ".cost.json1", ".previous.ngebm7", ".config.json5"}
	for _, name := range append(stay, left...) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, ".best.ngebm8"), 0o755), syscall.Mkfifo(filepath.Join(dir, ".cost.json2"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := ngebm.Train(t.Context(), backend, cfg, ngebm.Options{Runs: runs}); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(stay, ".best.ngebm8", ".cost.json2") {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range left {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s, which a killed run left, is still there", name)
		}
	}
}
