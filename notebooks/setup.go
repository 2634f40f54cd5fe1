package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ngebm/data/files"
)

// module is the path in this repository's go.mod.
const module = "ngebm"

// place is where everything is: the repository and, outside it, the folder that
// set-up fills. The latter is named by what its content is made from, so that
// clones with the same pins share it and a changed pin gets a new one.
type place struct {
	root      string // of the repository: the folder of go.mod
	notebooks string // root/notebooks
	goroot    string // of the Go release that go.mod selects
	version   string // of that release, "go1.26.5"
	cache     string // ngebm in the user's cache folder
	pins      string // hash of go.mod, go.sum and the Go release
	goplsPins string // hash of those that pin gopls, and the Go release
}

// newPlace finds the repository around the working folder.
func newPlace(ctx context.Context) (*place, error) {
	cmd := command(ctx, "go", "env", "-json", "GOMOD", "GOROOT", "GOVERSION")
	cmd.Env = goEnv()
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("cannot run go: %w; is Go's bin folder on PATH?", err)
	}
	var env struct{ GOMOD, GOROOT, GOVERSION string }
	if err := json.Unmarshal(out, &env); err != nil {
		return nil, fmt.Errorf("cannot read the answer of go env: %w", err)
	}
	text, err := os.ReadFile(env.GOMOD)
	if err != nil || !strings.HasPrefix(string(text), "module "+module+"\n") {
		here, _ := os.Getwd()
		return nil, fmt.Errorf("%s is not inside a clone of %s: change to its folder first", here, module)
	}
	sum, err := os.ReadFile(strings.TrimSuffix(env.GOMOD, "mod") + "sum")
	if err != nil {
		return nil, err
	}
	caches, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("no cache folder: %w; set HOME", err)
	}
	root := filepath.Dir(env.GOMOD)
	// Missing where a test has only the rest of the repository: completion will be missing too.
	goplsPins, _ := os.ReadFile(filepath.Join(root, "notebooks", "gopls", "go.sum"))
	return &place{
		root:      root,
		notebooks: filepath.Join(root, "notebooks"),
		goroot:    env.GOROOT,
		version:   env.GOVERSION,
		cache:     filepath.Join(caches, module),
		pins:      hash(string(text), string(sum), env.GOROOT, env.GOVERSION),
		goplsPins: hash(string(goplsPins), env.GOROOT, env.GOVERSION),
	}, nil
}

// hash names content by what it is made from.
func hash(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d %s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// toolbox is what set-up leaves behind.
type toolbox struct {
	python string // of the environment with JupyterLab
	kernel string // folder with gonb, goimports and the kernel's description
	gopls  string // folder with gopls, for completion; it may not be there
}

// setUp makes whatever is missing, saying so on d. All of it is done in steps
// that can be interrupted at any moment and begun again.
func setUp(ctx context.Context, p *place, d *display) (*toolbox, error) {
	tools, err := setUpPages(ctx, p, d)
	if err != nil {
		return nil, err
	}
	err = ensure(ctx, tools.kernel, "Go kernel for notebooks", d, func(ctx context.Context, dir string) error {
		return makeKernel(ctx, p, tools, dir, d)
	})
	if err != nil {
		return nil, err
	}
	if err := warmUp(ctx, p, d); err != nil {
		return nil, err
	}
	return tools, ensure(ctx, p.folder("xla", p.pins), "XLA, the compiler that trains the networks", d, func(ctx context.Context, _ string) error {
		return getXLA(ctx, p, d)
	})
}

// setUpPages is as much of setUp as makes pages of notebooks that have run: the
// Python of the toolbox.
func setUpPages(ctx context.Context, p *place, d *display) (*toolbox, error) {
	if err := os.MkdirAll(p.cache, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make %s: %w; set XDG_CACHE_HOME to a folder that can be written", p.cache, err)
	}
	if err := ownCache(p.cache); err != nil {
		return nil, err
	}
	if err := checkCache(p.cache); err != nil {
		return nil, err
	}
	base, err := findPython(ctx)
	if err != nil {
		return nil, err
	}
	venv := p.folder("python", base.version, requirements)
	tools := &toolbox{
		python: filepath.Join(venv, "bin", "python"),
		kernel: p.folder("kernel", p.pins+kernelVersion()),
		gopls:  p.folder("gopls", p.goplsPins),
	}
	if _, err := os.Stat(venv); err != nil {
		d.say("Setting up in %s: some minutes and about 1 GB, this once.", p.cache)
	}
	return tools, ensure(ctx, venv, "Python environment with JupyterLab", d, func(ctx context.Context, dir string) error {
		return makeVenv(ctx, base, dir, d)
	})
}

// folder names a folder of the cache after what it is made from.
func (p *place) folder(kind string, parts ...string) string {
	return filepath.Join(p.cache, kind+"-"+hash(parts...))
}

// ensure makes a folder unless it is there. It is made under another name and
// renamed when whole; a second process that needs it meanwhile waits.
func ensure(ctx context.Context, folder, task string, d *display, make func(ctx context.Context, dir string) error) error {
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	d.begin(task)
	err := makeLocked(ctx, folder, d, make)
	switch {
	case err == nil:
		d.done("ready")
	case ctx.Err() != nil:
		d.done("stopped")
	default:
		d.done("failed")
	}
	return err
}

func makeLocked(ctx context.Context, folder string, d *display, make func(ctx context.Context, dir string) error) error {
	unlock, err := files.Lock(ctx, folder+".lock", func() { fmt.Fprintln(d, "waiting for another process that is making it") })
	if err != nil {
		return fmt.Errorf("cannot lock: %w", err)
	}
	fmt.Fprintln(d, "starting")
	defer unlock()
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	unfinished := folder + ".unfinished" // what an earlier attempt left, if it was killed
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := os.Mkdir(unfinished, 0o755); err != nil {
		return err
	}
	if err := make(ctx, unfinished); err != nil {
		os.RemoveAll(unfinished)
		return err
	}
	return os.Rename(unfinished, folder)
}
