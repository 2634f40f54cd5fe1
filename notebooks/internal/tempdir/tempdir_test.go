package tempdir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A folder for temporary files is taken as it is where it is of use, else the fallback.
func TestRunnable(t *testing.T) {
	usual, fallback := t.TempDir(), filepath.Join(t.TempDir(), "a", "b")
	for dir, want := range map[string]string{
		usual:                           usual,
		filepath.Join(usual, "missing"): fallback,
	} {
		t.Setenv("TMPDIR", dir)
		if got, err := Runnable(fallback); got != want || err != nil {
			t.Errorf("for %s: %s, %v; want %s", dir, got, err, want)
		}
		if left, _ := filepath.Glob(filepath.Join(want, "*")); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	}
	file := filepath.Join(usual, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", filepath.Join(usual, "missing"))
	if _, err := Runnable(filepath.Join(file, "below")); err == nil || !strings.Contains(err.Error(), "set TMPDIR to a folder whose programs may be run") {
		t.Errorf("with no folder of use: %v", err)
	}
}
