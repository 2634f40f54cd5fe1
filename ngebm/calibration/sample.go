package calibration

import (
	"errors"
	"fmt"
	"math"

	"ngebm/ngebm/internal/softmax"
)

// Sample is what a classifier said about labeled examples. Exactly one of
// Logits and Probabilities is set. The slices are read, not changed.
type Sample struct {
	Logits        [][]float64 // [examples][classes], f(x); finite
	Probabilities [][]float64 // [examples][classes], each in 0…1, each row's sum 1 within 1e-3; used as they are, but a confidence above 1 is 1
	Labels        []int32     // [examples], 0 … classes-1

	// Predictions are the predicted classes, [examples]; nil stands for each row's argmax,
	// the first on ties. They matter where a calibrated confidence is no longer its row's
	// largest value.
	Predictions []int32

	// Temperature divides the logits before the softmax; 0 means 1. With
	// Probabilities it divides their logarithms (see Clip).
	Temperature float64
}

// Clip is the smallest probability whose logarithm is taken when Probabilities
// are given: float64's spacing at 1, as in scikit-learn's log_loss. Logits need
// no such bound.
const Clip = 0x1p-52

// sumTolerance allows for probabilities printed with a few digits.
const sumTolerance = 1e-3

// largestLogit keeps differences of logits, and sums over examples, finite.
const largestLogit = 1e290

// RowError says what is wrong with one example.
type RowError struct {
	Row     int // counted from 0
	Value   int // in the row, counted from 0; -1 for the whole row
	Problem string
}

func (e *RowError) Error() string {
	if e.Value < 0 {
		return fmt.Sprintf("calibration: row %d (the first is 0): %s", e.Row, e.Problem)
	}
	return fmt.Sprintf("calibration: row %d, value %d (the first of each is 0) %s", e.Row, e.Value, e.Problem)
}

// Validate returns an error that names the first value that is out of order and
// what it must be; a *RowError if it belongs to one example.
func (s Sample) Validate() error {
	if (s.Logits == nil) == (s.Probabilities == nil) {
		return errors.New("calibration: give logits or probabilities, one of the two")
	}
	if !(s.Temperature >= 0) || math.IsInf(s.Temperature, 1) {
		return fmt.Errorf("calibration: temperature is %v; it must be positive (0 stands for 1)", s.Temperature)
	}
	rows := s.rows()
	if len(rows) == 0 {
		return errors.New("calibration: there are no examples")
	}
	if len(rows) > math.MaxInt32 {
		return fmt.Errorf("calibration: %d examples; %d is the most", len(rows), math.MaxInt32)
	}
	if len(rows) != len(s.Labels) {
		return fmt.Errorf("calibration: %d rows but %d labels; each example needs one of each", len(rows), len(s.Labels))
	}
	if s.Predictions != nil && len(s.Predictions) != len(rows) {
		return fmt.Errorf("calibration: %d rows but %d predictions; give one for each, or nil for each row's largest value", len(rows), len(s.Predictions))
	}
	classes := len(rows[0])
	if classes < 2 {
		return fmt.Errorf("calibration: rows of %d values; there must be one for each of at least 2 classes", classes)
	}
	for i, row := range rows {
		if value, problem := s.problem(row, s.Labels[i], classes); problem != "" {
			return &RowError{i, value, problem}
		}
		if s.Predictions != nil && (s.Predictions[i] < 0 || int(s.Predictions[i]) >= classes) {
			return &RowError{i, -1, fmt.Sprintf("prediction %d is not a class; with %d values a row, classes are 0 … %d", s.Predictions[i], classes, classes-1)}
		}
	}
	return nil
}

// problem says what is wrong with one example, if anything, and with which value, or -1.
func (s Sample) problem(row []float64, label int32, classes int) (value int, problem string) {
	if len(row) != classes {
		return -1, fmt.Sprintf("%d values, but the rows before have %d", len(row), classes)
	}
	if label < 0 || int(label) >= classes {
		return -1, fmt.Sprintf("label %d is not a class; with %d values a row, labels are 0 … %d", label, classes, classes-1)
	}
	sum := 0.
	for k, v := range row {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			return k, fmt.Sprintf("is %v; it must be finite", v)
		case s.Probabilities == nil && math.Abs(v) > largestLogit:
			return k, fmt.Sprintf("is %v; logits beyond ±%g cannot be measured", v, largestLogit)
		case s.Probabilities != nil && (v < 0 || v > 1+sumTolerance):
			return k, fmt.Sprintf("is %v, which is no probability", v)
		}
		sum += v
	}
	if s.Probabilities != nil && math.Abs(sum-1) > sumTolerance {
		return -1, fmt.Sprintf("the probabilities sum to %.6g, not 1", sum)
	}
	return -1, ""
}

// rows returns the logits or the probabilities.
func (s Sample) rows() [][]float64 {
	if s.Logits != nil {
		return s.Logits
	}
	return s.Probabilities
}

// temperature returns the divisor.
func (s Sample) temperature() float64 {
	if s.Temperature == 0 {
		return 1
	}
	return s.Temperature
}

// prediction is what one row says.
type prediction struct {
	class      int     // argmax of the row as given, the first on ties, so that no temperature changes it
	confidence float64 // probability of class
	loss       float64 // -log probability of the label
}

// predict writes one row's probabilities into p.
func (s Sample) predict(row []float64, label int32, p []float64) prediction {
	class := 0
	for k, v := range row {
		if v > row[class] {
			class = k
		}
	}
	temperature := s.temperature()
	if s.Probabilities != nil && temperature == 1 {
		copy(p, row)
		clipped := min(max(row[label], Clip), 1-Clip)
		return prediction{class, row[class], -math.Log(clipped)}
	}
	for k, v := range row {
		if s.Probabilities != nil {
			v = math.Log(max(v, Clip))
		}
		p[k] = v / temperature
	}
	top := p[class]
	margin := top - p[label]
	logSum := softmax.Replace(p, top)
	return prediction{class, p[class], margin + logSum}
}

// predictAt is predict for the i-th example, with its prediction if the sample has one.
func (s Sample) predictAt(i int, p []float64) prediction {
	x := s.predict(s.rows()[i], s.Labels[i], p)
	if s.Predictions != nil {
		x.class = int(s.Predictions[i])
		x.confidence = p[x.class]
	}
	return x
}
