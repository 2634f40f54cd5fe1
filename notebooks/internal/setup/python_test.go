package setup

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ngebm/notebooks/internal/display"
)

// Offline, pip is not asked for packages unless a folder has them, and then looks nowhere
// else; Go does not look for modules.
func TestOffline(t *testing.T) {
	dir := t.TempDir()
	base, log, wheels := filepath.Join(dir, "python3"), filepath.Join(dir, "log"), filepath.Join(dir, "wheels")
	script := `#!/bin/sh
echo "$* $PIP_REQUIRE_VIRTUALENV $PIP_USER $PIP_FIND_LINKS $PIP_CONFIG_FILE" >> '` + log + `'
[ "$2" != venv ] || { mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; }
`
	if err := os.WriteFile(base, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(wheels, 0o755); err != nil {
		t.Fatal(err)
	}
	install := func(offline, links string) (ran string, err error) {
		t.Helper()
		t.Setenv(offlineEnv, offline)
		t.Setenv("PIP_FIND_LINKS", links)
		t.Setenv("PIP_CONFIG_FILE", "")
		err = makeVenv(t.Context(), python{path: base}, filepath.Join(t.TempDir(), "venv"), display.New(io.Discard))
		text, readErr := os.ReadFile(log)
		if readErr != nil {
			t.Fatal(readErr)
		}
		_, ran, _ = strings.Cut(string(text), "\n") // less the making of the environment
		if err := os.Remove(log); err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(GoEnv(), "GOPROXY=off"); got != (offline == "1") {
			t.Errorf("%s=%s: Go looks for modules: %v", offlineEnv, offline, !got)
		}
		return ran, err
	}
	for _, links := range []string{"", "https://127.0.0.1/wheels", filepath.Join(dir, "nowhere")} {
		ran, err := install("1", links)
		if err == nil || !strings.Contains(err.Error(), "pip download") || !strings.Contains(err.Error(), "$PIP_FIND_LINKS") {
			t.Errorf("with links %q: %v", links, err)
		}
		if ran != "" {
			t.Errorf("with links %q it ran %q", links, ran)
		}
	}
	ran, err := install("1", wheels)
	if err != nil || !strings.Contains(ran, "--require-hashes") || !strings.HasSuffix(ran, "--no-index --find-links="+wheels+" false false  "+os.DevNull+"\n") {
		t.Errorf("with a folder: %v, %q", err, ran)
	}
	if ran, err := install("0", ""); err != nil || !strings.Contains(ran, "pip install") || strings.Contains(ran, "--no-index") {
		t.Errorf("online: %v, %q", err, ran)
	}
}
