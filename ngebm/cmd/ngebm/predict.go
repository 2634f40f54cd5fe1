package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/gomlx/compute"

	"ngebm/data/plain"
	"ngebm/ngebm/conformal"
	"ngebm/ngebm/predict"
)

const predictAbout = `Decide about inputs with a trained run: a class with its probability, a set of classes that holds the right one at
a chosen rate, or a refusal with its reason. usage: ngebm predict RUN [FILE...]

The files are images (as in training: scaled and cropped as the set's name says), rows of the table that the run was
trained on (CSV with a header, the label may be absent), or rows of numbers in the network's units (CSV, NPY, NPZ; pixels in
[-1,1], height x width x channels flat). Without files the predictor is described.

The predictor is fitted on the run's validation split the first time, and stored in the run's folder as
predictor.json, from which serve decides too. With flags that say how, another one is fitted, which decides this time only;
with -refit it takes the place of the stored one. What a predictor promises holds for inputs that come from where the
validation examples come from. An input from elsewhere may get any answer.

The score of an input is a p-value: the share of validation examples that are no more usual, by the least of -scores,
times their number (1 at most). Files that cannot be used are named after the others are answered. Status: 0 if all
inputs are answered, 3 if some are refused, 1 after an error (go run turns 3 into 1; build the program to distinguish
them).`

// refusedStatus is the program's exit status if an input is refused, as errRefused says.
const refusedStatus = 3

var errRefused = errors.New("ngebm predict: some inputs are refused")

// predictFlags are the flags of the command.
type predictFlags struct {
	device, plugin string
	refit          bool // and store what is fitted
	other          bool // do flags say how to fit it?
	method, data   string
	options        predict.Options
	scores         string
}

func (f *predictFlags) register(fs *flag.FlagSet) {
	fs.BoolVar(&f.refit, "refit", false, "fit the predictor as the other flags say, and store it in place of the stored one")
	fs.StringVar(&f.data, "data", "", "`name` of the dataset that the run was trained on, with its folder, which runs do not store: folder:PATH@64 (default: the run's, in the current folder)")
	fs.StringVar(&f.method, "sets", string(conformal.LAC), "`method` of the sets: lac (smallest), aps (adaptive) or raps (adaptive, few classes)")
	fs.Float64Var(&f.options.Sets.Alpha, "alpha", .1, "`share` of sets without the right class, at most")
	fs.BoolVar(&f.options.Sets.Randomized, "randomized", false, "aps and raps: randomize the last class, for smaller sets")
	fs.Float64Var(&f.options.Sets.Penalty, "penalty", 0, "raps: `number` above 0 that each class beyond -rank costs, such as .01")
	fs.IntVar(&f.options.Sets.Rank, "rank", 0, "raps: `number` of classes without a penalty")
	fs.BoolVar(&f.options.Sets.PerClass, "per-class", false, "cover each class, not all together")
	fs.StringVar((*string)(&f.options.Calibration), "calibration", string(predict.TemperatureScaling), "`method` of the probabilities: temperature, or vector (a scale and a shift for each class; needs hundreds of validation examples a class)")
	fs.StringVar(&f.scores, "scores", "px,input", "`names` of the scores that may refuse, of "+strings.Join(predict.ScoreNames(), ", ")+" (px is the energy, py the MSP, pxgrad minus the gradient norm); none for no score")
	fs.Float64Var(&f.options.FalseAlarms, "false-alarms", .05, "`share` of usual inputs that all scores together refuse, at most")
	fs.Float64Var(&f.options.Risk, "risk", 0, "`share` of the answers that may be wrong; 0 for no limit (for a share of inputs to answer instead, the coverage: -scores py -false-alarms .2 answers 80 % of usual inputs)")
	fs.Float64Var(&f.options.Delta, "delta", .05, "`probability` that the risk is higher")
	fs.Uint64Var(&f.options.Seed, "seed", 0, "`seed` of -randomized")
	fs.StringVar(&f.device, "device", "", deviceUsage)
	fs.StringVar(&f.plugin, "plugin", "", pluginUsage)
}

func predictFiles(ctx context.Context, args []string, stdout io.Writer) error {
	var f predictFlags
	fs := flagSet("predict", predictAbout, "ngebm predict runs/digits-0123456789ab image.png")
	f.register(fs)
	out := outFlag(fs)
	paths, err := parseAmong(fs, args)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return errors.New("ngebm predict: no run is given; give its folder and files, as in ngebm predict runs/digits-0123456789ab image.png")
	}
	if err := checkOut("predict", *out, paths...); err != nil {
		return err
	}
	if *out != "" && len(paths) == 1 {
		return fmt.Errorf("ngebm predict: -o %q: there is nothing to write without files to decide about; give files, or leave it out", *out)
	}
	f.complete()
	for _, share := range []struct {
		flag  string
		value float64
	}{{"alpha", f.options.Sets.Alpha}, {"false-alarms", f.options.FalseAlarms}, {"delta", f.options.Delta}} {
		if share.value == 0 {
			return fmt.Errorf("ngebm predict: -%s is 0; it must be between 0 and 1", share.flag)
		}
	}
	switch given := given(fs); {
	case given["delta"] && f.options.Risk == 0:
		return errors.New("ngebm predict: -delta has no effect without -risk; add it, as in -risk .05")
	case given["seed"] && !f.options.Sets.Randomized:
		return errors.New("ngebm predict: -seed has no effect without -randomized; add it, or leave -seed out")
	case given["false-alarms"] && len(f.options.Scores) == 0:
		return errors.New("ngebm predict: -false-alarms has no effect with -scores none; give scores, or leave it out")
	case f.options.Sets.Method == conformal.RAPS && f.options.Sets.Penalty == 0:
		return errors.New("ngebm predict: -sets raps without a penalty is aps; give -penalty, as in .01, or choose aps")
	}
	if err := f.options.Validate(); err != nil {
		return err
	}
	fs.Visit(func(given *flag.Flag) {
		switch given.Name {
		case "device", "plugin", "o", "refit", "data":
		default:
			f.other = true
		}
	})
	config := configFlags{device: f.device, plugin: f.plugin, devices: 1}
	dev, options, err := config.open(ctx)
	if err != nil {
		return err
	}
	f.options.Progress = options.Progress
	d, err := f.open(ctx, dev.Backend, paths[0])
	if err != nil {
		return err
	}
	defer d.Close()
	if len(paths) == 1 {
		_, err := fmt.Fprintln(stdout, d.predictor)
		return err
	}
	if d.fresh {
		fmt.Fprintln(os.Stderr, d.predictor)
	}
	return d.decide(ctx, paths[1:], *out, stdout)
}

// complete moves the flags of other types into the options.
func (f *predictFlags) complete() {
	f.options.Sets.Method = conformal.Method(f.method)
	f.options.Scores = []string{}
	if f.scores != "none" {
		for _, name := range strings.Split(f.scores, ",") {
			f.options.Scores = append(f.options.Scores, strings.TrimSpace(name))
		}
	}
}

// open returns the stored predictor, or fits another one, which it stores if there is none or it shall take its place.
func (f *predictFlags) open(ctx context.Context, backend compute.Backend, dir string) (*decider, error) {
	if !f.refit && !f.other {
		return openPredictor(ctx, backend, dir, f.data, f.options)
	}
	run, err := loadRun(ctx, backend, dir)
	if err != nil {
		return nil, err
	}
	store := f.refit
	if !store {
		stored, err := predict.Open(run)
		if err == nil {
			stored.Close()
		}
		if store = errors.Is(err, fs.ErrNotExist); !store {
			fmt.Fprintln(os.Stderr, "note: another predictor decides this time; the stored one stays as it is (add -refit to replace it)")
		}
	}
	run.Close()
	return fitPredictor(ctx, backend, run, cmp.Or(f.data, run.Config.Data), f.options, store)
}

// decided is one row of the command's results.
type decided struct {
	File string `json:"file"`
	Row  *int   `json:"row,omitempty"` // from 0, in files of rows
	predict.Decision
}

// unusable is a file about which nothing is decided.
type unusable struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

// decisions are the command's results.
type decisions struct {
	Run       string     `json:"run"`
	Decisions []decided  `json:"decisions"`
	Unusable  []unusable `json:"unusable,omitempty"`
	Stopped   string     `json:"stopped,omitempty"` // how many files are done, where not all are
}

// decide reads files, a batch of inputs at a time, and prints what is decided about them. One that cannot be
// used does not keep the others from their answers.
func (d *decider) decide(ctx context.Context, paths []string, out string, stdout io.Writer) error {
	results, refused := decisions{Run: d.run.Hash, Decisions: []decided{}}, false
	read := newInputReader(d.run)
	var stopped error
	for i, path := range paths {
		found, err := d.file(ctx, read, path)
		if err != nil && ctx.Err() != nil {
			results.Stopped = fmt.Sprintf("%d of %d files are done", i, len(paths))
			stopped = fmt.Errorf("ngebm predict: %w; %s", context.Cause(ctx), results.Stopped)
			break
		}
		if err != nil {
			results.Unusable = append(results.Unusable, unusable{path, err.Error()})
		}
		results.Decisions = append(results.Decisions, found...)
		refused = refused || slices.ContainsFunc(found, func(one decided) bool { return one.Refused })
	}
	kept := ""
	if (stopped != nil || len(results.Decisions) == 0) && forPart(out) != out {
		kept, out = fmt.Sprintf("; %q is as it was", out), ""
	}
	if stopped != nil {
		stopped = fmt.Errorf("%w%s", stopped, kept)
	}
	if len(results.Decisions) > 0 || out != "" && stopped == nil {
		if err := output(stdout, "predict", out, results, results.print); err != nil {
			return errors.Join(stopped, err)
		}
	}
	err, bad := stopped, results.Unusable
	if n := len(bad); n > 0 && err == nil {
		last := bad[n-1]
		err, bad = fmt.Errorf("ngebm predict: %q: %s; %d of %d files cannot be used%s", last.File, last.Error, n, len(paths), kept), bad[:n-1]
	}
	for _, one := range bad {
		fmt.Fprintf(os.Stderr, "ngebm predict: %q: %s\n", one.File, one.Error)
	}
	if err == nil && refused {
		return errRefused
	}
	return err
}

// file decides about the inputs of one file.
func (d *decider) file(ctx context.Context, read *inputReader, path string) ([]decided, error) {
	inputs, rows, err := read.file(ctx, path)
	if err != nil {
		return nil, err
	}
	found, err := d.predictor.Predict(ctx, inputs)
	if err != nil {
		return nil, err
	}
	all := make([]decided, len(found))
	for i, decision := range found {
		all[i] = decided{File: path, Decision: decision}
		if rows {
			all[i].Row = &i
		}
	}
	return all, nil
}

// print writes a table.
func (r decisions) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "input\tclass\tprobability\tset\tenergy\tscore\tdecision")
	for _, d := range r.Decisions {
		name, decision := d.File, "answered"
		if d.Row != nil {
			name = fmt.Sprintf("%s row %d", d.File, *d.Row)
		}
		if d.Refused {
			decision = "refused: " + d.Why
		}
		set := cmp.Or(strings.Join(d.Set, " "), "(empty)")
		fmt.Fprintf(t, "%s\t%s\t%.4f\t%s\t%.4g\t%.3g\t%s\n", plain.Text(name), plain.Text(d.Class), d.Probability, plain.Text(set), d.Energy, d.Score, plain.Text(decision))
	}
	return t.Flush()
}
