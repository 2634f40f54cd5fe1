package calibration

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"ngebm/ngebm/internal/softmax"
)

// Vector scales and shifts each class's logit: softmax(Scale·f + Shift), class by class.
type Vector struct {
	Scale, Shift []float64 // [classes]; the last shift is 0, as only differences count
	NLL          float64   // of the validation sample
}

// The limits of Newton's method.
const (
	vectorSteps    = 100
	vectorGradient = 1e-10 // largest component of the NLL's gradient at the end
	vectorDamping  = 1e-10 // added to the Hessian's diagonal, relative to its mean
	vectorNLL      = 1e-6  // below, the NLL goes to 0
	vectorMove     = 1e-3  // a larger step to a minimum, from where the slopes vanish, goes to infinity
)

// FitVector returns vector scaling (Guo et al. 2017): the scales and shifts that minimize the
// NLL of a validation sample, found by Newton's method from 1 and 0 on, with halved steps
// where the NLL would rise. The NLL is convex. It is an error if it has no minimum: where
// the scales or shifts grow without end, since every validation example can be classified right, a
// class has no example, or one class can be separated from the others.
//
// It takes time with the examples and the square of the classes: 10,000 examples of 10 classes
// .06 s, of 100 classes 4 s. If ctx ends, so does FitVector after a step, with its error.
func FitVector(ctx context.Context, validation Sample) (Vector, error) {
	validation.Temperature = 1
	if err := validation.Validate(); err != nil {
		return Vector{}, err
	}
	f := vectorFit{rows: logRows(validation), labels: validation.Labels, classes: len(validation.rows()[0])}
	n := 2*f.classes - 1
	at := make([]float64, n)
	for k := range f.classes {
		at[k] = 1
	}
	gradient, hessian := make([]float64, n), mat.NewSymDense(n, nil)
	for range vectorSteps {
		if ctx.Err() != nil {
			return Vector{}, ctx.Err()
		}
		nll := f.derivatives(at, gradient, hessian)
		direction, solved := f.newton(gradient, hessian)
		if slopes := mat.Norm(mat.NewVecDense(n, gradient), math.Inf(1)); slopes < vectorGradient {
			if !solved || nll < vectorNLL || mat.Norm(direction, math.Inf(1)) > vectorMove {
				break // the slopes vanish on the way to infinity
			}
			return Vector{at[:f.classes:f.classes], append(at[f.classes:n:n], 0), nll}, nil
		}
		if !solved || !f.step(at, direction, nll) {
			break
		}
	}
	return Vector{}, errors.New("calibration: the NLL of vector scaling has no minimum on these validation data, or none that can be found; use more validation examples (hundreds a class) or FitTemperature")
}

// vectorFit is the NLL as a function of scales and shifts.
type vectorFit struct {
	rows    [][]float64
	labels  []int32
	classes int
}

// logRows returns the logits, or the logarithms of the probabilities.
func logRows(s Sample) [][]float64 {
	if s.Logits != nil {
		return s.Logits
	}
	rows := make([][]float64, len(s.Probabilities))
	for i, row := range s.Probabilities {
		rows[i] = make([]float64, len(row))
		for k, v := range row {
			rows[i][k] = math.Log(max(v, Clip))
		}
	}
	return rows
}

// probabilities writes those of one row into p, and returns the loss of a label.
func (f vectorFit) probabilities(at, row []float64, label int32, p []float64) float64 {
	top := math.Inf(-1)
	for k, v := range row {
		p[k] = at[k] * v
		if k < f.classes-1 {
			p[k] += at[f.classes+k]
		}
		top = max(top, p[k])
	}
	margin := top - p[label]
	return margin + softmax.Replace(p, top)
}

// nll is the mean NLL.
func (f vectorFit) nll(at []float64) float64 {
	p, sum := make([]float64, f.classes), 0.
	for i, row := range f.rows {
		sum += f.probabilities(at, row, f.labels[i], p)
	}
	return sum / float64(len(f.rows))
}

// derivatives writes the gradient and the Hessian of the mean NLL.
func (f vectorFit) derivatives(at, gradient []float64, hessian *mat.SymDense) (nll float64) {
	K, n := f.classes, len(at)
	clear(gradient)
	hessian.Zero()
	p, share := make([]float64, K), 1/float64(len(f.rows))
	// The j-th parameter changes the logit of class[j] by slope[j].
	class, slope := make([]int, n), make([]float64, n)
	for j := range n {
		class[j], slope[j] = j%K, 1
	}
	for i, row := range f.rows {
		nll += share * f.probabilities(at, row, f.labels[i], p)
		copy(slope, row)
		for j := range n {
			k := class[j]
			residual := p[k]
			if k == int(f.labels[i]) {
				residual--
			}
			gradient[j] += share * residual * slope[j]
			for m := j; m < n; m++ {
				both := -p[k] * p[class[m]]
				if k == class[m] {
					both += p[k]
				}
				hessian.SetSym(j, m, hessian.At(j, m)+share*both*slope[j]*slope[m])
			}
		}
	}
	return nll
}

// newton is the direction of Newton's method, downhill with the sign changed; it damps the
// Hessian. ok is false if there is none.
func (f vectorFit) newton(gradient []float64, hessian *mat.SymDense) (direction *mat.VecDense, ok bool) {
	n := len(gradient)
	for j := range n {
		hessian.SetSym(j, j, hessian.At(j, j)+vectorDamping*mat.Trace(hessian)/float64(n))
	}
	var factored mat.Cholesky
	direction = &mat.VecDense{}
	if !factored.Factorize(hessian) {
		return nil, false
	}
	err := factored.SolveVecTo(direction, mat.NewVecDense(n, gradient))
	return direction, err == nil || direction.Len() > 0
}

// step makes one step of Newton's method, halved until the NLL falls; false if it does not.
func (f vectorFit) step(at []float64, direction *mat.VecDense, nll float64) bool {
	n := len(at)
	next := make([]float64, n)
	for size := 1.; size > 1e-10; size /= 2 {
		for j := range n {
			next[j] = at[j] - size*direction.AtVec(j)
		}
		if after := f.nll(next); after <= nll+1e-14*math.Abs(nll) { // equal but for rounding at the minimum
			copy(at, next)
			return true
		}
	}
	return false
}

// Calibrate implements [Calibrator]. It may change predictions.
func (v Vector) Calibrate(s Sample) (Sample, error) {
	s.Temperature = 1
	if err := s.Validate(); err != nil {
		return Sample{}, err
	}
	if got := len(s.rows()[0]); got != len(v.Scale) || got != len(v.Shift) {
		return Sample{}, fmt.Errorf("calibration: vector scaling of %d scales and %d shifts, for a sample of %d classes; fit it with the same classes", len(v.Scale), len(v.Shift), got)
	}
	scaled := Sample{Labels: s.Labels}
	for _, row := range logRows(s) {
		z := make([]float64, len(row))
		for k, x := range row {
			z[k] = v.Scale[k]*x + v.Shift[k]
		}
		scaled.Logits = append(scaled.Logits, z)
	}
	return scaled, nil
}
