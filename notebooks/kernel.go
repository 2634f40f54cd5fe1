package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// kernelVersion changes when what makeKernel makes does.
const kernelVersion = "2"

// kernelScript runs the Go kernel with a folder of its own for temporary files, which
// goes with it: one that ends in the middle of a cell leaves pipes behind. The kernel
// gets a SIGTERM by itself; the shell waits for it.
const kernelScript = `trap : TERM; t=$(mktemp -d) && TMPDIR=$t "$@"; s=$?; rm -rf "$t"; exit $s`

// makeKernel builds the Go kernel from go.mod's tools and describes it to
// Jupyter in dir/jupyter/kernels/gonb, a data folder that only we point to.
func makeKernel(ctx context.Context, p *place, tools *toolbox, dir string, d *display) error {
	if err := run(ctx, goBuild(ctx, p.root, dir, "github.com/janpfeifer/gonb", "golang.org/x/tools/cmd/goimports"), d); err != nil {
		return err
	}
	// The description names the folder that dir becomes. Jupyter puts its own
	// PATH where ${PATH} stands; ours comes first, so that cells are built with
	// the tools and the Go release that go.mod selects.
	spec, err := json.MarshalIndent(map[string]any{
		"argv":           []string{"/bin/sh", "-c", kernelScript, "kernel", filepath.Join(tools.kernel, "gonb"), "--kernel", "{connection_file}", "-logtostderr=true"},
		"display_name":   "Go (gonb)",
		"language":       "go",
		"interrupt_mode": "message",
		"env": map[string]string{
			"PATH": tools.kernel + string(os.PathListSeparator) + filepath.Join(p.goroot, "bin") + string(os.PathListSeparator) + "${PATH}",
		},
	}, "", " ")
	if err != nil {
		return err
	}
	kernel := filepath.Join(dir, "jupyter", "kernels", "gonb")
	if err := os.MkdirAll(kernel, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(kernel, "kernel.json"), spec, 0o644)
}

// makeGopls builds gopls, which completes code as it is typed, one package at a
// time: it is the largest of the tools and whatever else runs comes first.
func makeGopls(ctx context.Context, p *place, dir string, d *display) error {
	cmd := goBuild(ctx, p.goplsModule(), dir, "-p=1", "golang.org/x/tools/gopls")
	return run(ctx, cmd, d)
}

// goplsModule is the folder of the module that pins gopls; see its go.mod.
func (p *place) goplsModule() string { return filepath.Join(p.notebooks, "gopls") }

// goBuild builds programs that the module in folder from pins into folder to.
func goBuild(ctx context.Context, from, to string, args ...string) *exec.Cmd {
	cmd := command(ctx, "go", append([]string{"build", "-v", "-o", to + string(os.PathSeparator)}, args...)...)
	cmd.Dir, cmd.Env = from, goEnv()
	return cmd
}

// goEnv is this process's environment with Go's own flags as cells have them, so
// that what is built here is found built there.
func goEnv() []string {
	return append(os.Environ(), "GOWORK=off", "GOFLAGS=-ldflags=-s -buildvcs=false")
}

// warmUp builds the packages that cells import, so that the first cell need not
// wait for them. Go's build cache makes it quick when nothing has changed. A
// package that does not compile is no reason to keep the notebooks closed: the
// cells that import it will say the same.
func warmUp(ctx context.Context, p *place, d *display) error {
	d.begin("Go packages that notebooks import")
	cmd := command(ctx, "go", "build", "-v", "./...")
	cmd.Dir, cmd.Env = p.root, goEnv()
	err := run(ctx, cmd, d)
	switch {
	case err == nil:
		d.done("built")
	case ctx.Err() != nil:
		d.done("stopped")
		return err
	default:
		d.done("failed")
		d.say("%v\nCells that import what does not compile will fail in the same way.", err)
	}
	return nil
}

// getXLA makes the CPU plugin of XLA available through the project's command, so
// that this program need not be linked with XLA, and passes on what that says
// about devices: where no XLA can be had networks run in pure Go, slowly.
func getXLA(ctx context.Context, p *place, d *display) error {
	cmd := command(ctx, "go", "run", module+"/ngebm/cmd/ngebm", "devices")
	cmd.Dir, cmd.Env = p.root, goEnv()
	var devices bytes.Buffer
	cmd.Stdout = &devices
	if err := run(ctx, cmd, d); err != nil {
		return err
	}
	d.say("%s", strings.TrimRight(devices.String(), "\n"))
	return nil
}
