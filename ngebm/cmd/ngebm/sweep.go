package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"ngebm/data/nearest"
	"ngebm/ngebm/study"
)

const sweepAbout = `Train every combination of a grid of settings with every seed, and evaluate each run on its held-out
validation examples (never on the test set). Prints means over seeds with 95 % t-intervals. The grid takes
the settings of -set, usually alpha, beta and gamma. Rows marked "front" are on the Pareto front: no other row
is better in all metrics of -pareto. Runs that are already trained and evaluated are loaded, so the same
command resumes a sweep that was interrupted. The first Ctrl-C saves and stops.`

func sweep(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flagSet("sweep", sweepAbout, "ngebm sweep -preset digits-few -grid 'beta=0,.01,.1;gamma=0,.01,.1' -seeds 1,2,3 -o sweep.json")
	var f configFlags
	f.register(fs)
	var validation study.Validation
	var gridText, seedList, pareto string
	listVar(fs, &gridText, "grid", "", ";", "settings and their `values`, as in 'beta=0,.01,.1;gamma=0,.01,.1'; beta+gamma=0,.1 sets both alike")
	listVar(fs, &seedList, "seeds", defaultSeeds, ",", seedsUsage)
	listVar(fs, &pareto, "pareto", strings.Join(study.ParetoMetrics(), ","), ",", "`metrics` of the Pareto front, from "+strings.Join(study.ValidationMetrics(), ", "))
	fs.StringVar(&validation.OODKind, "ood", "", "`kind` of synthetic OOD inputs for the detection metrics: rotated, uniform noise, inverted … (default: rotated; for 2-D points uniform box)")
	fs.Float64Var(&validation.Epsilon, "epsilon", 0, "radius of the L∞ PGD attack, as a fraction of the pixel range (default 8/255; .3 for 2-D points)")
	fs.IntVar(&validation.AttackExamples, "attack-examples", 0, "number of validation examples to attack (default 200, or all if there are fewer)")
	out := outFlag(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("ngebm sweep: unexpected argument %q; quote the grid, as in -grid 'beta=0,.1;gamma=0,.1'", fs.Arg(0))
	}
	if strings.TrimSpace(gridText) == "" {
		return errors.New("ngebm sweep: -grid is missing; give settings and their values, as in -grid 'beta=0,.01,.1;gamma=0,.01,.1'")
	}
	if err := validation.Validate(); err != nil { // hours before the first evaluation
		return err
	}
	if err := checkOut("sweep", *out); err != nil {
		return err
	}
	if err := f.refuseSeed("sweep"); err != nil {
		return err
	}
	cfg, err := f.config(fs)
	if err != nil {
		return err
	}
	if cfg.Validation > 0 { // else the sweep says what to set
		if err := validation.CheckExamples(cfg.Validation); err != nil {
			return err
		}
	}
	grid, err := study.ParseGrid(gridText)
	if err != nil {
		return err
	}
	if err := f.refuseGrid(grid); err != nil {
		return err
	}
	seeds, err := parseSeeds("-seeds", seedList)
	if err != nil {
		return err
	}
	front := splitList(pareto)
	for _, name := range front { // hours before the table finds out
		if !slices.Contains(study.ValidationMetrics(), name) {
			return fmt.Errorf("ngebm sweep: -pareto names %q%s; the metrics are %s", name, nearest.Hint(name, study.ValidationMetrics()), strings.Join(study.ValidationMetrics(), ", "))
		}
	}
	d, options, err := f.open(ctx)
	if err != nil {
		return err
	}
	validation.Progress = options.Progress
	table, err := study.Sweep{Base: cfg, Grid: grid, Seeds: seeds, Evaluate: validation.Evaluate}.Run(ctx, d.Backend, options)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d runs trained, %d loaded\n", table.Trained, table.Loaded)
	return output(stdout, "sweep", *out, table, func(w io.Writer) error {
		text, err := table.Text(front...)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		return err
	})
}

// parseSeeds reads a flag's list of seeds.
func parseSeeds(flag, list string) ([]uint64, error) {
	var seeds []uint64
	for _, s := range splitList(list) {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("ngebm: %q is not a seed; seeds are whole numbers from 0 to %d, as in %s 1,2,3", s, uint64(math.MaxUint64), flag)
		}
		seeds = append(seeds, seed)
	}
	return seeds, nil
}

// splitList splits at commas and drops empty parts.
func splitList(list string) []string {
	var parts []string
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}
