package setup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Outside a clone the program says where it has to be run.
func TestOutsideClone(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := FindWorkspace(t.Context())
	if err == nil || !strings.Contains(err.Error(), "is not inside a clone of ngebm") {
		t.Errorf("%v", err)
	}
}

// A go that is missing, one that fails and a cache folder that has no place are told apart.
func TestFindWorkspaceFails(t *testing.T) {
	fails := t.TempDir()
	if err := os.WriteFile(filepath.Join(fails, "go"), []byte("#!/bin/sh\necho unknown directive >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, variable, value, says, never string }{
		{"no go", "PATH", t.TempDir(), "there is no go command on PATH", "XDG_CACHE_HOME"},
		{"a go that fails", "PATH", fails, "unknown directive", "PATH"},
		{"a relative cache folder", "XDG_CACHE_HOME", "cache", "set XDG_CACHE_HOME to an absolute path", "PATH"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(test.variable, test.value)
			if _, err := os.UserCacheDir(); err == nil && test.variable != "PATH" {
				t.Skip("SKIPPED: this system's cache folder has no variable")
			}
			_, err := FindWorkspace(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), test.never) {
				t.Errorf("%v", err)
			}
		})
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := FindWorkspace(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("after Ctrl-C: %v", err)
	}
}
