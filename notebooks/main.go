// Command notebooks opens this folder's notebooks in JupyterLab with a Go kernel,
// setting up whatever is missing, and publishes them as pages.
//
//	go run ./notebooks
//	go run ./notebooks setup
//	go run ./notebooks publish -o site [-w] [-force] [-html-only] [name…]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"ngebm/data/nearest"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/lab"
	"ngebm/notebooks/internal/printable"
	"ngebm/notebooks/internal/proc"
	"ngebm/notebooks/internal/publish"
	"ngebm/notebooks/internal/setup"
)

const usage = `Opens this repository's notebooks in JupyterLab, with Go as their language.

usage:
  go run ./notebooks [-no-browser] [-port N]     set up what is missing, open JupyterLab
  go run ./notebooks setup                       only set up
  go run ./notebooks publish -o DIR [-w] [-force] [-jobs N] [-timeout T] [-total T] [name…]
                                                 run notebooks, make web pages of them
  go run ./notebooks publish -o DIR -html-only [name…]
                                                 make pages of the outputs that are stored

publish runs the notebooks whose text, imported packages, pinned modules or data
in them have changed since they ran; -force runs all, as it should be after a change
of other files that a notebook reads. Some run at once, but those that measure
times ("alone" in their metadata) last and one by one. It writes nothing unless
every one runs without a failure, names no folder of this machine (home, repository, caches;
temporary files, but in code) and holds nothing that looks like a token, in code,
text, outputs, attachments or metadata. A notebook that is run is code, with your
rights. With -html-only none is run or trusted: pages take pictures from files in
the notebook's folder only, and of its HTML what can neither run nor load anything,
whether it was run or not; see .github/SECURITY.md.
The first set-up takes some minutes and about 1 GB below the user's cache folder;
nothing else on the machine is changed. Later starts take seconds.

flags, before or after the command:
%s
examples:
  go run ./notebooks -port 9000                  JupyterLab on a port of your choice
  go run ./notebooks -no-browser                 only print the address to open
  go run ./notebooks publish -o site             all notebooks; then open site/index.html
  go run ./notebooks publish -o site -html-only  the same in seconds, nothing is run
  go run ./notebooks publish -w 00_start_here    store the fresh outputs in the notebook
`

// options are what the command line says.
type options struct {
	command   string // "lab", "setup" or "publish"
	noBrowser bool
	port      int
	publish   publish.Options
}

// commands says which flags go with which command.
var commands = map[string][]string{
	"lab":     {"no-browser", "port"},
	"setup":   {},
	"publish": {"o", "w", "force", "html-only", "jobs", "timeout", "total"},
}

func main() {
	err := mainError(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "notebooks:", printable.Plain(err.Error()))
		os.Exit(1)
	}
}

func mainError(args []string) error {
	opts, err := parse(args, os.Stdout)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx = untilGoRunEnds(ctx)
	if err := proc.AdoptOrphans(); err != nil {
		return err
	}
	defer proc.KillFamily()
	err = opts.carryOut(ctx)
	switch {
	case err == nil || ctx.Err() == nil:
		return err
	case errors.Is(err, context.Canceled):
		return errors.New("stopped; nothing is left half made")
	}
	return fmt.Errorf("stopped: %w", err)
}

func (o *options) carryOut(ctx context.Context) error {
	if err := setup.AbsoluteFolders(); err != nil {
		return err
	}
	p, err := setup.FindWorkspace(ctx)
	if err != nil {
		return err
	}
	d := display.New(os.Stdout)
	if err := setup.UseRunnableTemp(p, d); err != nil {
		return err
	}
	if o.command == "publish" {
		// Before the set-up: a wrong name should not have to wait for it.
		if err := o.publish.Find(p.Notebooks); err != nil {
			return err
		}
	}
	prepare := setup.All
	if o.publish.HTMLOnly {
		prepare = setup.ForPages
	}
	tools, err := prepare(ctx, p, d)
	if err != nil {
		return err
	}
	switch o.command {
	case "setup":
		return setup.Completion(ctx, p, tools, d)
	case "publish":
		return publish.Notebooks(ctx, p, tools, o.publish, d)
	default:
		return lab.Open(ctx, p, tools, o.port, !o.noBrowser, d)
	}
}

// parse reads the command line. Help goes to out.
func parse(args []string, out io.Writer) (*options, error) {
	o := &options{command: "lab"}
	flags := flag.NewFlagSet("notebooks", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&o.noBrowser, "no-browser", false, "print the address instead of opening a browser")
	flags.IntVar(&o.port, "port", 0, "serve on port `N` (default 8888, or any free one if that is taken)")
	flags.StringVar(&o.publish.Out, "o", "", "write the pages into folder `DIR`")
	flags.BoolVar(&o.publish.Write, "w", false, "store the outputs in the notebooks themselves")
	flags.BoolVar(&o.publish.Force, "force", false, "run notebooks that have not changed, too")
	flags.BoolVar(&o.publish.HTMLOnly, "html-only", false, "make pages of the outputs that the notebooks hold; run nothing")
	flags.IntVar(&o.publish.Jobs, "jobs", min(runtime.NumCPU(), 4), "run `N` notebooks at once")
	flags.DurationVar(&o.publish.CellLimit, "timeout", 5*time.Minute, "longest `T` a single cell may take")
	flags.DurationVar(&o.publish.TotalLimit, "total", 30*time.Minute, "longest `T` a whole notebook may take")

	var words []string
	for len(args) > 0 {
		if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			var text strings.Builder
			flags.SetOutput(&text)
			flags.PrintDefaults()
			fmt.Fprintf(out, usage, text.String())
			return nil, err
		} else if err != nil {
			return nil, fmt.Errorf("%w; -h explains", nearest.Flag(flags, err))
		}
		args = flags.Args()
		if len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	if len(words) > 0 {
		o.command, o.publish.Names = words[0], words[1:]
	}
	allowed, ok := commands[o.command]
	switch {
	case !ok:
		return nil, fmt.Errorf("unknown command %q%s: setup, publish, or none to open JupyterLab; -h explains", o.command, nearest.Hint(o.command, slices.Collect(maps.Keys(commands))))
	case o.command != "publish" && len(o.publish.Names) > 0:
		return nil, fmt.Errorf("unexpected %q after %s; -h explains", o.publish.Names[0], o.command)
	case o.command == "publish" && o.publish.Out == "" && !o.publish.Write:
		return nil, errors.New("publish needs -o DIR for pages, or -w to store outputs in the notebooks")
	case o.publish.HTMLOnly && (o.publish.Write || o.publish.Force):
		return nil, errors.New("-html-only runs nothing: leave out -w and -force")
	case o.port < 0 || o.port > 65535:
		return nil, fmt.Errorf("-port %d: a port is a number from 1 to 65535", o.port)
	case o.publish.Jobs < 1:
		return nil, fmt.Errorf("-jobs %d: at least 1 notebook runs at once", o.publish.Jobs)
	case o.publish.CellLimit <= 0 || o.publish.TotalLimit <= 0:
		return nil, fmt.Errorf("-timeout %v -total %v: both must be above zero, as in 90s or 10m", o.publish.CellLimit, o.publish.TotalLimit)
	}
	var err error
	flags.Visit(func(f *flag.Flag) {
		if !slices.Contains(allowed, f.Name) {
			err = fmt.Errorf("-%s has no meaning for %s; -h explains", f.Name, o.command)
		}
		if o.publish.HTMLOnly && slices.Contains([]string{"jobs", "timeout", "total"}, f.Name) {
			err = fmt.Errorf("-html-only runs nothing: leave out -%s", f.Name)
		}
	})
	return o, err
}

// madeByGoRun matches the programs that go run starts: in a temporary folder, or, from Go 1.24 on, in the
// build cache, wherever that is.
var madeByGoRun = regexp.MustCompile(`/go-build|/[0-9a-f]{2}/[0-9a-f]{64}-d/[^/]+$`)

// untilGoRunEnds ends the context when "go run", which started this program, is
// gone: it dies of a SIGTERM without passing it on.
func untilGoRunEnds(ctx context.Context) context.Context {
	parent := os.Getppid()
	exe, err := os.Executable()
	if err != nil || !madeByGoRun.MatchString(filepath.ToSlash(exe)) {
		return ctx
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for os.Getppid() == parent {
			select {
			case <-ctx.Done():
				return
			case <-time.After(500 * time.Millisecond):
			}
		}
		cancel()
	}()
	return ctx
}
