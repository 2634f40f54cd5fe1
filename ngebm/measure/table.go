package measure

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"ngebm/ngebm/calibration"
	"ngebm/ngebm/ood"
)

// String returns the report as aligned tables.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d weights, measured on %s %s (%d examples)\n", r.Network, r.Parameters, r.Data.Name, r.Data.Split, r.Examples)
	table(&b, r.calibrationRows)
	fmt.Fprintf(&b, "\nenergy %.3f ± %.3f, gradient norm %.3f ± %.3f (mean ± standard deviation, 1/N)\n",
		r.Energy.Mean, r.Energy.Deviation, r.GradientNorm.Mean, r.GradientNorm.Deviation)
	if len(r.OOD) > 0 {
		table(&b, r.oodRows)
	}
	if len(r.Robustness) > 0 {
		table(&b, r.robustnessRows)
	}
	for _, m := range r.Masking {
		for _, w := range m.Warnings {
			fmt.Fprintf(&b, "warning, %s at ε = %.4g: %s: %s\n", m.Norm, m.Epsilon, w.Name, w.Text)
		}
	}
	return b.String()
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
	fmt.Fprintln(w, "convention")
	for _, convention := range calibration.Conventions() {
		fmt.Fprintf(w, "%s\t%.4f\t", convention.Name, convention.Of(c.Figures))
		if i, ok := c.Intervals[convention.Name]; ok {
			fmt.Fprintf(w, "%.4f … %.4f", i.Low, i.High)
		}
		if after {
			fmt.Fprintf(w, "\t%.4f", convention.Of(c.AfterT.Figures))
		}
		fmt.Fprintf(w, "\t%s\n", convention.Is)
	}
	for _, warning := range c.Warnings {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
}

func (r *Report) oodRows(w io.Writer) {
	fmt.Fprint(w, "out-of-distribution set\tscore")
	for _, convention := range ood.Conventions() {
		fmt.Fprintf(w, "\t%s", convention.Name)
	}
	fmt.Fprintln(w)
	for _, d := range r.OOD {
		fmt.Fprintf(w, "%s\t%s", d.Set.Name, d.Score)
		for _, convention := range ood.Conventions() {
			fmt.Fprintf(w, "\t%.4f", convention.Of(d.Metrics))
		}
		fmt.Fprintln(w)
	}
}

func (r *Report) robustnessRows(w io.Writer) {
	fmt.Fprintln(w, "attack\tε\trobust accuracy\t95 % (Wilson)\timages")
	for _, c := range r.Robustness {
		fmt.Fprintf(w, "none\t0\t%.4f\t%.4f … %.4f\t%d\n", c.Clean.Accuracy, c.Clean.Low, c.Clean.High, c.N)
		for _, p := range c.Points {
			fmt.Fprintf(w, "%s\t%.4g\t%.4f\t%.4f … %.4f\t%d\n", c.Attack, p.Epsilon, p.Accuracy, p.Low, p.High, c.N)
		}
	}
}
