package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"ngebm/data/files"
	"ngebm/data/nearest"
	"ngebm/ngebm/study"
	// the verb has the package's name
)

const sweepAbout = `Choose settings: train every combination of a grid with every seed, judge each run on the validation
examples that it held out (never on the test set), and print means over seeds with 95 % t-intervals.
Settings are those of -set, at least alpha, beta and gamma. Rows that no other row beats in all of the
figures of -pareto are marked "front". What is trained and judged already is loaded, so that a sweep that
was stopped or killed goes on where it was when the same command runs again. Ctrl-C saves and stops.`

func sweep(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flagSet("sweep", sweepAbout, "ngebm sweep -preset digits-few -grid 'beta=0,.01,.1;gamma=0,.01,.1' -seeds 1,2,3 -json sweep.json")
	var f configFlags
	f.register(fs)
	var judge study.Validation
	var gridText, seedList, pareto string
	listVar(fs, &gridText, "grid", "", ";", "settings and their values, as in 'beta=0,.01,.1;gamma=0,.01,.1'")
	listVar(fs, &seedList, "seeds", "1,2,3", ",", "seeds; each decides weights, order and validation split of its runs")
	listVar(fs, &pareto, "pareto", strings.Join(study.ParetoFigures(), ","), ",", "figures of the Pareto front, from "+strings.Join(study.ValidationFigures(), ", "))
	fs.StringVar(&judge.Strange, "strange", "", "kind of strange examples to tell the validation set from: rotated, uniform noise, inverted … (default: rotated, or uniform box for points)")
	fs.Float64Var(&judge.Epsilon, "epsilon", 0, "size of the PGD attack in L∞, of the pixel range (default: 8/255, .3 for points)")
	fs.IntVar(&judge.Examples, "attacked", 0, "validation examples to attack (default: 200, or all if there are fewer)")
	jsonFile := fs.String("json", "", "write the table there too, as JSON; - is the standard output, in place of the table")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("ngebm sweep: %q is no flag; put the grid into quotes, as in -grid 'beta=0,.1;gamma=0,.1'", fs.Arg(0))
	}
	cfg, err := f.config()
	if err != nil {
		return err
	}
	grid, err := study.ParseGrid(gridText)
	if err != nil {
		return err
	}
	seeds, err := parseSeeds(seedList)
	if err != nil {
		return err
	}
	front := splitList(pareto)
	for _, name := range front { // hours before the table finds out
		if !slices.Contains(study.ValidationFigures(), name) {
			return fmt.Errorf("ngebm sweep: -pareto names %q%s; there are %s", name, nearest.Hint(name, study.ValidationFigures()), strings.Join(study.ValidationFigures(), ", "))
		}
	}
	d, options, err := f.open(ctx)
	if err != nil {
		return err
	}
	judge.Progress = options.Progress
	table, err := study.Sweep{Base: cfg, Grid: grid, Seeds: seeds, Judge: study.OnValidation(judge)}.Run(ctx, d.Backend, options)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d runs trained, %d loaded\n", table.Trained, table.Loaded)
	return printSweep(stdout, table, front, *jsonFile)
}

// printSweep prints the table, writes its JSON, or both.
func printSweep(stdout io.Writer, table *study.SweepTable, pareto []string, jsonFile string) error {
	if jsonFile != "" {
		b, err := json.MarshalIndent(table, "", "  ")
		if err != nil {
			return fmt.Errorf("ngebm sweep: %w", err)
		}
		b = append(b, '\n')
		if jsonFile == "-" {
			_, err = stdout.Write(b)
			return err
		}
		if err := files.WriteFile(jsonFile, b, 0o644); err != nil {
			return fmt.Errorf("ngebm sweep: cannot write the table: %w", err)
		}
	}
	text, err := table.Text(pareto...)
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, text)
	return err
}

func parseSeeds(list string) ([]uint64, error) {
	var seeds []uint64
	for _, s := range splitList(list) {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("ngebm sweep: %q is no seed; give whole numbers from 0 to %d, as in -seeds 1,2,3", s, uint64(math.MaxUint64))
		}
		seeds = append(seeds, seed)
	}
	return seeds, nil
}

// splitList splits at commas, and leaves out what is empty.
func splitList(list string) []string {
	var parts []string
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}
