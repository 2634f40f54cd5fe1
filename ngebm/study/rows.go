package study

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"ngebm/ngebm/bootstrap"
	"ngebm/ngebm/study/palette"
)

// Row is one line of a table or a figure: what was measured of a method, by seed. Any
// [MetricOf] can be read from it.
type Row struct {
	Title   string
	Color   color.Color // nil leaves the choice to the figure
	Results []*Result   // by seed, without runs that failed
}

// Rows returns a row for each compared method.
func Rows(all []Compared) []Row {
	rows := make([]Row, len(all))
	for i, c := range all {
		rows[i] = Row{Title: c.Title, Color: c.Color, Results: c.results()}
	}
	return rows
}

// Rows returns a row for each of the methods of that name, or for all methods of the plan
// that have results if none is given.
func (r *Results) Rows(methods ...string) []Row {
	if len(methods) == 0 {
		methods = slices.DeleteFunc(slices.Clone(r.Methods), func(m string) bool { return len(r.Of(m)) == 0 })
	}
	rows := make([]Row, len(methods))
	for i, name := range methods {
		rows[i] = Row{Title: Title(name), Results: r.Of(name)}
		if m, err := FindMethod(name); err == nil {
			rows[i].Color = m.Color
		}
	}
	return rows
}

// WithTemperature returns the rows with one more in second place: the first method after
// temperature scaling, the baseline that costs no training. See [Row.AfterT].
func WithTemperature(rows []Row) []Row {
	if len(rows) == 0 {
		return nil
	}
	return append([]Row{rows[0], rows[0].AfterT()}, rows[1:]...)
}

// AfterT returns the row after temperature scaling: its metrics of calibration are those
// with the logits divided by the temperature that fits the validation data best. It has no
// other metrics. Runs that were measured without validation data are left out.
func (r Row) AfterT() Row {
	scaled := Row{Title: r.Title + " + temperature", Color: palette.SkyBlue}
	for _, result := range r.Results {
		if result.Calibration == nil || result.Calibration.Calibrated == nil {
			continue
		}
		scaled.Results = append(scaled.Results, &Result{Method: result.Method, Seed: result.Seed,
			Config: result.Config, Sets: result.Sets, Calibration: result.Calibration.AfterT})
	}
	return scaled
}

// Values returns a metric of each run, by seed.
func (r Row) Values(of MetricOf) []float64 {
	values := make([]float64, len(r.Results))
	for i, result := range r.Results {
		values[i] = of(result).Value
	}
	return values
}

// Mean is the mean of a metric over the seeds; NaN without runs.
func (r Row) Mean(of MetricOf) float64 { return stat.Mean(r.Values(of), nil) }

// Estimate is the mean over the seeds with its 95 % t-interval, on the metric's scale.
func (r Row) Estimate(of MetricOf) Estimate {
	if len(r.Results) == 0 {
		return NewEstimate(nil)
	}
	return NewEstimateOn(of(r.Results[0]).Scale, r.Values(of))
}

// Range goes from the lowest to the highest end of the runs' own intervals, so that it
// covers the draw of the test examples and that of the seed. A run without an interval adds its
// value; nil if none has one.
func (r Row) Range(of MetricOf) *bootstrap.Interval {
	all, found := bootstrap.Interval{Low: math.Inf(1), High: math.Inf(-1)}, false
	for _, result := range r.Results {
		m := of(result)
		one := bootstrap.Interval{Low: m.Value, High: m.Value}
		if m.Interval != nil {
			one, found = *m.Interval, true
		}
		all.Low, all.High = min(all.Low, one.Low), max(all.High, one.High)
	}
	if !found {
		return nil
	}
	return &all
}

// Column is a column of a table of rows: a metric with its name.
type Column struct {
	Name string
	Of   MetricOf
}

// results turns the reports into results, which every [MetricOf] reads.
func (c Compared) results() []*Result {
	all := make([]*Result, len(c.Reports))
	for i, report := range c.Reports {
		all[i] = describe(c.Runs[i], planned{c.Name, c.Runs[i].Config.Seed})
		all[i].enter(measured{test: report, detection: report, attacked: report})
	}
	return all
}
