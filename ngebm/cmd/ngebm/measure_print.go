package main

import (
	"bytes"
	"fmt"
	"text/tabwriter"

	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/ood"
)

// withInterval prints a metric, and its interval if there is one.
func withInterval(value float64, intervals map[string]bootstrap.Interval, name string) string {
	if i, ok := intervals[name]; ok {
		return fmt.Sprintf("%.6f [%.4f, %.4f]", value, i.Low, i.High)
	}
	return fmt.Sprintf("%.6f", value)
}

// sayIntervals explains the brackets.
func sayIntervals(w *bytes.Buffer, o *bootstrap.Options) {
	if o != nil {
		fmt.Fprintf(w, "[…]: %g %% basic bootstrap intervals, %d resamples, seed %d\n", 100*o.Level, o.Resamples, o.Seed)
	}
}

// print writes aligned tables. (Nothing fails on a buffer.)
func (m *measurement) print(w *bytes.Buffer) {
	if m.Report != nil {
		printCalibration(w, m.Report)
	}
	if len(m.sets) > 0 {
		tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprint(tw, "out\tscore")
		for _, c := range ood.Conventions() {
			fmt.Fprintf(tw, "\t%s", c.Name)
		}
		fmt.Fprintln(tw)
		for _, set := range m.sets {
			for _, s := range m.scores {
				fmt.Fprintf(tw, "%s\t%s", set, s.Name)
				r := m.OOD[set][s.Name]
				for _, c := range ood.Conventions() {
					fmt.Fprintf(tw, "\t%s", withInterval(c.Of(r.Metrics), r.Intervals, c.Name))
				}
				fmt.Fprintln(tw)
			}
		}
		tw.Flush()
		fmt.Fprintln(w)
		for _, c := range ood.Conventions() {
			fmt.Fprintf(w, "%s: %s\n", c.Name, c.Definition)
		}
		for _, s := range m.scores {
			fmt.Fprintf(w, "%s: %s; larger is more in-distribution\n", s.Name, s.Definition)
		}
	}
	sayIntervals(w, m.Bootstrap)
	if m.Report != nil {
		for _, warning := range m.Warnings {
			fmt.Fprintf(w, "warning: %s\n", warning)
		}
	}
	printNotes(w, m.Notes)
}

// printNotes says what the files were read as.
func printNotes(w *bytes.Buffer, notes []string) {
	for _, note := range notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
}

func printCalibration(w *bytes.Buffer, r *calibration.Report) {
	fmt.Fprintf(w, "%d examples, %d classes, %d bins\n\n", r.Samples, r.Classes, r.Bins)
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(tw, "metric\tT = 1\tT = %.6g\tdefinition\n", r.TOpt)
	for _, c := range calibration.Conventions() {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", c.Name, withInterval(c.Of(r.Metrics), r.Intervals, c.Name),
			withInterval(c.Of(r.AfterT.Metrics), r.AfterT.Intervals, c.Name), c.Definition)
		if p, ok := r.Perfect[c.Name]; ok {
			after := r.AfterT.Perfect[c.Name]
			fmt.Fprintf(tw, "  perfect model's\t%.6f [%.4f, %.4f]\t%.6f [%.4f, %.4f]\tmean and 95 %% of a perfectly calibrated model with the same confidences\n",
				p.Mean, p.Low, p.High, after.Mean, after.Low, after.High)
		}
	}
	fmt.Fprintf(tw, "T_opt\t\t%s\tleast NLL of %d validation examples, which is %.6f\n",
		withInterval(r.TOpt, r.Intervals, "T_opt"), r.ValidationSamples, r.NLLAtTOpt)
	tw.Flush()
	fmt.Fprintln(w)
	tw = tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "confidence\texamples\tmean confidence\taccuracy\t")
	for _, b := range r.Reliability {
		if b.Count > 0 {
			fmt.Fprintf(tw, "(%.3f, %.3f]\t%d\t%.4f\t%.4f\t\n", b.Low, b.High, b.Count, b.Confidence, b.Accuracy)
		}
	}
	tw.Flush()
	fmt.Fprintln(w)
}

// print writes an aligned table.
func (s *scoreLists) print(w *bytes.Buffer) {
	fmt.Fprintf(w, "%d in-distribution scores, %d out-of-distribution; larger is more in-distribution\n\n", s.In, s.Out)
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, c := range ood.Conventions() {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", c.Name, withInterval(c.Of(s.Metrics), s.Intervals, c.Name), c.Definition)
	}
	tw.Flush()
	sayIntervals(w, s.Bootstrap)
	printNotes(w, s.Notes)
}
