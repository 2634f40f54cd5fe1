// Package setup finds the repository and makes what the notebooks need in the user's cache
// folder: a Python environment with JupyterLab, the Go kernel, XLA and code completion.
package setup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"ngebm/notebooks/internal/digest"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/proc"
	"ngebm/notebooks/internal/tempdir"
)

// Module is the path in this repository's go.mod.
const Module = "ngebm"

// Workspace is where everything is: the repository and, outside it, the folder that
// set-up fills. The latter is named by what its content is made from, so that
// clones with the same pins share it and a changed pin gets a new one.
type Workspace struct {
	Root      string   // of the repository: the folder of go.mod
	Notebooks string   // root/notebooks
	goroot    string   // of the Go release that go.mod selects
	Version   string   // of that release, "go1.26.5"
	Cache     string   // ngebm in the user's cache folder
	Pins      string   // hash of go.mod, go.sum and the Go release
	goplsPins string   // hash of those that pin gopls, and the Go release
	goCaches  []string // of modules and of builds
}

// FindWorkspace finds the repository around the working folder.
func FindWorkspace(ctx context.Context) (*Workspace, error) {
	cmd := proc.Command(ctx, "go", "env", "-json", "GOMOD", "GOROOT", "GOVERSION", "GOMODCACHE", "GOCACHE")
	cmd.Env = GoEnv()
	out, err := proc.Output(ctx, cmd)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("there is no go command on PATH: add Go's bin folder to it")
	case err != nil:
		return nil, err
	}
	var env struct{ GOMOD, GOROOT, GOVERSION, GOMODCACHE, GOCACHE string }
	if err := json.Unmarshal(out, &env); err != nil {
		return nil, fmt.Errorf("cannot read the answer of go env: %w", err)
	}
	text, err := os.ReadFile(env.GOMOD)
	if err != nil || !strings.HasPrefix(string(text), "module "+Module+"\n") {
		here, _ := os.Getwd()
		return nil, fmt.Errorf("%s is not inside a clone of %s: change to its folder first", here, Module)
	}
	sum, err := os.ReadFile(strings.TrimSuffix(env.GOMOD, "mod") + "sum")
	if err != nil {
		return nil, err
	}
	caches, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("no cache folder: %w; set XDG_CACHE_HOME to an absolute path, or leave it out and set HOME", err)
	}
	root := filepath.Dir(env.GOMOD)
	// Missing where a test has only the rest of the repository: completion will be missing too.
	goplsPins, _ := os.ReadFile(filepath.Join(root, "notebooks", "internal", "setup", "gopls", "go.sum"))
	return &Workspace{
		Root:      root,
		Notebooks: filepath.Join(root, "notebooks"),
		goroot:    env.GOROOT,
		Version:   env.GOVERSION,
		Cache:     filepath.Join(caches, Module),
		goCaches:  []string{env.GOMODCACHE, env.GOCACHE},
		Pins:      digest.Of(string(text), string(sum), env.GOROOT, env.GOVERSION),
		goplsPins: digest.Of(string(goplsPins), env.GOROOT, env.GOVERSION),
	}, nil
}

// Caches are the folders of caches that outputs may name: this program's, Go's, and that of
// datasets.
func (w *Workspace) Caches() []string {
	return append([]string{w.Cache, os.Getenv("NGEBM_DATA")}, w.goCaches...)
}

// Tools is what set-up leaves behind.
type Tools struct {
	Python string // of the environment with JupyterLab
	Kernel string // folder with gonb, goimports and the kernel's description
	Gopls  string // folder with gopls, for completion; it may not be there
}

// All makes whatever is missing, saying so on d. All of it is done in steps
// that can be interrupted at any moment and begun again.
func All(ctx context.Context, p *Workspace, d *display.Display) (*Tools, error) {
	tools, err := ForPages(ctx, p, d)
	if err != nil {
		return nil, err
	}
	err = Ensure(ctx, tools.Kernel, "Go kernel for notebooks", d, func(ctx context.Context, dir string) error {
		return makeKernel(ctx, p, tools, dir, d)
	})
	if err != nil {
		return nil, err
	}
	if err := warmUp(ctx, p, d); err != nil {
		return nil, err
	}
	err = Ensure(ctx, p.Folder("xla", p.Pins), "XLA, the compiler that trains the networks", d, func(ctx context.Context, _ string) error {
		return getXLA(ctx, p, d)
	})
	if errors.Is(err, errNoXLA) {
		d.Say("%v", err)
		err = nil
	}
	return tools, err
}

// ForPages is as much of All as makes pages of notebooks that have run: the
// Python of the toolbox.
func ForPages(ctx context.Context, p *Workspace, d *display.Display) (*Tools, error) {
	if err := os.MkdirAll(p.Cache, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make %s: %w; set XDG_CACHE_HOME to a folder that can be written", p.Cache, err)
	}
	if err := tempdir.CheckOwn(p.Cache); err != nil {
		return nil, err
	}
	if err := os.Chmod(p.Cache, 0o700); err != nil { // who can read a lock can hold it
		return nil, fmt.Errorf("cannot keep others out of %s: %w; set XDG_CACHE_HOME to a folder of yours", p.Cache, err)
	}
	if err := CheckCache(p.Cache); err != nil {
		return nil, err
	}
	base, err := findPython(ctx)
	if err != nil {
		return nil, err
	}
	venv := p.Folder("python", base.version, requirements)
	tools := &Tools{
		Python: filepath.Join(venv, "bin", "python"),
		Kernel: p.Folder("kernel", p.Pins+KernelVersion()),
		Gopls:  p.Folder("gopls", p.goplsPins),
	}
	if _, err := os.Stat(venv); err != nil {
		d.Say("Setting up in %s: some minutes and about 1 GB, this once.", p.Cache)
	}
	return tools, Ensure(ctx, venv, "Python environment with JupyterLab", d, func(ctx context.Context, dir string) error {
		return makeVenv(ctx, base, dir, d)
	})
}

// Folder names a folder of the cache after what it is made from.
func (p *Workspace) Folder(kind string, parts ...string) string {
	return filepath.Join(p.Cache, kind+"-"+digest.Of(parts...))
}
