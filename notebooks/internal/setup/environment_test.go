package setup

import (
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
