package study

import (
	"math"
	"strings"

	"ngebm/ngebm/attack"
	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/calibration"
)

// MetricOf reads a metric from the result of a run that did not fail. Its value is NaN if
// the run lacks it.
type MetricOf func(*Result) Metric

// Calibration reads the calibration metric of that name, see calibration.Conventions, of
// the network without temperature scaling.
func Calibration(name string) MetricOf {
	return calibrationMetric(name, name, func(r *Result) *calibration.Report { return r.Calibration })
}

// AtT is [Calibration] after temperature scaling, T fitted on validation data.
func AtT(name string) MetricOf {
	return calibrationMetric(name+" at T", name, func(r *Result) *calibration.Report {
		if r.Calibration == nil || r.Calibration.Calibrated == nil {
			return nil
		}
		return r.Calibration.AfterT
	})
}

func calibrationMetric(name, convention string, of func(*Result) *calibration.Report) MetricOf {
	for _, c := range calibration.Conventions() {
		if c.Name != convention {
			continue
		}
		return func(r *Result) Metric {
			report := of(r)
			if report == nil {
				return missing(name)(r)
			}
			return Metric{Name: name, Definition: c.Definition, HigherIsBetter: convention == "accuracy",
				Scale: scaleOverSeeds(c),
				Value: c.Of(report.Metrics), Interval: interval(report.Intervals, convention)}
		}
	}
	return missing(name)
}

// scaleOverSeeds is the scale of a metric's mean over seeds. Sums of gaps are shares but for
// the parts of the Brier score, which may exceed 1.
func scaleOverSeeds(c calibration.Convention) bootstrap.Scale {
	if c.Scale == bootstrap.Gap && strings.HasPrefix(c.Name, "Brier") {
		return bootstrap.Positive
	}
	return c.Scale
}

// Perfect reads what a perfectly calibrated model with the same confidences would show on
// average, in ECE, ECE_equal_mass or ECE_midpoint; see calibration.Report.
func Perfect(name string) MetricOf {
	return func(r *Result) Metric {
		if r.Calibration == nil {
			return missing(name + " of a perfect model")(r)
		}
		e, ok := r.Calibration.Perfect[name]
		if !ok {
			return missing(name + " of a perfect model")(r)
		}
		return Metric{Name: name + " of a perfect model", Definition: "mean and 95 % of a perfectly calibrated model with the same confidences",
			Scale: bootstrap.Gap, Value: e.Mean, Interval: &bootstrap.Interval{Low: e.Low, High: e.High}}
	}
}

// missing reads a metric that no run has.
func missing(name string) MetricOf {
	return func(*Result) Metric { return Metric{Name: name, Definition: "not measured", Value: math.NaN()} }
}

func interval(all map[string]bootstrap.Interval, key string) *bootstrap.Interval {
	if i, ok := all[key]; ok {
		return &i
	}
	return nil
}

// Temperature reads the temperature with the least NLL on the validation examples: above
// 1 the network is over-confident, below 1 under-confident.
func Temperature() MetricOf {
	return func(r *Result) Metric {
		if r.Calibration == nil || r.Calibration.Calibrated == nil {
			return missing("T")(r)
		}
		return Metric{Name: "T", Scale: bootstrap.Positive, Definition: "temperature with the least NLL on validation examples",
			Value: r.Calibration.TOpt, Interval: interval(r.Calibration.Intervals, "T_opt")}
	}
}

// AUROC reads how well a score separates the test examples from an OOD set.
func AUROC(set, score string) MetricOf {
	return func(r *Result) Metric {
		m := Metric{Name: score + ", " + set, Definition: "AUROC, in-distribution positive", HigherIsBetter: true, Scale: bootstrap.Share, Value: math.NaN()}
		for _, d := range r.Detection {
			if d.Set == set && d.Score == score {
				m.Value, m.Interval = d.AUROC, interval(d.Intervals, "AUROC")
				break
			}
		}
		return m
	}
}

// SynthesizedAUROC is [AUROC] for the OOD set of a kind that was made from the test
// examples, see data.Dataset.SynthesizeOOD.
func SynthesizedAUROC(kind, score string) MetricOf {
	return func(r *Result) Metric {
		if len(r.Sets) < 3 { // of an ensemble or a shifted set
			return missing(score + ", " + kind)(r)
		}
		return AUROC(r.Sets[2].Name+", "+kind, score)(r)
	}
}

// OODSets returns the names of the sets that were detected.
func (r *Results) OODSets() []string { return r.detected(func(d Detection) string { return d.Set }) }

// detected are the values of a field of the detections, each once.
func (r *Results) detected(field func(Detection) string) (values []string) {
	seen := map[string]bool{}
	for _, run := range r.Runs {
		for _, d := range run.Detection {
			if v := field(d); !seen[v] {
				seen[v] = true
				values = append(values, v)
			}
		}
	}
	return values
}

// byDetection returns a function that estimates a metric of a method's detections with one key. The
// detections are sorted by their keys once, since a file may have many.
func (r *Results) byDetection(key func(Detection) [2]string) func(method string, of MetricOf, key [2]string) Estimate {
	type place struct {
		method string
		key    [2]string
	}
	found, runs := map[place][]*Result{}, map[string]int{}
	for _, run := range r.Runs {
		if run.Failed != "" {
			continue
		}
		runs[run.Method]++
		own := map[[2]string]*Result{}
		for _, d := range run.Detection {
			k := key(d)
			if own[k] == nil {
				own[k] = &Result{}
				found[place{run.Method, k}] = append(found[place{run.Method, k}], own[k])
			}
			own[k].Detection = append(own[k].Detection, d)
		}
	}
	return func(method string, of MetricOf, key [2]string) Estimate {
		results := found[place{method, key}]
		if len(results) < runs[method] {
			results = []*Result{{}} // one run lacks it, and so has the mean no value
		}
		return Row{Results: results}.Estimate(of)
	}
}

// Curve returns the run's curve in a norm, of PGD or of the ensemble of attacks; nil if it
// was not measured.
func (r *Result) Curve(norm attack.Norm, ensemble bool) *attack.Curve {
	for _, c := range r.Robustness {
		if c.Norm == norm && c.Kind.IsEnsemble() == ensemble {
			return c
		}
	}
	return nil
}

// RobustAccuracy reads the accuracy that is left at the i-th ε of a curve, see
// [Result.Curve].
func RobustAccuracy(norm attack.Norm, ensemble bool, i int) MetricOf {
	name := "PGD " + string(norm)
	if ensemble {
		name = "worst " + string(norm)
	}
	return func(r *Result) Metric {
		m := Metric{Name: name, Definition: "share of the attacked examples still classified correctly; Wilson's interval", HigherIsBetter: true, Scale: bootstrap.Share, Value: math.NaN()}
		if c := r.Curve(norm, ensemble); c != nil && i < len(c.Points) {
			p := c.Points[i]
			m.Value, m.Interval = p.Accuracy, &bootstrap.Interval{Low: p.Low, High: p.High}
		}
		return m
	}
}

// UnattackedAccuracy reads the accuracy on the examples of a curve without an attack, see
// [Result.Curve].
func UnattackedAccuracy(norm attack.Norm) MetricOf {
	return func(r *Result) Metric {
		m := Metric{Name: "no attack", Definition: "share of the examples, before they are attacked, classified correctly; Wilson's interval", HigherIsBetter: true, Scale: bootstrap.Share, Value: math.NaN()}
		if c := r.Curve(norm, false); c != nil {
			m.Value, m.Interval = c.Clean.Accuracy, &bootstrap.Interval{Low: c.Clean.Low, High: c.Clean.High}
		}
		return m
	}
}

// EnergyMean reads the mean of E(x) over the test examples.
func EnergyMean() MetricOf {
	return Custom("mean energy", "mean of E(x) over the test examples", func(r *Result) float64 { return momentOf(r, r.Energy.Mean) })
}

// EnergyDeviation reads the standard deviation of E(x) over the test examples.
func EnergyDeviation() MetricOf {
	return positive("deviation of the energy", "standard deviation of E(x) over the test examples (1/N)", func(r *Result) float64 { return momentOf(r, r.Energy.Deviation) })
}

// MeanGradientNorm reads the mean of ‖∂E/∂x‖ over the test examples.
func MeanGradientNorm() MetricOf {
	return positive("gradient norm", "mean of ‖∂E/∂x‖₂ over the test examples", func(r *Result) float64 { return momentOf(r, r.GradientNorm.Mean) })
}

// momentOf is a moment of a run; NaN for a result that was made of others, such as a row after
// temperature scaling, which does not have it.
func momentOf(r *Result, moment float64) float64 {
	if r.Run == "" {
		return math.NaN()
	}
	return moment
}

// positive is [Custom] for numbers of 0 or more.
func positive(name, definition string, of func(*Result) float64) MetricOf {
	return func(r *Result) Metric {
		return Metric{Name: name, Definition: definition, Scale: bootstrap.Positive, Value: of(r)}
	}
}

// Custom makes a metric of any other number in a result, see also [MetricOf.WithScale].
func Custom(name, definition string, of func(*Result) float64) MetricOf {
	return func(r *Result) Metric { return Metric{Name: name, Definition: definition, Value: of(r)} }
}

// WithScale returns the metric with intervals on another scale: bootstrap.Share for a [Custom]
// one from 0 to 1, bootstrap.Signed for one from -1 to 1.
func (f MetricOf) WithScale(scale bootstrap.Scale) MetricOf {
	return func(r *Result) Metric {
		m := f(r)
		m.Scale = scale
		return m
	}
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

// Values returns a metric of a method's runs, by seed.
func (r *Results) Values(method string, of MetricOf) []float64 {
	var values []float64
	for _, run := range r.Of(method) {
		values = append(values, of(run).Value)
	}
	return values
}

// Estimate is the mean over a method's seeds with its 95 % t-interval; all NaN if it has
// no runs.
func (r *Results) Estimate(method string, of MetricOf) Estimate {
	return Row{Results: r.Of(method)}.Estimate(of)
}

// Ratio says how many times larger a metric of one method is than a metric of another,
// between runs with the same seed; see [Ratio].
func (r *Results) Ratio(above string, f MetricOf, below string, g MetricOf) Comparison {
	return ratio(r.pairs(above, below), f, g)
}

// Difference says by how much a metric of one method is larger than a metric of another,
// between runs with the same seed; see [Difference].
func (r *Results) Difference(method string, f MetricOf, other string, g MetricOf) Comparison {
	return difference(r.pairs(method, other), f, g)
}

// pairs returns the runs of two methods with the same seed.
func (r *Results) pairs(method, other string) [][2]*Result {
	return pairs(r.Of(method), r.Of(other))
}
