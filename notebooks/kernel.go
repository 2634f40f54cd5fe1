package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// kernelSource is the program that starts GoNB; see there.
//
//go:embed internal/kernel/*.go internal/tempdir/*.go
var kernelSource embed.FS

// kernelVersion names what makeKernel makes: it changes with the number here, and with
// the program that starts GoNB.
func kernelVersion() string {
	parts := []string{"3"}
	must := func(err error) {
		if err != nil { // what is embedded can be read
			panic(err)
		}
	}
	must(fs.WalkDir(kernelSource, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := kernelSource.ReadFile(path)
		parts = append(parts, path, string(content))
		return err
	}))
	return hash(parts...)
}

// makeKernel builds the Go kernel, from go.mod's tools and the program that starts it, and
// describes it to Jupyter in dir/jupyter/kernels/gonb, a data folder that only we point to.
func makeKernel(ctx context.Context, p *place, tools *toolbox, dir string, d *display) error {
	err := run(ctx, goBuild(ctx, p.root, dir, "github.com/janpfeifer/gonb", "golang.org/x/tools/cmd/goimports", module+"/notebooks/internal/kernel"), d)
	if err != nil {
		return err
	}
	as := filepath.Join(dir, "as") // where the kernel is the go of its cells
	if err := os.Mkdir(as, 0o755); err != nil {
		return err
	}
	if err := os.Link(filepath.Join(dir, "kernel"), filepath.Join(as, "go")); err != nil {
		return err
	}
	// The description names the folder that dir becomes.
	spec, err := json.MarshalIndent(map[string]any{
		"argv":           []string{filepath.Join(tools.kernel, "kernel"), p.goroot, "{connection_file}"},
		"display_name":   "Go (gonb)",
		"language":       "go",
		"interrupt_mode": "message",
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
