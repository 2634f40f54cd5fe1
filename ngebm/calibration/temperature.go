package calibration

import (
	"math"
	"slices"
)

// Temperature is the T that minimizes the NLL of softmax(logits/T) on a validation
// sample (Guo et al. 2017).
type Temperature struct {
	T   float64
	NLL float64 // of the validation sample at T

	// AllRight says that every validation example is classified right, so that T is left at 1.
	AllRight bool

	// Warning is not empty if the NLL has no minimum. Where it falls without end as T falls to
	// 0, since all examples are right, and where it does not depend on T, T is 1; else T is an
	// end of the range.
	Warning string
}

// The range of T.
const (
	MinTemperature = 1e-6
	MaxTemperature = 1e6
)

// FitTemperature returns the temperature for a validation sample, whose Temperature field
// is ignored. NLL is convex in 1/T: the zero of its derivative is
// found by Newton's method, kept in a bracket that halves on a logarithmic scale
// where a step leaves it, until a step changes T by less than one part in 10⁹.
// (The usual recipe, 50 steps of L-BFGS, stops before that.)
func FitTemperature(validation Sample) (Temperature, error) {
	validation.Temperature = 1
	if err := validation.Validate(); err != nil {
		return Temperature{}, err
	}
	fit := newFit(validation)
	switch cold, hot, flat := fit.limits(nil); {
	case flat:
		return Temperature{T: 1, NLL: fit.at(1).nll, Warning: "every row's values are all equal: no temperature changes the probabilities"}, nil
	case hot:
		return Temperature{T: MaxTemperature, NLL: fit.at(1 / MaxTemperature).nll, Warning: "the NLL is lowest at T = ∞: on the validation data the logits tell no more about the labels than chance"}, nil
	case cold: // T = 0 would make every confidence 1
		left := Temperature{T: 1, NLL: fit.at(1).nll, AllRight: fit.allRight()}
		left.Warning = "T is left at 1, since the NLL is lowest at T = 0: every validation example is classified right, so that no confidence is too high; use more validation data"
		if !left.AllRight {
			left.Warning = "T is left at 1, since the NLL is lowest at T = 0: no logit is above a label's, and some are equal to it; use more validation data"
		}
		return left, nil
	}
	inverse := fit.solve(1, nil)
	found := Temperature{T: 1 / inverse, NLL: fit.at(inverse).nll}
	if found.T <= MinTemperature*(1+1e-6) || found.T >= MaxTemperature*(1-1e-6) {
		found.Warning = "the NLL is lowest outside the range of temperatures, 1e-6 … 1e6"
	}
	return found, nil
}

// fit is the NLL as a function of the inverse temperature.
type fit struct {
	classes int
	behind  []float64 // [n × classes]: how far each logit is behind its row's largest, ≥ 0
	label   []int32
}

func newFit(s Sample) *fit {
	rows := s.rows()
	f := &fit{classes: len(rows[0]), label: s.Labels, behind: make([]float64, 0, len(rows)*len(rows[0]))}
	for _, row := range rows {
		top := math.Inf(-1)
		start := len(f.behind)
		for _, v := range row {
			if s.Probabilities != nil {
				v = math.Log(max(v, Clip))
			}
			f.behind = append(f.behind, v)
			top = max(top, v)
		}
		for k, v := range f.behind[start:] {
			f.behind[start+k] = top - v
		}
	}
	return f
}

// limits looks at the derivative of NLL at both ends of 1/T. It is positive at 0
// if labels' logits are on average below their rows' means (hot), and it tends to
// 0 from below at ∞ only if every label's logit is its row's largest (cold). Example i counts
// weights[i] times; without weights, once.
func (f *fit) limits(weights []int32) (cold, hot, flat bool) {
	var atZero, atInfinity, all float64
	for i, label := range f.label {
		w := 1.
		if weights != nil {
			w = float64(weights[i])
		}
		row := f.behind[i*f.classes : (i+1)*f.classes]
		sum := 0.
		for _, d := range row {
			sum += d
		}
		all += w * sum
		atZero += w * (row[label] - sum/float64(f.classes))
		atInfinity += w * row[label]
	}
	return atInfinity == 0, atZero >= 0, all == 0
}

// allRight reports whether every label is the class that is predicted: the first largest of its row.
func (f *fit) allRight() bool {
	for i, label := range f.label {
		if slices.Index(f.behind[i*f.classes:(i+1)*f.classes], 0) != int(label) {
			return false
		}
	}
	return true
}

// point is the mean NLL at one inverse temperature, with its first two
// derivatives by it.
type point struct{ nll, slope, curvature float64 }

func (f *fit) at(inverse float64) point { return f.weighted(inverse, nil) }

// weighted counts example i weights[i] times; without weights, once.
func (f *fit) weighted(inverse float64, weights []int32) point {
	var total point
	for i, label := range f.label {
		w := 1.
		if weights != nil {
			if w = float64(weights[i]); w == 0 {
				continue
			}
		}
		row := f.behind[i*f.classes : (i+1)*f.classes]
		var sum, first, second float64
		for _, d := range row {
			if e := math.Exp(-inverse * d); e > 0 { // 0 times a large d stays 0
				sum += e
				first += e * d
				second += e * d * d
			}
		}
		mean := first / sum
		total.nll += w * (inverse*row[label] + math.Log(sum))
		total.slope += w * (row[label] - mean)
		total.curvature += w * (second/sum - mean*mean)
	}
	n := float64(len(f.label))
	return point{total.nll / n, total.slope / n, total.curvature / n}
}

// solve returns the inverse temperature at which the slope is 0, within the
// bounds, searching from inverse on.
func (f *fit) solve(inverse float64, weights []int32) float64 {
	low, high := 1/MaxTemperature, 1/MinTemperature
	for high/low > 1+1e-12 {
		p := f.weighted(inverse, weights)
		if p.slope < 0 {
			low = inverse
		} else {
			high = inverse
		}
		next := inverse - p.slope/p.curvature
		if !(next > low && next < high) { // also NaN, where the curvature is 0
			next = math.Sqrt(low * high)
		}
		if math.Abs(next-inverse) < 1e-9*inverse {
			return next
		}
		inverse = next
	}
	return inverse
}
