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
	"ngebm/ngebm/train"
)

const trainAbout = `Train a model. The configuration is a preset, changed by the flags below. A run that was interrupted
resumes from its last checkpoint; a run that is complete is loaded. The first Ctrl-C saves and stops,
a second one ends the program at once.`

func trainRun(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flagSet("train", trainAbout,
		"ngebm train -preset cifar10-smoke -data tar:cifar10.tar.gz -max-train 8000 -set beta=.1,gamma=.1")
	var f configFlags
	f.register(fs)
	list := fs.Bool("list", false, "list presets, methods, datasets and networks, then exit")
	dryRun := fs.Bool("dry-run", false, "print the resolved configuration, then exit")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("ngebm train: unexpected argument %q; settings are given with -set, as in -set beta=.1", fs.Arg(0))
	}
	if *list {
		return listAll(stdout)
	}
	cfg, err := f.config(fs)
	if err != nil {
		return err
	}
	if *dryRun {
		if cfg, _, err = cfg.Resolve(nil); err != nil {
			return err
		}
		fmt.Fprintln(stdout, cfg.All())
		if warning := cfg.WarmupWarning(maxSteps(ctx, cfg)); warning != "" {
			fmt.Fprintln(os.Stderr, warning)
		}
		return nil
	}
	d, options, err := f.open(ctx)
	if err != nil {
		return err
	}
	run, err := train.Run(ctx, d.Backend, cfg, options)
	if err != nil {
		return err
	}
	return summarize(stdout, run)
}

// maxSteps is the number of steps of a configuration where that is known without reading
// files, else an upper bound.
func maxSteps(ctx context.Context, cfg ngebm.Config) int {
	examples := cfg.Limit
	set, _, _ := strings.Cut(cfg.Data, ":")
	if set == "digits" || slices.Contains(data.Toy2DKinds(), set) {
		if train, _, err := data.Open(ctx, cfg.Data, data.Options{Limit: cfg.Limit}); err == nil {
			examples = train.Len()
		}
	}
	if cfg.Draw > 0 {
		examples = cfg.Draw
	}
	if examples == 0 || cfg.Epochs > math.MaxInt/max(1, examples) {
		return math.MaxInt
	}
	return cfg.Epochs * (max(0, examples-cfg.Validation) / cfg.Batch)
}

// summarize prints the results of a run.
func summarize(w io.Writer, run *ngebm.Run) error {
	h := run.History
	test := h.Evaluations[len(h.Evaluations)-1]
	done := "trained"
	if run.Loaded {
		done = "loaded, trained before:"
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
			continue // it is of samples, outliers or gradients, not of a set
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
	fmt.Fprintln(t, "training methods (-method)")
	for _, m := range ngebm.Methods() {
		fmt.Fprintf(t, "  %s\t%s\n", m.Name, m.About)
	}
	fmt.Fprintln(t, "controls (-method), which differ from NG-EBM or cross-entropy in one thing each")
	for _, m := range ngebm.Controls() {
		fmt.Fprintf(t, "  %s\t%s\n", m.Name, m.About)
	}
	fmt.Fprintln(t, "datasets (-data); NAME@64, NAME@HEIGHTxWIDTH or NAME@32x32x3 resizes the images; rows of a table (csv) need an mlp")
	for _, n := range data.Names() {
		fmt.Fprintf(t, "  %s\t%s\n", n[0], n[1])
	}
	fmt.Fprintln(t, "networks (-model)")
	for _, n := range nets.Known() {
		fmt.Fprintf(t, "  %s\t%s\n", n[0], n[1])
	}
	return t.Flush()
}
