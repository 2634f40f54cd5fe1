package setup

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ngebm/ngebm/device/pythonenv"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/tempdir"
)

// GoEnv is this process's environment for go commands in this repository's module,
// whatever a person has set for others, and with Go's own flags as cells have them, so
// that what is built here is found built there.
func GoEnv() []string {
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

// AbsoluteFolders makes the folders that this project's variables name absolute, as from the working
// folder: notebooks run in other folders.
func AbsoluteFolders() error {
	for _, name := range []string{"NGEBM_DATA", "NGEBM_RUNS", "NGEBM_COMPILE_CACHE"} {
		folder := os.Getenv(name)
		if folder == "" || name == "NGEBM_COMPILE_CACHE" && folder == "0" { // that one means none
			continue
		}
		folder, err := filepath.Abs(folder)
		if err != nil {
			return err
		}
		if err := os.Setenv(name, folder); err != nil {
			return err
		}
	}
	return nil
}

// PythonEnv is this process's environment for the Python with JupyterLab, without what a
// person has set for another, or for another Jupyter: its folders, server or hub.
func PythonEnv() []string {
	return append(pythonenv.Own(os.Environ(), "JUPYTER", "JPY_", "IPYTHONDIR"),
		"PYTHONNOUSERSITE=1", "PYTHONUTF8=1")
}

// UseRunnableTemp lets this program, and all that it starts, keep temporary files where
// programs can be run, as Go does with cells.
func UseRunnableTemp(p *Workspace, d *display.Display) error {
	why := tempdir.Check(os.TempDir())
	if why == nil {
		return nil
	}
	dir, err := tempdir.Runnable(filepath.Join(p.Cache, "tmp"))
	if err != nil {
		return err
	}
	d.Say("%v: temporary files go to %q.", why, dir)
	return os.Setenv("TMPDIR", dir)
}

// CheckCache refuses a cache folder that is of no use for the programs in it: one that
// PATH cannot hold, by which cells find their tools, or from which nothing can be run.
func CheckCache(cache string) error {
	if strings.ContainsRune(cache, os.PathListSeparator) {
		return fmt.Errorf("the cache folder %q has a %q in its name, which PATH cannot hold: set XDG_CACHE_HOME to another", cache, os.PathListSeparator)
	}
	if err := tempdir.Check(cache); err != nil {
		return fmt.Errorf("%w; set XDG_CACHE_HOME to a folder whose programs may be run", err)
	}
	return nil
}
