package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"ngebm/data"
	"ngebm/data/plain"
	"ngebm/ngebm"
	"ngebm/ngebm/nets"
)

func train(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flagSet("train", "Train a configuration: a preset, changed by flags. A run that was stopped goes on where it was;\none that is complete is loaded. Ctrl-C saves and stops.",
		"ngebm train -preset cifar10-smoke -data tar:cifar10.tar.gz -limit 8000 -set beta=.1,gamma=.1")
	var f configFlags
	f.register(fs)
	list := fs.Bool("list", false, "list presets, methods, data sets and networks, and do nothing else")
	dry := fs.Bool("dry", false, "print every setting with the value that will be used, and do nothing else")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("ngebm train: %q is no flag; settings go into -set, as in -set beta=.1", fs.Arg(0))
	}
	if *list {
		return listAll(stdout)
	}
	cfg, err := f.config()
	if err != nil {
		return err
	}
	if *dry {
		fmt.Fprintln(stdout, cfg.All())
		if warning := cfg.WarmupWarning(mostSteps(ctx, cfg)); warning != "" {
			fmt.Fprintln(os.Stderr, warning)
		}
		return nil
	}
	d, options, err := f.open(ctx)
	if err != nil {
		return err
	}
	run, err := ngebm.Train(ctx, d.Backend, cfg, options)
	if err != nil {
		return err
	}
	return summarise(stdout, run)
}

// mostSteps is the number of steps of a configuration where it can be told without reading
// files, and a number above it where not.
func mostSteps(ctx context.Context, cfg ngebm.Config) int {
	examples := cfg.Limit
	set, _, _ := strings.Cut(cfg.Data, ":")
	if set == "digits" || slices.Contains(data.Toy2DKinds(), set) {
		if train, _, err := data.Open(ctx, cfg.Data, data.Options{Limit: cfg.Limit}); err == nil {
			examples = train.Len()
		}
	}
	if examples == 0 || cfg.Epochs > math.MaxInt/max(1, examples) {
		return math.MaxInt
	}
	return cfg.Epochs * (max(0, examples-cfg.Validation) / cfg.Batch)
}

// summarise prints what came of a run.
func summarise(w io.Writer, run *ngebm.Run) error {
	h := run.History
	test := h.Evaluations[len(h.Evaluations)-1]
	done := "trained"
	if run.Loaded {
		done = "loaded, already trained:"
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(t, "%s\t%s\n", plain.Text(name), plain.Text(fmt.Sprintf(format, args...)))
	}
	row("run", "%s (%s %d steps in %.0f s)", run.Dir, done, h.Steps(), run.Cost.Seconds)
	row("data", "%s", run.Train)
	held := "no examples"
	if run.Validation != nil {
		held = fmt.Sprintf("%d of the training examples, for validation", run.Validation.Len())
	}
	row("held out", "%s", held)
	row("network", "%s, %d weights", run.Config.Net, run.Classifier.Parameters())
	row("method", "%s", run.Config.Method())
	row("seed", "%d", run.Config.Seed)
	code := cmp.Or(run.Cost.Code, "unknown")
	if source := "source " + run.Cost.Source; run.Cost.Source != "" && code != source {
		code += ", " + source
	}
	row("code", "%s", code)
	row("loss", "%.4f at the first step, %.4f at the last", h.Loss[0], h.Loss[h.Steps()-1])
	row("test accuracy", "%.4f on %d examples", test.Accuracy, test.Examples)
	for i, name := range h.Terms {
		if math.IsNaN(test.Values[i]) {
			continue // it is of samples or outliers, not of a set
		}
		row("test "+name, "%.4g (weight %g)", test.Values[i], h.Weights[i])
	}
	for _, note := range run.Notes {
		row("note", "%s", note)
	}
	if run.Warning != "" {
		row("warning", "%s", run.Warning)
	}
	for _, e := range h.Events {
		row(fmt.Sprint("at step ", e.Step), "%s", e.What)
	}
	if run.Cost.Seconds > 0 {
		row("waited for data", "%.2g %% of the time", 100*run.Cost.DataWait/run.Cost.Seconds)
	}
	return t.Flush()
}

func listAll(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "presets (-preset)")
	for _, p := range ngebm.Presets() {
		fmt.Fprintf(t, "  %s\t%s, %s: %s\n", p.Name, p.Data, p.Net, p.About)
	}
	fmt.Fprintln(t, "ways of training (-method)")
	for _, m := range ngebm.Methods() {
		fmt.Fprintf(t, "  %s\t%s\n", m.Name, m.About)
	}
	fmt.Fprintln(t, "data sets (-data); NAME@64, NAME@HEIGHTxWIDTH or NAME@32x32x3 gives images in that size")
	for _, n := range data.Names() {
		fmt.Fprintf(t, "  %s\t%s\n", n[0], n[1])
	}
	fmt.Fprintln(t, "networks (-net)")
	for _, n := range nets.Known() {
		fmt.Fprintf(t, "  %s\t%s\n", n[0], n[1])
	}
	return t.Flush()
}
