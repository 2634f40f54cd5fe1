package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"ngebm/ngebm/experiment"
)

const experimentAbout = `Train several methods with several seeds from one preset, measure every run alike (calibration before and
after temperature, detection of strangers, PGD and the worst case of attacks, energies, cost), and write one
file of results and a table of means over seeds with 95 % t-intervals. The weights of ng-ebm-chosen are chosen
among -candidates on validation data, never on the test set.

What is done is loaded: an experiment that was stopped or killed goes on where it was when the same command
runs again. Start it twice, and the processes share the runs between them. The file is written whenever a run
is done. Results of several machines are put together by -collect A.json B.json, which refuses those that
contradict each other. -dry says what would be done. Ctrl-C saves and stops.`

// experimentFlags are those of the verb besides what and where to train.
type experimentFlags struct {
	methods, seeds, candidates, chooseSeeds, chooseBy, strange, outside, linf, l2, out string
	measure                                                                            experiment.Protocol
	dry, collect                                                                       bool
}

func runExperiment(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flagSet("experiment", experimentAbout, "ngebm experiment -preset cifar10-cpu -seeds 101,202,303 -o results.json")
	var c configFlags
	c.register(fs)
	var f experimentFlags
	listVar(fs, &f.methods, "methods", "cross-entropy,label-smoothing,ng-ebm-paper,ng-ebm-chosen", ",", "methods to compare, the first is what others are compared with; from "+strings.Join(experiment.Methods(), ", "))
	listVar(fs, &f.seeds, "seeds", "101,202,303,404,505", ",", "seeds; each decides weights, order and validation split of its runs")
	listVar(fs, &f.candidates, "candidates", "beta=.01,gamma=.01;beta=.01,gamma=.1;beta=.1,gamma=.1;beta=1,gamma=1", ";", "settings that ng-ebm-chosen is chosen from")
	listVar(fs, &f.chooseSeeds, "choose-seeds", "", ",", "seeds to choose with (default: the first of -seeds)")
	fs.StringVar(&f.chooseBy, "choose-by", "NLL", "figure to choose by, of the validation data")
	fs.IntVar(&f.measure.Test, "test", 0, "test examples for calibration and energies (0: all)")
	fs.IntVar(&f.measure.Detection, "detection", 2000, "of these, those to tell strangers from (0: all)")
	fs.IntVar(&f.measure.Attacked, "attacked", 500, "of these, those to attack (0: all)")
	fs.IntVar(&f.measure.Worst, "worst", 200, "of these, those to find the worst case of (0: all)")
	listVar(fs, &f.strange, "strange", "interpolated,uniform noise,gaussian noise,rotated", ",", "kinds of strangers made from test examples")
	listVar(fs, &f.outside, "outside", "svhn,cifar100,celeba", ",", "sets to tell test examples from, where they are here already; ngebm fetch gets them")
	listVar(fs, &f.linf, "linf", "1,2,4,8", ",", "ε of the L∞ attacks, of 255 (for points in their own units)")
	listVar(fs, &f.l2, "l2", "16,32,64,128", ",", "ε of the L2 attack, the same")
	fs.IntVar(&f.measure.AttackBatch, "attack-batch", 0, "examples to attack at once (0: 128); 32 is faster on a CPU, since few survive")
	fs.IntVar(&f.measure.Resamples, "bootstrap", 200, "resamples for each run's own 95 % intervals (0: none)")
	fs.Uint64Var(&f.measure.Seed, "measure-seed", 1, "of the parts of the test set, strangers, resamples and attacks")
	fs.StringVar(&f.out, "o", "results.json", "file of results")
	fs.BoolVar(&f.dry, "dry", false, "print the plan and do nothing else")
	fs.BoolVar(&f.collect, "collect", false, "merge the files of results that are named as arguments into -o, and do nothing else")
	if err := parse(fs, args); err != nil {
		return err
	}
	if f.collect {
		return collect(stdout, f.out, fs.Args())
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("ngebm experiment: %q is no flag; settings go into -set, files to merge after -collect", fs.Arg(0))
	}
	if c.method != "" {
		return fmt.Errorf("ngebm experiment: -method %s: give the methods to compare in -methods", c.method)
	}
	plan, err := f.plan(c)
	if err != nil {
		return err
	}
	if f.dry {
		_, err := fmt.Fprint(stdout, plan)
		return err
	}
	d, options, err := c.open(ctx)
	if err != nil {
		return err
	}
	results, err := plan.Run(ctx, d.Backend, options, func(r *experiment.Results) error { return r.Write(f.out) })
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "results: %s\n", f.out)
	_, err = fmt.Fprintf(stdout, "%s\n%s", results, results.Costs())
	return err
}

// plan makes the plan that the flags describe.
func (f experimentFlags) plan(c configFlags) (p experiment.Plan, err error) {
	p = experiment.Plan{Preset: c.preset, Methods: splitList(f.methods), Measure: f.measure}
	if p.Base, err = c.config(); err != nil {
		return p, err
	}
	if p.Seeds, err = parseSeeds(f.seeds); err != nil {
		return p, err
	}
	if p.Measure.Linf, err = parseNumbers("-linf", f.linf); err != nil {
		return p, err
	}
	if p.Measure.L2, err = parseNumbers("-l2", f.l2); err != nil {
		return p, err
	}
	p.Measure.Strange, p.Measure.Outside = splitList(f.strange), splitList(f.outside)
	for _, m := range p.Methods {
		if m != experiment.Chosen {
			continue
		}
		p.Choice = experiment.Choice{Seeds: p.Seeds[:min(1, len(p.Seeds))], Figure: f.chooseBy}
		for candidate := range strings.SplitSeq(f.candidates, ";") {
			if candidate = strings.TrimSpace(candidate); candidate != "" {
				p.Choice.Candidates = append(p.Choice.Candidates, candidate)
			}
		}
		if f.chooseSeeds != "" {
			if p.Choice.Seeds, err = parseSeeds(f.chooseSeeds); err != nil {
				return p, err
			}
		}
	}
	return p, p.Validate()
}

func parseNumbers(flag, list string) ([]float64, error) {
	var numbers []float64
	for _, s := range splitList(list) {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, fmt.Errorf("ngebm experiment: %q of %s is no number", s, flag)
		}
		numbers = append(numbers, v)
	}
	return numbers, nil
}

// collect merges files of results.
func collect(stdout io.Writer, out string, paths []string) error {
	var all []*experiment.Results
	for i, path := range paths {
		r, err := experiment.Read(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "results %d: %s, %d runs\n", i+1, path, len(r.Runs))
		all = append(all, r)
	}
	merged, err := experiment.Merge(all...)
	if err != nil {
		return err
	}
	if err := merged.Write(out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s\n%s", merged, merged.Costs())
	return err
}
