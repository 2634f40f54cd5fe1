package measure

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"ngebm/data/plain"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/ood"
)

// String returns the report as aligned tables.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d weights, measured on %s %s (%d examples)\n", plain.Text(r.Network), r.Parameters, plain.Text(r.Data.Name), r.Data.Split, r.Examples)
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	if r.Refined != nil {
		fmt.Fprintf(&b, "refined: by %s\n", r.Refined.Refinement)
	}
	table(&b, r.calibrationRows)
	fmt.Fprintf(&b, "\nenergy %.3f ± %.3f, gradient norm %.3f ± %.3f (mean ± standard deviation, 1/N)\n",
		r.Energy.Mean, r.Energy.Deviation, r.GradientNorm.Mean, r.GradientNorm.Deviation)
	if len(r.OOD) > 0 {
		table(&b, r.oodRows)
	}
	if len(r.Robustness) > 0 {
		table(&b, r.robustnessRows)
	}
	warn(&b, "", r.Masking, r.Robustness)
	if r.Refined != nil {
		warn(&b, "refined, ", r.Refined.Masking, r.Refined.Robustness)
	}
	return b.String()
}

func warn(b *strings.Builder, which string, checks []*attack.MaskingReport, curves []*attack.Curve) {
	for _, c := range curves {
		for _, w := range c.Warnings {
			fmt.Fprintf(b, "warning, %s%s: %s: %s\n", which, c.Kind, w.Name, w.Text)
		}
	}
	for _, m := range checks {
		for _, w := range m.Warnings {
			fmt.Fprintf(b, "warning, %s%s at ε = %.4g: %s: %s\n", which, m.Norm, m.Epsilon, w.Name, w.Text)
		}
	}
}

func table(b *strings.Builder, rows func(w io.Writer)) {
	b.WriteByte('\n')
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	rows(w)
	_ = w.Flush() // a strings.Builder takes everything
}

func (r *Report) calibrationRows(w io.Writer) {
	c := r.Calibration
	after := c.Calibrated != nil
	fmt.Fprint(w, "calibration\tvalue\tinterval\t")
	if after {
		fmt.Fprintf(w, "at T = %.3f\t", c.TOpt)
	}
	if r.Refined != nil {
		fmt.Fprint(w, "refined\t")
	}
	fmt.Fprintln(w, "convention")
	for _, convention := range calibration.Conventions() {
		fmt.Fprintf(w, "%s\t%.4f\t", convention.Name, convention.Of(c.Metrics))
		if i, ok := c.Intervals[convention.Name]; ok {
			fmt.Fprintf(w, "%.4f … %.4f", i.Low, i.High)
		}
		if after {
			fmt.Fprintf(w, "\t%.4f", convention.Of(c.AfterT.Metrics))
		}
		if r.Refined != nil {
			fmt.Fprintf(w, "\t%.4f", convention.Of(r.Refined.Calibration.Metrics))
		}
		fmt.Fprintf(w, "\t%s\n", convention.Definition)
		r.perfectRow(w, convention.Name)
	}
	for _, warning := range c.Warnings {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
}

// perfectRow says what a perfectly calibrated model would show.
func (r *Report) perfectRow(w io.Writer, name string) {
	p, ok := r.Calibration.Perfect[name]
	if !ok {
		return
	}
	fmt.Fprintf(w, "  perfect model's\t%.4f\t%.4f … %.4f", p.Mean, p.Low, p.High)
	if r.Calibration.Calibrated != nil {
		fmt.Fprintf(w, "\t%.4f", r.Calibration.AfterT.Perfect[name].Mean)
	}
	if r.Refined != nil {
		fmt.Fprintf(w, "\t%.4f", r.Refined.Calibration.Perfect[name].Mean)
	}
	fmt.Fprint(w, "\tmean and 95 % of a perfectly calibrated model with the same confidences\n")
}

func (r *Report) oodRows(w io.Writer) {
	fmt.Fprint(w, "out-of-distribution set\tscore")
	for _, convention := range ood.Conventions() {
		fmt.Fprintf(w, "\t%s", convention.Name)
	}
	fmt.Fprintln(w)
	for _, d := range r.OOD {
		fmt.Fprintf(w, "%s\t%s", plain.Text(d.Set.Name), d.Score)
		for _, convention := range ood.Conventions() {
			fmt.Fprintf(w, "\t%.4f", convention.Of(d.Metrics))
			if i, ok := d.Intervals[convention.Name]; ok {
				fmt.Fprintf(w, " [%.4f, %.4f]", i.Low, i.High)
			}
		}
		fmt.Fprintln(w)
	}
}

func (r *Report) robustnessRows(w io.Writer) {
	fmt.Fprintln(w, "attack\tε\trobust accuracy\t95 % (Wilson)\timages")
	row := func(attack, which string, p attack.Point, n int) {
		fmt.Fprintf(w, "%s%s\t%.4g\t%.4f\t%.4f … %.4f\t%d\n", attack, which, p.Epsilon, p.Accuracy, p.Low, p.High, n)
	}
	for i, c := range r.Robustness {
		row("none", "", c.Clean, c.N)
		if r.Refined != nil {
			row("none", ", refined", r.Refined.Robustness[i].Clean, c.N)
		}
		for j, p := range c.Points {
			row(c.Attack, "", p, c.N)
			if r.Refined != nil {
				row(c.Attack, ", refined", r.Refined.Robustness[i].Points[j], c.N)
			}
		}
	}
}
