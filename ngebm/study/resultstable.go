package study

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"ngebm/data/plain"
	"ngebm/ngebm/attack"
)

// String returns aligned tables. [Results.Costs] has what they took.
func (r *Results) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %d of %d runs\n", plain.Text(r.Preset), r.Base.Net, len(r.Runs), len(r.Methods)*len(r.Seeds))
	if len(r.Runs) > 0 {
		for _, s := range r.Runs[0].Sets {
			fmt.Fprintf(&b, "  %s: %d examples of %s\n", s.Split, s.Examples, plain.Text(s.Name))
		}
	}
	b.WriteString("means over seeds and their 95 % t-intervals\n")
	table := func(rows func(w io.Writer)) {
		b.WriteByte('\n')
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		rows(w)
		_ = w.Flush() // a strings.Builder takes everything
	}
	if r.Selected != nil {
		table(r.selectionRows)
	}
	table(r.calibrationRows)
	table(r.ratioRows)
	if len(r.OODSets()) > 0 {
		table(r.detectionRows)
	}
	if len(r.Measure.Near) > 0 {
		table(r.groupRows)
	}
	for _, c := range []struct {
		norm     attack.Norm
		ensemble bool
	}{{attack.Linf, false}, {attack.L2, false}, {attack.Linf, true}} {
		if curve := r.curve(c.norm, c.ensemble); curve != nil {
			fmt.Fprintf(&b, "\n%s:", curve.Attack)
			table(func(w io.Writer) { r.robustnessRows(w, curve, c.ensemble) })
		}
	}
	table(r.energyRows)
	if len(r.Measure.Missing) > 0 {
		fmt.Fprintf(&b, "\ndatasets that were missing: %s", strings.Join(r.Measure.Missing, ", "))
	}
	if r.Selected != nil {
		for _, c := range r.Selected.Candidates {
			for _, note := range c.Notes {
				fmt.Fprintf(&b, "\nnote: the candidate %s, %s", c.Settings, note)
			}
		}
	}
	for _, run := range r.Runs {
		if run.Failed != "" {
			fmt.Fprintf(&b, "\nfailed: %s, seed %d: %s", run.Method, run.Seed, run.Failed)
		}
		for _, c := range run.Robustness {
			for _, w := range c.Warnings {
				fmt.Fprintf(&b, "\nwarning: %s, seed %d, %s: %s: %s", run.Method, run.Seed, c.Kind, w.Name, w.Text)
			}
		}
		for _, note := range run.Notes {
			fmt.Fprintf(&b, "\nnote: %s, seed %d: %s", run.Method, run.Seed, note)
		}
	}
	measuredBy := map[string]bool{}
	for _, run := range r.Runs {
		if run.Failed == "" {
			measuredBy[run.Measuring.Source] = true
		}
	}
	if len(measuredBy) > 1 {
		fmt.Fprintf(&b, "\nnote: the runs were measured by %d versions of the code, as each says (measuring.source); a change between them may be part of a difference", len(measuredBy))
	}
	for _, m := range r.Methods {
		seeds := len(r.Of(m))
		if e := r.Ensemble(m); r.Measure.Ensembles && seeds > 1 && (e == nil || len(e.Seeds) < seeds) {
			fmt.Fprintf(&b, "\nnote: there is no ensemble of all %d runs of %s, whose folders were not in one place; the experiment without -part, with all of them in one folder of runs, adds it", seeds, m)
		}
	}
	for _, name := range r.Missing() {
		fmt.Fprintf(&b, "\nmissing: %s", name)
	}
	var trimmed strings.Builder
	for line := range strings.Lines(b.String()) {
		fmt.Fprintln(&trimmed, strings.TrimRight(line, " \n"))
	}
	return trimmed.String()
}

func (r *Results) selectionRows(w io.Writer) {
	fmt.Fprintf(w, "candidates, on validation examples\t%s\taccuracy\tECE\n", r.Selected.Metric)
	for _, c := range r.Selected.Candidates {
		mark := ""
		if c.Settings == r.Selected.Settings {
			mark = "selected"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s %s\n", c.Settings, mean(c.Metrics[r.Selected.Metric]), mean(c.Metrics["accuracy"]), mean(c.Metrics["ECE"]), mark, strings.Join(c.Failed, "; "))
	}
}

func mean(values []float64) string {
	sum := 0.
	for _, v := range values {
		sum += v / float64(len(values))
	}
	if len(values) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.4f", sum)
}

// calibrationRows has two rows for each method, without and with temperature scaling, and its
// ensemble if there is one.
func (r *Results) calibrationRows(w io.Writer) {
	names := []string{"accuracy", "mean_confidence", "ECE", "ECE_debiased", "ECE_midpoint", "NLL", "Brier_sum"}
	fmt.Fprintf(w, "calibration\t%s\tT\tECE, perfect model\n", strings.Join(names, "\t"))
	for _, m := range r.Methods {
		fmt.Fprint(w, Title(m))
		for _, name := range names {
			fmt.Fprintf(w, "\t%s", r.Estimate(m, Calibration(name)).Format(4))
		}
		fmt.Fprintf(w, "\t%s\t%s\n  + temperature", r.Estimate(m, Temperature()).Format(3), r.Estimate(m, Perfect("ECE")).Format(4))
		for _, name := range names {
			fmt.Fprintf(w, "\t%s", r.Estimate(m, AtT(name)).Format(4))
		}
		fmt.Fprintln(w)
		if e := r.Ensemble(m); e != nil {
			fmt.Fprintf(w, "  ensemble of %d", len(e.Seeds))
			for _, name := range names {
				fmt.Fprintf(w, "\t%.4f", Calibration(name)(&Result{Calibration: e.Calibration}).Value)
			}
			fmt.Fprintln(w)
		}
	}
}

// ratioRows says how many times each method's ECE is smaller than the first's.
func (r *Results) ratioRows(w io.Writer) {
	base := r.Methods[0]
	fmt.Fprintf(w, "ECE of %s / ECE of the method (95 %%)\tECE\tECE_midpoint\tECE at T\tECE_midpoint at T\n", Title(base))
	for _, m := range r.Methods {
		fmt.Fprint(w, Title(m))
		for _, f := range []MetricOf{Calibration("ECE"), Calibration("ECE_midpoint"), AtT("ECE"), AtT("ECE_midpoint")} {
			e := r.Ratio(base, f, m, f)
			if len(e.Values) == 0 || math.IsNaN(e.Mean) {
				fmt.Fprint(w, "\t-")
				continue
			}
			if m == base { // with itself
				fmt.Fprint(w, "\t1")
				continue
			}
			if len(e.Values) == 1 || e.Equal() {
				fmt.Fprintf(w, "\t%s", e.Format(2))
				continue
			}
			fmt.Fprintf(w, "\t%.2f (%.2f … %.2f)", e.Mean, e.Low, e.High)
		}
		fmt.Fprintln(w)
	}
}

func (r *Results) detectionRows(w io.Writer) {
	scores := append([]string{"px", "py", "pxgrad"}, r.Measure.Detectors...)
	fmt.Fprintf(w, "AUROC\tmethod\t%s\n", strings.Join(scores, "\t"))
	estimate := r.byDetection(func(d Detection) [2]string { return [2]string{d.Set, d.Score} })
	for _, set := range r.OODSets() {
		for _, m := range r.Methods {
			fmt.Fprintf(w, "%s\t%s", plain.Text(set), Title(m))
			for _, score := range scores {
				fmt.Fprintf(w, "\t%s", estimate(m, AUROC(set, score), [2]string{set, score}).Format(3))
			}
			fmt.Fprintln(w)
		}
	}
}

// curve returns the first run's curve of that kind.
func (r *Results) curve(norm attack.Norm, ensemble bool) *attack.Curve {
	for i := range r.Runs {
		if c := r.Runs[i].Curve(norm, ensemble); c != nil {
			return c
		}
	}
	return nil
}

func (r *Results) robustnessRows(w io.Writer, curve *attack.Curve, ensemble bool) {
	name := "PGD " + string(curve.Norm)
	if ensemble {
		name = "worst case " + string(curve.Norm)
	}
	fmt.Fprintf(w, "%s, %d examples, accuracy at ε =", name, curve.N)
	for _, p := range curve.Points {
		fmt.Fprintf(w, "\t%.4g", p.Epsilon)
	}
	fmt.Fprintln(w)
	for _, m := range r.Methods {
		fmt.Fprint(w, Title(m))
		for i := range curve.Points {
			fmt.Fprintf(w, "\t%s", r.Estimate(m, RobustAccuracy(curve.Norm, ensemble, i)).Format(3))
		}
		fmt.Fprintln(w)
	}
}

func (r *Results) energyRows(w io.Writer) {
	fmt.Fprintln(w, "energy\tmean of E\tdeviation of E\tmean of ‖∂E/∂x‖")
	for _, m := range r.Methods {
		fmt.Fprint(w, Title(m))
		for _, of := range []MetricOf{
			EnergyMean(),
			EnergyDeviation(),
			MeanGradientNorm(),
		} {
			fmt.Fprintf(w, "\t%s", r.Estimate(m, of).Format(3))
		}
		fmt.Fprintln(w)
	}
}
