package experiment

import (
	"fmt"
	"math"

	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
	"ngebm/ngebm/study"
)

// Figure is one number of a run.
type Figure struct {
	Name string // "ECE", "ECE at T"
	Is   string // its convention
	of   func(*Result) (value float64, interval *bootstrap.Interval)
}

// Of returns the figure of a run that did not fail; NaN where the run lacks it.
func (f Figure) Of(r *Result) float64 {
	v, _ := f.of(r)
	return v
}

// Interval returns the run's own 95 % interval of the figure, over the draw of the
// examples; nil where none was drawn.
func (f Figure) Interval(r *Result) *bootstrap.Interval {
	_, i := f.of(r)
	return i
}

// Calibration returns the figure of that name (see calibration.Conventions) as the
// network is; AtT the same after temperature scaling, T fitted on validation data.
func Calibration(name string) Figure {
	return calibrationFigure(name, name, func(r *Result) *calibration.Report { return r.Calibration })
}

// AtT is [Calibration] after temperature scaling.
func AtT(name string) Figure {
	return calibrationFigure(name+" at T", name, func(r *Result) *calibration.Report { return r.Calibration.AfterT })
}

func calibrationFigure(name, convention string, of func(*Result) *calibration.Report) Figure {
	for _, c := range calibration.Conventions() {
		if c.Name != convention {
			continue
		}
		return Figure{name, c.Definition, func(r *Result) (float64, *bootstrap.Interval) {
			report := of(r)
			return c.Of(report.Figures), interval(report.Intervals, convention)
		}}
	}
	return Figure{name, "not measured", func(*Result) (float64, *bootstrap.Interval) { return math.NaN(), nil }}
}

func interval(all map[string]bootstrap.Interval, key string) *bootstrap.Interval {
	if i, ok := all[key]; ok {
		return &i
	}
	return nil
}

// Temperature is the one with the least NLL on the validation examples: above 1 the
// network is over-confident, below 1 under-confident.
func Temperature() Figure {
	return Figure{"T", "temperature with the least NLL on validation examples", func(r *Result) (float64, *bootstrap.Interval) {
		return r.Calibration.TOpt, interval(r.Calibration.Intervals, "T_opt")
	}}
}

// AUROC is that of telling the test examples from a set of strangers by a score.
func AUROC(set, score string) Figure {
	return Figure{score + ", " + set, "AUROC, in-distribution positive", func(r *Result) (float64, *bootstrap.Interval) {
		for _, d := range r.Detection {
			if d.Set == set && d.Score == score {
				return d.AUROC, interval(d.Intervals, "AUROC")
			}
		}
		return math.NaN(), nil
	}}
}

// Strangers returns the names of the sets that test examples were told from.
func (r *Results) Strangers() []string {
	var names []string
	for _, run := range r.Runs {
		for _, d := range run.Detection {
			names = union(names, []string{d.Set})
		}
	}
	return names
}

// Curve returns the run's curve in a norm: of PGD, or of the worst case. nil where it
// was not measured.
func (r *Result) Curve(norm attack.Norm, worst bool) *attack.Curve {
	for _, c := range r.Robustness {
		if c.Norm == norm && (c.Kind == attack.KindEnsemble) == worst {
			return c
		}
	}
	return nil
}

// Robust is the accuracy that an attack leaves at the i-th ε of its curve.
func Robust(norm attack.Norm, worst bool, i int) Figure {
	name := "PGD " + string(norm)
	if worst {
		name = "worst " + string(norm)
	}
	return Figure{name, "share of the attacked examples that stays right; Wilson's interval", func(r *Result) (float64, *bootstrap.Interval) {
		c := r.Curve(norm, worst)
		if c == nil || i >= len(c.Points) {
			return math.NaN(), nil
		}
		p := c.Points[i]
		return p.Accuracy, &bootstrap.Interval{Low: p.Low, High: p.High}
	}}
}

// Plain makes a figure of anything else in a result.
func Plain(name, is string, of func(*Result) float64) Figure {
	return Figure{name, is, func(r *Result) (float64, *bootstrap.Interval) { return of(r), nil }}
}

// Of returns the results of a method that did not fail, by seed.
func (r *Results) Of(method string) []*Result {
	var runs []*Result
	for i := range r.Runs {
		if r.Runs[i].Method == method && r.Runs[i].Failed == "" {
			runs = append(runs, &r.Runs[i])
		}
	}
	return runs
}

// Values returns a figure of a method's runs, by seed.
func (r *Results) Values(method string, f Figure) []float64 {
	var values []float64
	for _, run := range r.Of(method) {
		values = append(values, f.Of(run))
	}
	return values
}

// Estimate is the mean over a method's seeds with its 95 % t-interval; all NaN where
// there are none.
func (r *Results) Estimate(method string, f Figure) study.Estimate {
	return study.NewEstimate(r.Values(method, f))
}

// Ratio says how many times larger a figure of one method is than a figure of another:
// the geometric mean of the ratios of their runs with the same seed, with the t-interval
// of the mean logarithm. Values holds the ratios, by seed.
func (r *Results) Ratio(above string, f Figure, below string, g Figure) study.Estimate {
	var ratios, logarithms []float64
	for _, run := range r.Of(above) {
		if other := r.Find(below, run.Seed); other != nil && other.Failed == "" {
			ratios = append(ratios, f.Of(run)/g.Of(other))
			logarithms = append(logarithms, math.Log(f.Of(run)/g.Of(other)))
		}
	}
	e := study.NewEstimate(logarithms)
	return study.Estimate{Mean: math.Exp(e.Mean), Low: math.Exp(e.Low), High: math.Exp(e.High), Values: ratios}
}

// Difference says by how much a figure of one method is larger than a figure of another,
// between runs with the same seed: the mean with its t-interval. Values holds the
// differences, by seed.
func (r *Results) Difference(method string, f Figure, other string, g Figure) study.Estimate {
	var differences []float64
	for _, run := range r.Of(method) {
		if o := r.Find(other, run.Seed); o != nil && o.Failed == "" {
			differences = append(differences, f.Of(run)-g.Of(o))
		}
	}
	return study.NewEstimate(differences)
}

// Show writes an estimate as mean ± half of its interval, or the mean alone of one
// seed.
func Show(e study.Estimate, digits int) string {
	switch {
	case len(e.Values) == 0 || math.IsNaN(e.Mean):
		return "-"
	case len(e.Values) == 1:
		return fmt.Sprintf("%.*f", digits, e.Mean)
	}
	return fmt.Sprintf("%.*f ± %.*f", digits, e.Mean, digits, e.High-e.Mean)
}
