package setup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A cache folder that PATH cannot hold, or from which nothing can be run, is named.
func TestCheckCache(t *testing.T) {
	cache := t.TempDir()
	if err := CheckCache(cache); err != nil {
		t.Error(err)
	}
	for _, useless := range []string{"/home/ada/a:b", filepath.Join(cache, "missing")} {
		if err := CheckCache(useless); err == nil || !strings.Contains(err.Error(), "set XDG_CACHE_HOME to ") {
			t.Errorf("%s: %v", useless, err)
		}
	}
}

// Relative folders are those in the folder where the program is started.
func TestAbsoluteFolders(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, value, want string }{
		{"NGEBM_DATA", "data", filepath.Join(here, "data")},
		{"NGEBM_RUNS", "./0", filepath.Join(here, "0")},
		{"NGEBM_RUNS", "0", filepath.Join(here, "0")},
		{"NGEBM_RUNS", "", ""},
		{"NGEBM_DATA", "/data", "/data"},
		{"NGEBM_COMPILE_CACHE", "compiled", filepath.Join(here, "compiled")},
		{"NGEBM_COMPILE_CACHE", "0", "0"},
	} {
		t.Setenv(c.name, c.value)
		if err := AbsoluteFolders(); err != nil || os.Getenv(c.name) != c.want {
			t.Errorf("%s=%q becomes %q, not %q (%v)", c.name, c.value, os.Getenv(c.name), c.want, err)
		}
	}
}

// What a person forbids pip holds in cells, too. What pip needs to install JupyterLab is not set
// for them.
func TestPythonEnvOfPip(t *testing.T) {
	t.Setenv("PIP_REQUIRE_VIRTUALENV", "true")
	env := slices.DeleteFunc(PythonEnv(), func(entry string) bool {
		return !strings.HasPrefix(entry, "PIP_REQUIRE_") && !strings.HasPrefix(entry, "PIP_USER")
	})
	if !slices.Equal(env, []string{"PIP_REQUIRE_VIRTUALENV=true"}) {
		t.Errorf("%q", env)
	}
}
