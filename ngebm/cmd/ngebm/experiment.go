package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"ngebm/data"
	"ngebm/data/files"
	"ngebm/ngebm"
	"ngebm/ngebm/ood"
	"ngebm/ngebm/study"
	"ngebm/ngebm/study/published"
)

const experimentAbout = `Compare training methods from one preset: train each with several seeds and measure every run the same way
(calibration before and after temperature scaling, OOD detection, PGD and an ensemble of attacks, energies, cost).
Writes one file of results and prints means over seeds with 95 % t-intervals. The settings of ng-ebm-chosen are
selected among -candidates on validation data, never on the test set.

A preset with a plan (cifar10-cpu) has its own defaults of all these flags; -dry-run prints them.

The results file is written after every run and once weights are selected. Runs that are done are loaded, so the
same command resumes an experiment that was interrupted; started twice with one folder of runs, the processes share
the runs and the file. Machines without a folder in common take one -part each. ngebm merge combines the files of
several processes; ngebm/study/cluster has this for Slurm and Kubernetes. Where the folder of runs is gone, -continue
takes the runs of a results file as done. The first Ctrl-C saves and stops. Before 2026-12 the default of -seeds was
101,202,303,404,505; give it to resume such an experiment.`

// protocolDefaults are flags whose defaults depend on the data.
type protocolDefaults struct{ ood, oodDatasets, linf, l2 string }

var ofImages = protocolDefaults{"interpolated,uniform noise,gaussian noise,rotated", "svhn,cifar100,celeba", "1,2,4,8", "16,32,64,128"}

const pointRadii = ".05,.1,.2,.4"

// forData replaces the defaults for images of any dataset by those for this one, but for flags that
// are given.
func (f *experimentFlags) forData(ctx context.Context, fs *flag.FlagSet, set string) {
	type replacement struct {
		flag, value string
		text        *string
	}
	var all []replacement
	if kinds := oodKinds(ctx, set); slices.Contains(kinds, "interpolated") {
		others := slices.DeleteFunc(strings.Split(ofImages.oodDatasets, ","), func(name string) bool { return name == family(set) })
		all = []replacement{{"ood-datasets", strings.Join(others, ","), &f.oodDatasets}}
	} else {
		all = []replacement{{"ood", strings.Join(kinds, ","), &f.ood}, {"ood-datasets", "", &f.oodDatasets}, {"linf", pointRadii, &f.linf}, {"l2", pointRadii, &f.l2}}
	}
	given := given(fs)
	for _, d := range all {
		if !given[d.flag] {
			*d.text = d.value
		}
	}
}

// oodKinds returns the kinds of synthetic OOD sets of a dataset. Those of a table depend on its columns.
func oodKinds(ctx context.Context, set string) []string {
	if strings.HasPrefix(set, "csv:") {
		if _, test, err := data.Open(ctx, set, data.Options{}); err == nil {
			return test.OODKinds()
		}
	}
	return data.OODKindsOf(set)
}

// family returns the name of the dataset that has the same images: cifar100 for cifar100-coarse@16 and for
// cifar100-c:fog/3, which has them corrupted.
func family(set string) string {
	name, _, _ := strings.Cut(set, "@")
	name, _, _ = strings.Cut(name, ":")
	return strings.TrimSuffix(strings.TrimSuffix(name, "-c"), "-coarse")
}

// forPlan replaces the defaults of flags that are not given by what was planned for the
// preset, if anything was.
func forPlan(fs *flag.FlagSet, preset string) error {
	if !slices.Contains(published.Plans(), preset) {
		return nil
	}
	p, err := published.ReadPlan(preset)
	if err != nil {
		return err
	}
	given := given(fs)
	m := p.Measure
	for name, value := range map[string]string{
		"methods": strings.Join(p.Methods, ","), "seeds": join(p.Seeds),
		"candidates": strings.Join(p.Selection.Candidates, ";"), "select-by": p.Selection.Metric, "select-seeds": join(p.Selection.Seeds),
		"test": fmt.Sprint(m.TestExamples), "ood-examples": fmt.Sprint(m.OODExamples),
		"attack-examples": fmt.Sprint(m.AttackExamples), "ensemble-examples": fmt.Sprint(m.EnsembleExamples),
		"autoattack": fmt.Sprint(m.AutoAttack), "ensembles": fmt.Sprint(m.Ensembles), "attack-batch": fmt.Sprint(m.AttackBatch), "test-noise": fmt.Sprint(m.TestNoise), "best": fmt.Sprint(m.Best), "bootstrap": fmt.Sprint(m.Resamples),
		"measure-seed": fmt.Sprint(m.Seed), "linf": join(m.Linf), "l2": join(m.L2), "ensemble-linf": join(m.EnsembleLinf),
		"ood": strings.Join(m.OODKinds, ","), "ood-datasets": strings.Join(m.OODDatasets, ","), "near": strings.Join(m.Near, ","),
		"detectors": strings.Join(m.Detectors, ","), "ood-validation": m.OODValidation,
	} {
		if given[name] {
			continue
		}
		if err := fs.Set(name, value); err != nil {
			return fmt.Errorf("ngebm experiment: the plan of %s: -%s: %w", preset, name, err)
		}
	}
	return nil
}

// join writes values with commas between them, as flags take them.
func join[T any](values []T) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(values)), ","), "[]")
}

// experimentFlags are the command's own flags.
type experimentFlags struct {
	detectors, near, ensembleLinf                                                                  string
	methods, seeds, candidates, selectSeeds, selectBy, ood, oodDatasets, linf, l2, part, done, out string
	measure                                                                                        study.Protocol
	dryRun, collect                                                                                bool
}

func (f *experimentFlags) register(fs *flag.FlagSet) {
	listVar(fs, &f.methods, "methods", "cross-entropy,label-smoothing,ng-ebm-paper,ng-ebm-chosen", ",", "`methods` to compare; the first is the baseline; from "+strings.Join(study.MethodNames(), ", "))
	listVar(fs, &f.seeds, "seeds", defaultSeeds, ",", seedsUsage)
	listVar(fs, &f.candidates, "candidates", "beta=.01,gamma=.01;beta=.01,gamma=.1;beta=.1,gamma=.1;beta=1,gamma=1", ";", "`settings` from which ng-ebm-chosen is selected")
	fs.StringVar(&f.selectBy, "select-by", "NLL", "validation `metric` to select by")
	listVar(fs, &f.selectSeeds, "select-seeds", "", ",", "seeds to select with (default: those of the preset's plan, else the first of -seeds)")
	fs.IntVar(&f.measure.TestExamples, "test", 0, "number of test examples for calibration and energies (0: all)")
	fs.IntVar(&f.measure.OODExamples, "ood-examples", 2000, "number of test examples for OOD detection (0: all)")
	fs.IntVar(&f.measure.AttackExamples, "attack-examples", 500, "number of those of -ood-examples to attack with PGD (0: all)")
	fs.IntVar(&f.measure.EnsembleExamples, "ensemble-examples", 200, "number of those of -attack-examples for the ensemble of attacks, where every attack must fail (0: all)")
	fs.BoolVar(&f.measure.AutoAttack, "autoattack", false, "the ensemble is AutoAttack's standard version, with its checks (APGD-CE; APGD-T and FAB-T with 9 targets; Square with 5,000 queries; for 4 classes or more): some thirty times as much work")
	listVar(fs, &f.ood, "ood", ofImages.ood, ",", "`kinds` of synthetic OOD inputs, made from test examples; for points and tables the default is all their kinds")
	listVar(fs, &f.oodDatasets, "ood-datasets", ofImages.oodDatasets, ",", "OOD `datasets`; those that are not in the cache are left out (ngebm fetch downloads them, but for celeba); for points and tables the default is none")
	listVar(fs, &f.detectors, "detectors", "", ",", "`names` of detectors to fit on the training examples' features, next to the scores that need no fit: all, or some of "+strings.Join(ood.FeatureDetectorNames(), ", "))
	listVar(fs, &f.near, "near", "", ",", "those `names` of -ood and -ood-datasets that are near OOD; all others are far, and a table has means of both, as OpenOOD has it")
	fs.StringVar(&f.measure.OODValidation, "ood-validation", "", "OOD `kind or dataset`, not among the tested ones, on which detectors' own parameters are chosen (default: they keep their papers' values)")
	listVar(fs, &f.linf, "linf", ofImages.linf, ",", "radii ε of the L∞ attacks, in 1/255; for points in their own units and for tables in deviations, where the default is "+pointRadii)
	listVar(fs, &f.l2, "l2", ofImages.l2, ",", "radii ε of the L2 attack, in the same units")
	listVar(fs, &f.ensembleLinf, "ensemble-linf", "", ",", "radii ε of the ensemble's L∞ attacks, in the same units (default: those of -linf)")
	fs.IntVar(&f.measure.AttackBatch, "attack-batch", 0, "batch size of the attacks (0: 128); 32 is faster on a CPU")
	fs.BoolVar(&f.measure.Ensembles, "ensembles", false, "add the ensemble of each method's runs: the mean of their probabilities")
	fs.Float64Var(&f.measure.TestNoise, "test-noise", 0, "standard deviation of normal `noise` on validation, test and OOD inputs (pixels in [-1,1]); .03 as the NG-EBM authors evaluate")
	fs.BoolVar(&f.measure.Best, "best", false, "measure each run at the step of its highest validation accuracy, as the NG-EBM authors do, not at its last")
	fs.IntVar(&f.measure.Resamples, "bootstrap", 200, "bootstrap resamples for the 95 % intervals of each run (0: none)")
	fs.Uint64Var(&f.measure.Seed, "measure-seed", 1, "seed of the test subsets, OOD inputs, resamples and attacks")
	fs.StringVar(&f.part, "part", "", "train and measure only `i/n` of the runs: 2/4 is the second of four parts")
	fs.StringVar(&f.done, "continue", "", "`file` of results of this experiment, from another machine for one: its selected weights and those of its runs that are asked for are kept as they are, and only the others are done (ensembles are of the others then)")
	fs.StringVar(&f.out, "o", "results.json", "`file` for the results, as JSON")
	fs.BoolVar(&f.dryRun, "dry-run", false, "print the plan, then exit")
	fs.BoolVar(&f.collect, "collect", false, "") // ngebm merge, as it was called before
}

func runExperiment(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flagSet("experiment", experimentAbout, "ngebm experiment -preset cifar10-cpu -seeds 101,202,303 -o results.json")
	var c configFlags
	c.register(fs)
	var f experimentFlags
	f.register(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	switch {
	case f.collect:
		return mergeFiles(stdout, f.out, fs.Args())
	case fs.NArg() > 0:
		return fmt.Errorf("ngebm experiment: unexpected argument %q; settings are given with -set, and ngebm merge merges files", fs.Arg(0))
	case c.method != "":
		return fmt.Errorf("ngebm experiment: -method %s: give the methods to compare with -methods", c.method)
	case f.out == "" || f.out == "-":
		return fmt.Errorf("ngebm experiment: -o %q: name a file, which is written after every run", f.out)
	}
	plan, err := f.plan(ctx, fs, c)
	if err != nil {
		return err
	}
	if f.dryRun {
		_, err := fmt.Fprint(stdout, plan)
		return err
	}
	if err := checkOut("experiment", f.out); err != nil {
		return err
	}
	d, options, err := c.open(ctx)
	if err != nil {
		return err
	}
	out := resultsFile{path: f.out, plan: plan, runs: options.Runs}
	if err := out.read(); err != nil {
		return err
	}
	plan.Replaces = out.old
	results, err := plan.Run(ctx, d.Backend, options, out.write)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "results: %s\n", f.out)
	_, err = fmt.Fprintf(stdout, "%s\n%s", results, results.Costs())
	return err
}

// plan returns the plan that the flags describe.
func (f *experimentFlags) plan(ctx context.Context, fs *flag.FlagSet, c configFlags) (p study.Plan, err error) {
	p = study.Plan{Preset: c.preset}
	if err := c.refuseSeed("experiment"); err != nil {
		return p, err
	}
	if p.Base, err = c.config(fs); err != nil {
		return p, err
	}
	if err := c.refuseMethod(fs, p.Base); err != nil {
		return p, err
	}
	given := given(fs)
	if err := forPlan(fs, c.preset); err != nil {
		return p, err
	}
	if err := f.refuseSelection(given); err != nil {
		return p, err
	}
	p.Methods, p.Measure = splitList(f.methods), f.measure
	f.forData(ctx, fs, p.Base.Data)
	if p.Seeds, err = parseSeeds("-seeds", f.seeds); err != nil {
		return p, err
	}
	if p.Measure.Linf, err = parseNumbers("-linf", f.linf); err != nil {
		return p, err
	}
	if p.Measure.L2, err = parseNumbers("-l2", f.l2); err != nil {
		return p, err
	}
	if p.Measure.EnsembleLinf, err = parseNumbers("-ensemble-linf", f.ensembleLinf); err != nil {
		return p, err
	}
	if f.part != "" {
		if p.Part, err = study.ParsePart(f.part); err != nil {
			return p, err
		}
	}
	if f.done != "" {
		if p.Done, err = study.ReadResults(f.done); err != nil {
			return p, err
		}
	}
	p.Measure.OODKinds, p.Measure.OODDatasets = splitList(f.ood), splitList(f.oodDatasets)
	p.Measure.Detectors, p.Measure.Near = splitList(f.detectors), splitList(f.near)
	if slices.Contains(p.Measure.Detectors, "all") {
		all := ood.FeatureDetectorNames()
		others := slices.DeleteFunc(p.Measure.Detectors, func(name string) bool { return name == "all" || slices.Contains(all, name) })
		p.Measure.Detectors = append(all, others...) // which are unknown
	}
	for _, m := range p.Methods {
		if m != study.Selected {
			continue
		}
		p.Selection = study.Selection{Seeds: p.Seeds[:min(1, len(p.Seeds))], Metric: f.selectBy}
		for candidate := range strings.SplitSeq(f.candidates, ";") {
			if candidate = strings.TrimSpace(candidate); candidate != "" {
				p.Selection.Candidates = append(p.Selection.Candidates, candidate)
			}
		}
		if f.selectSeeds != "" {
			if p.Selection.Seeds, err = parseSeeds("-select-seeds", f.selectSeeds); err != nil {
				return p, err
			}
		}
	}
	return p, p.Validate()
}

// refuseMethod refuses settings in -set that differ from the preset's and that every method sets.
func (f configFlags) refuseMethod(fs *flag.FlagSet, base ngebm.Config) error {
	changes := f.changes
	f.changes = ""
	preset, err := f.config(fs)
	if err != nil {
		return err
	}
	preset.Data = base.Data
	if method := base.Method(); method != preset.Method() {
		return fmt.Errorf("ngebm experiment: -set %.200q changes the training method, to %s, which each of -methods sets again; name a method that has it in -methods, or give weights of NG-EBM with -candidates", changes, method)
	}
	return nil
}

// refuseSelection refuses flags of the selection where nothing is selected.
func (f *experimentFlags) refuseSelection(given map[string]bool) error {
	for _, name := range []string{"candidates", "select-by", "select-seeds"} {
		if given[name] && !slices.Contains(splitList(f.methods), study.Selected) {
			return fmt.Errorf("ngebm experiment: -%s has no effect without the method %s; add it to -methods", name, study.Selected)
		}
	}
	return nil
}

// resultsFile is where an experiment writes its results after every run. Another process may do so, too:
// what it wrote is kept.
type resultsFile struct {
	path  string
	plan  study.Plan
	runs  string         // the folder of runs
	old   *study.Results // what others wrote last; nil if nothing
	known string         // the identity of the file that was read or written last
}

// read reads what others wrote since the file was read or written last.
func (f *resultsFile) read() error {
	is := identity(f.path)
	if is == f.known {
		return nil
	}
	old, err := resultsAt("experiment", f.path)
	if err != nil {
		return err
	}
	if old != nil {
		if err := f.plan.Keeps(old, f.runs); err != nil {
			return fmt.Errorf("ngebm experiment: -o %s would be replaced: %w", f.path, err)
		}
		f.old = old
	}
	f.known = is
	return nil
}

// write writes results over what others wrote.
func (f *resultsFile) write(r *study.Results) (err error) {
	if err := f.read(); err != nil {
		return err
	}
	if f.old != nil {
		if r, err = r.Over(f.old); err != nil {
			return err
		}
	}
	if err := r.Write(f.path); err != nil {
		return err
	}
	f.known = identity(f.path)
	return nil
}

// identity is files.Identity of a file; "" if it is not there.
func identity(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return files.Identity(info)
}

// resultsAt returns the results in a file that a command would replace; nil if it does not exist.
func resultsAt(command, path string) (*study.Results, error) {
	old, err := study.ReadResults(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("ngebm %s: -o %s exists and would be replaced, but %w; name another file", command, path, err)
	}
	return old, nil
}

func parseNumbers(flag, list string) ([]float64, error) {
	var numbers []float64
	for _, s := range splitList(list) {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, fmt.Errorf("ngebm experiment: %q in %s is not a number", s, flag)
		}
		numbers = append(numbers, v)
	}
	return numbers, nil
}
