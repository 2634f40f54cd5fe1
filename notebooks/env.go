package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ngebm/notebooks/internal/tempdir"
)

// goEnv is this process's environment for go commands in this repository's module,
// whatever a person has set for others, and with Go's own flags as cells have them, so
// that what is built here is found built there.
func goEnv() []string {
	env := os.Environ()
	if offline() {
		env = append(env, "GOPROXY=off")
	}
	return append(env,
		"GOWORK=off",
		"GO111MODULE=on",
		"GOFLAGS=-ldflags=-s -buildvcs=false",
		"GOTMPDIR="+os.TempDir(),
		"CGO_ENABLED=1", // for XLA
	)
}

// pipSources are the variables that say where pip finds packages and how it gets there.
// Others say what it does with them, which is for us to say.
var pipSources = []string{
	"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CONFIG_FILE", "PIP_CACHE_DIR", "PIP_NO_CACHE_DIR",
	"PIP_PROXY", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_TRUSTED_HOST", "PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES",
}

// foreign begin the variables that would lead a Python out of its own environment, and
// JupyterLab and kernels to the folders, the server or the hub of another Jupyter.
var foreign = []string{"PYTHON", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "CONDA_", "_CONDA", "PIP_", "JUPYTER", "JPY_", "IPYTHONDIR"}

// pythonEnv is this process's environment for the Python with JupyterLab, without what a
// person has set for others.
func pythonEnv() []string {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		isForeign := slices.ContainsFunc(foreign, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if !isForeign || slices.Contains(pipSources, name) {
			env = append(env, entry)
		}
	}
	return append(env, "PYTHONNOUSERSITE=1", "PYTHONUTF8=1", "PIP_REQUIRE_VIRTUALENV=false", "PIP_USER=false")
}

// useRunnableTemp lets this program, and all that it starts, keep temporary files where
// programs can be run, as Go does with cells.
func useRunnableTemp(p *place, d *display) error {
	why := tempdir.Check(os.TempDir())
	if why == nil {
		return nil
	}
	dir, err := tempdir.Runnable(filepath.Join(p.cache, "tmp"))
	if err != nil {
		return err
	}
	d.say("%v: using %q.", why, dir)
	return os.Setenv("TMPDIR", dir)
}

// checkCache refuses a cache folder that PATH cannot hold: cells find their tools there.
func checkCache(cache string) error {
	if strings.ContainsRune(cache, os.PathListSeparator) {
		return fmt.Errorf("the cache folder %q has a %q in its name, which PATH cannot hold: set XDG_CACHE_HOME to another", cache, os.PathListSeparator)
	}
	return nil
}
