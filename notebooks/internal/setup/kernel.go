package setup

import (
	"bytes"
	"context"
	"embed"
	_ "embed"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"ngebm/notebooks/internal/digest"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/proc"
	"ngebm/notebooks/internal/tempdir"
)

// kernelSource is the program that starts GoNB; see there.
//
//go:embed kernel/*.go
var kernelSource embed.FS

// KernelVersion names what makeKernel makes: it changes with the number here, and with
// the program that starts GoNB.
func KernelVersion() string {
	parts := []string{"3"}
	for _, source := range []embed.FS{kernelSource, tempdir.Source} {
		err := fs.WalkDir(source, ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			content, err := source.ReadFile(path)
			parts = append(parts, path, string(content))
			return err
		})
		if err != nil { // what is embedded can be read
			panic(err)
		}
	}
	return digest.Of(parts...)
}

// makeKernel builds the Go kernel, from go.mod's tools and the program that starts it, and
// describes it to Jupyter in dir/jupyter/kernels/gonb, a data folder that only we point to.
func makeKernel(ctx context.Context, p *Workspace, tools *Tools, dir string, d *display.Display) error {
	err := proc.Run(ctx, goBuild(ctx, p.Root, dir, "github.com/janpfeifer/gonb", "golang.org/x/tools/cmd/goimports", Module+"/notebooks/internal/setup/kernel"), d)
	if err != nil {
		return err
	}
	as := filepath.Join(dir, "as") // where the kernel is the go of its cells, and GoNB's gopls
	if err := os.Mkdir(as, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"go", "gopls"} {
		if err := os.Link(filepath.Join(dir, "kernel"), filepath.Join(as, name)); err != nil {
			return err
		}
	}
	// The description names the folder that dir becomes.
	spec, err := json.MarshalIndent(map[string]any{
		"argv":           []string{filepath.Join(tools.Kernel, "kernel"), p.goroot, "{connection_file}"},
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

// GoplsVariable is the variable of the environment that names the folder with gopls to kernels
// that complete code, as its program has it. Others start none.
const GoplsVariable = "NGEBM_KERNEL_GOPLS"

// ProjectVariable is the variable of the environment that names this project's folder to kernels, as
// their program has it: cells of a notebook that is in no module can import its packages.
const ProjectVariable = "NGEBM_KERNEL_PROJECT"

// makeGopls builds gopls, which completes code as it is typed, one package at a
// time: it is the largest of the tools and whatever else runs comes first.
func makeGopls(ctx context.Context, p *Workspace, dir string, d *display.Display) error {
	cmd := goBuild(ctx, p.goplsModule(), dir, "-p=1", "golang.org/x/tools/gopls")
	return proc.Run(ctx, cmd, d)
}

// goplsModule is the folder of the module that pins gopls; see its go.mod.
func (p *Workspace) goplsModule() string {
	return filepath.Join(p.Notebooks, "internal", "setup", "gopls")
}

// goBuild builds programs that the module in folder from pins into folder to.
func goBuild(ctx context.Context, from, to string, args ...string) *exec.Cmd {
	cmd := proc.Command(ctx, "go", append([]string{"build", "-v", "-o", to + string(os.PathSeparator)}, args...)...)
	// Where a build that is stopped leaves its temporary folder, it is removed with to.
	cmd.Dir, cmd.Env = from, append(GoEnv(), "GOTMPDIR="+to)
	return cmd
}

// cellPackages are the folders of packages that, with those that they import, cells import.
var cellPackages = []string{"notebooks/nb", "plots"}

// warmUp builds the packages that cells import, so that the first cell need not
// wait for them. Go's build cache makes it quick when nothing has changed. A
// package that does not compile is no reason to keep the notebooks closed: the
// cells that import it will say the same.
func warmUp(ctx context.Context, p *Workspace, d *display.Display) error {
	build := []string{"build", "-v"}
	for _, folder := range cellPackages {
		if _, err := os.Stat(filepath.Join(p.Root, folder)); err == nil { // tests have modules without them
			build = append(build, "./"+folder+"/...")
		}
	}
	d.Begin("Go packages that notebooks import")
	cmd := proc.Command(ctx, "go", build...)
	cmd.Dir, cmd.Env = p.Root, GoEnv()
	var err error
	if len(build) > 2 {
		err = proc.Run(ctx, cmd, d)
	}
	switch {
	case err == nil:
		d.Done("built")
	case ctx.Err() != nil:
		d.Done("stopped")
		return err
	default:
		d.Done("failed")
		d.Say("%v\nCells that import what does not compile will fail in the same way.", err)
	}
	return nil
}

// getXLA makes the CPU plugin of XLA available through the project's command, so
// that this program need not be linked with XLA, and passes on what that says
// about devices: where no XLA is available networks run in pure Go, slowly.
//
// errNoXLA is its error where there is none.
func getXLA(ctx context.Context, p *Workspace, d *display.Display) error {
	cmd := proc.Command(ctx, "go", "run", Module+"/ngebm/cmd/ngebm", "devices")
	cmd.Dir, cmd.Env = p.Root, GoEnv()
	var devices bytes.Buffer
	cmd.Stdout = &devices
	if err := proc.Run(ctx, cmd, d); err != nil {
		return err
	}
	d.Say("%s", strings.TrimRight(devices.String(), "\n"))
	if noXLA.MatchString(devices.String()) {
		return errNoXLA
	}
	return nil
}

// noXLA matches the line of ngebm devices that says that there is no XLA for the CPU.
var noXLA = regexp.MustCompile(`(?m)^\W*cpu +not available`)

var errNoXLA = errors.New("XLA is not available: networks run in pure Go, slowly; the next start tries again")

// Completion builds gopls if it is missing.
func Completion(ctx context.Context, p *Workspace, tools *Tools, d *display.Display) error {
	return Ensure(ctx, tools.Gopls, "Code completion", d, func(ctx context.Context, dir string) error {
		return makeGopls(ctx, p, dir, d)
	})
}
