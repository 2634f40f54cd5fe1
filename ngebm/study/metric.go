package study

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats/scalar"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"ngebm/ngebm/bootstrap"
)

// Metric is one number by which runs are compared. Its JSON has the keys "name", "is" and
// "better" ("higher" or "lower"), and no value.
type Metric struct {
	Name           string // "ECE"
	Definition     string // "15 bins of equal width …"
	HigherIsBetter bool
	// Scale is that of intervals over seeds, see [NewEstimateOn]; it is not stored.
	Scale bootstrap.Scale
	Value float64
	// Interval is the run's own 95 % interval over the draw of the examples; nil if none
	// was computed.
	Interval *bootstrap.Interval
}

// better reports whether the value a is better than b, by more than the rounding of means.
func (m Metric) better(a, b float64) bool {
	const rounding = 1e-12 // relative; of values below 1, as an ECE near 0, of 1
	switch {
	case scalar.EqualWithinAbsOrRel(a, b, rounding, rounding):
		return false
	case m.HigherIsBetter:
		return a > b
	}
	return a < b
}

// Direction is "higher" or "lower": which values are better.
func (m Metric) Direction() string {
	if m.HigherIsBetter {
		return "higher"
	}
	return "lower"
}

// metricJSON is a metric in a file.
type metricJSON struct {
	Name       string `json:"name"`
	Definition string `json:"is"`
	Better     string `json:"better"`
}

// MarshalJSON implements [json.Marshaler].
func (m Metric) MarshalJSON() ([]byte, error) {
	return json.Marshal(metricJSON{m.Name, m.Definition, m.Direction()})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (m *Metric) UnmarshalJSON(b []byte) error {
	var stored metricJSON
	if err := json.Unmarshal(b, &stored); err != nil {
		return err
	}
	if stored.Better != "higher" && stored.Better != "lower" {
		return fmt.Errorf("study: the metric %.60q has the direction %.60q; it must be higher or lower", stored.Name, stored.Better)
	}
	*m = Metric{Name: stored.Name, Definition: stored.Definition, HigherIsBetter: stored.Better == "higher"}
	return nil
}

// Estimate is one metric over the seeds.
type Estimate struct {
	Mean float64 `json:"mean"`
	// Low and High are a 95 % interval for the mean over seeds. On the linear scale it is
	// mean ± t·s/√n, with t the 97.5 % point of Student's distribution with n-1 degrees
	// of freedom and s the seeds' standard deviation (1/(n-1)); see [NewEstimateOn] for
	// the others. With one seed there is none, nor with equal values, and both are the
	// mean. Estimates that were stored before 2026-12 are all linear, so that they may
	// leave the range.
	Low    float64   `json:"low"`
	High   float64   `json:"high"`
	Values []float64 `json:"values"` // by seed, without those that failed
}

const intervalOverSeeds = "95 % t-interval of the mean over seeds, of shares and sums of gaps on the logit scale, of losses on the log scale (delta method); none (low = high) for one seed or equal values"

// NewEstimateOn is [NewEstimate] with an interval that does not leave the metric's range, by
// the delta method: the t-interval of the logit of the mean m for shares and sums of gaps, with
// the standard error divided by m(1-m); of its logarithm for other numbers above 0, divided by
// m; of its inverse hyperbolic tangent for numbers from -1 to 1, such as differences of shares,
// divided by 1-m² (Fisher's z, as Edwardes 1995, Biometrics 51:571, has it for the difference
// of two probabilities). Where the mean is an end of the range, so are both ends of the interval.
func NewEstimateOn(scale bootstrap.Scale, values []float64) Estimate {
	e := NewEstimate(values)
	half, m := e.High-e.Mean, e.Mean
	switch share := scale == bootstrap.Share || scale == bootstrap.Gap; {
	case half == 0 || math.IsNaN(half) || scale == bootstrap.Linear:
	case scale == bootstrap.Signed:
		if z, half := math.Atanh(m), half/(1-m*m); math.Abs(m) < 1 {
			e.Low, e.High = math.Tanh(z-half), math.Tanh(z+half)
		}
	case m <= 0 || share && m >= 1:
	case share:
		odds, factor := m/(1-m), math.Exp(half/(m*(1-m)))
		e.Low, e.High = 1/(1+factor/odds), 1/(1+1/(odds*factor))
	default:
		e.Low, e.High = m*math.Exp(-half/m), m*math.Exp(half/m)
	}
	return e
}

// NewEstimate returns mean and interval of values, one for each seed, on the linear scale;
// all NaN if there are none. Equal values have no interval, see [Estimate.Equal]; where the mean
// is infinite the interval has all numbers.
func NewEstimate(values []float64) Estimate {
	mean, deviation := stat.MeanStdDev(values, nil)
	e := Estimate{Mean: mean, Low: mean, High: mean, Values: values}
	if n := float64(len(values)); n > 1 && !e.Equal() {
		half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(.975) * deviation / math.Sqrt(n)
		e.Low, e.High = mean-half, mean+half
		if math.IsInf(mean, 0) {
			e.Low, e.High = math.Inf(-1), math.Inf(1)
		}
	}
	return e
}

// Equal reports whether there are two values or more, all equal but for rounding, as where
// every seed reaches the end of the range. They say nothing of how much other seeds would
// differ, so that Low and High are the mean, and no interval.
func (e Estimate) Equal() bool {
	if len(e.Values) < 2 {
		return false
	}
	least, most := slices.Min(e.Values), slices.Max(e.Values)
	size := max(math.Abs(least), math.Abs(most))
	return most-least <= 1e-9*size && !math.IsInf(size, 0)
}

// Format writes the mean and its interval, "0.951 [0.944, 0.957]", only the mean for one
// seed, "1.000 (all 3 equal)" for equal ones, and "-" for none.
func (e Estimate) Format(digits int) string {
	switch {
	case len(e.Values) == 0 || math.IsNaN(e.Mean):
		return "-"
	case len(e.Values) == 1:
		return fmt.Sprintf("%.*f", digits, e.Mean)
	case e.Equal():
		return fmt.Sprintf("%.*f (all %d equal)", digits, e.Mean, len(e.Values))
	}
	return fmt.Sprintf("%.*f [%.*f, %.*f]", digits, e.Mean, digits, e.Low, digits, e.High)
}

// Half is the distance from the mean to the farther end of the interval.
func (e Estimate) Half() float64 { return max(e.High-e.Mean, e.Mean-e.Low) }
