package study

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"ngebm/data/plain"
	"ngebm/ngebm"
)

// Setup describes what was done, in aligned lines: the data, what was measured on how many
// examples, the network, the training, the seeds, the machines and the code. Without runs it
// has only the preset.
func (r *Results) Setup() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s "+format+"\n", append([]any{name}, args...)...)
	}
	line("preset", "%s", plain.Text(r.Preset))
	if len(r.Runs) == 0 {
		return b.String()
	}
	run := r.Runs[0]
	for _, s := range run.Sets {
		lossy := ""
		if s.Lossy {
			lossy = ", lossy"
		}
		sum := fmt.Sprintf("SHA-256 %.12s…", s.Checksum)
		if !r.share(s) {
			sum = "drawn by each seed"
		}
		line(s.Split, "%d examples of %s%s, %s", s.Examples, plain.Text(s.Name), lossy, sum)
	}
	if c := run.Calibration; c != nil {
		of := func(n, all int) int { // 0 asks for all
			if n == 0 {
				return all
			}
			return min(n, all)
		}
		m := r.Measure // each part is drawn from the one before
		detected := of(m.OODExamples, c.Samples)
		attacked := of(m.AttackExamples, detected)
		parts := fmt.Sprintf("%d test examples", c.Samples)
		if len(m.OODKinds)+len(m.OODDatasets) > 0 {
			parts += fmt.Sprintf("; %d for OOD detection", detected)
		}
		if len(m.attacks()) > 0 {
			parts += fmt.Sprintf("; %d attacked", attacked)
		}
		if len(m.Linf) > 0 {
			parts += fmt.Sprintf(", %d of them by the ensemble", of(m.EnsembleExamples, attacked))
		}
		line("measured", "%s", parts)
	}
	c := run.Config
	line("network", "%s, %d weights", run.Network, run.Parameters)
	line("training", "%d steps of %d examples (%d epochs), %s at %g, %s, noise of %g",
		run.Training.Steps, c.Batch, c.Epochs, optimizer(c), c.LearningRate, c.Schedule, c.Augment.Noise)
	seeds := fmt.Sprint(r.Seeds)
	if done := r.seedsDone(); len(done) < len(r.Seeds) {
		seeds = fmt.Sprintf("%v of %v", done, r.Seeds)
	}
	line("seeds", "%s, weights, order and validation split", seeds)
	for i, machine := range r.machines() {
		line([]string{"machine", ""}[min(i, 1)], "%s", machine)
	}
	versions := map[string]bool{}
	for _, run := range r.Runs {
		versions[run.Training.Code], versions[run.Measuring.Code] = true, true
	}
	line("code", "%d versions of this repository, each run names its own", len(versions))
	if notes := r.NotesInShort(); notes != "" {
		line("notes", "%s", plain.Text(notes))
	}
	if len(r.Measure.Missing) > 0 {
		line("missing", "%s: nothing is said of these", strings.Join(r.Measure.Missing, ", "))
	}
	return b.String()
}

// machines are the kinds of machines, with their devices, that runs were trained and measured on.
func (r *Results) machines() (all []string) {
	for _, run := range r.Runs {
		for _, w := range []Work{run.Training.Work, run.Measuring} {
			if w.Machine != "" { // else it is not known, or nothing was measured
				all = append(all, w.Machine+"; "+w.Device)
			}
		}
	}
	return union(nil, all)
}

// share reports whether all runs have the same examples in a split.
func (r *Results) share(set DatasetInfo) bool {
	for _, run := range r.Runs {
		for _, s := range run.Sets {
			if s.Split == set.Split && s.Checksum != set.Checksum {
				return false
			}
		}
	}
	return true
}

// seedsDone are the seeds that any method has.
func (r *Results) seedsDone() (done []uint64) {
	has := map[uint64]bool{}
	for _, run := range r.Runs {
		has[run.Seed] = true
	}
	for _, seed := range r.Seeds {
		if has[seed] {
			done = append(done, seed)
		}
	}
	return done
}

// HowMany says how many seeds the rows have: "3 seeds", or "1 to 3 seeds".
func HowMany(rows []Row) string {
	least, most := 0, 0
	for i, row := range rows {
		n := len(row.Results)
		if most = max(most, n); i == 0 || n < least {
			least = n
		}
	}
	switch {
	case least < most:
		return fmt.Sprintf("%d to %d seeds", least, most)
	case most == 1:
		return "1 seed"
	}
	return fmt.Sprintf("%d seeds", most)
}

// optimizer is the name of a configuration's optimizer.
func optimizer(c ngebm.Config) string {
	switch c.Optimizer {
	case ngebm.SGD:
		if c.Momentum > 0 {
			return fmt.Sprintf("SGD with momentum %g", c.Momentum)
		}
		return "SGD"
	case ngebm.AdamW:
		return "AdamW"
	}
	return "Adam"
}

// Costs returns a table of what training and measuring took: the mean over seeds and
// the range. These differ between machines, and with their load.
func (r *Results) Costs() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "cost\tsteps\tms a step\tprocessor ms a step\ttraining, s\tmeasuring, s")
	for _, m := range r.Methods {
		runs := r.Of(m)
		if len(runs) == 0 {
			continue
		}
		fmt.Fprintf(w, "%s\t%d", Title(m), runs[0].Training.Steps)
		for _, of := range []func(*Result) float64{
			func(run *Result) float64 { return 1000 * run.Training.Seconds / float64(run.Training.Steps) },
			func(run *Result) float64 { return 1000 * run.Training.Process / float64(run.Training.Steps) },
			func(run *Result) float64 { return run.Training.Seconds },
			func(run *Result) float64 { return run.Measuring.Seconds },
		} {
			e := r.Estimate(m, Custom("", "", of))
			if len(e.Values) == 1 {
				fmt.Fprintf(w, "\t%s", digits(e.Mean))
				continue
			}
			fmt.Fprintf(w, "\t%s (%s … %s)", digits(e.Mean), digits(slices.Min(e.Values)), digits(slices.Max(e.Values)))
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush() // a strings.Builder takes everything
	return b.String()
}

// digits writes three significant digits, or all before the point.
func digits(v float64) string {
	if math.Abs(v) >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
