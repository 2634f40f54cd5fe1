package ood

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// fitting is [Training], checked and as matrices.
type fitting struct {
	features *mat.Dense // [examples, width]
	labels   []int32
	head     linear
}

// linear is a network's last layer.
type linear struct {
	weight *mat.Dense // [width, classes]
	bias   []float64
}

// newLinear copies the last layer.
func newLinear(weight [][]float64, bias []float64) (l linear, err error) {
	if len(weight) == 0 || len(bias) < 2 {
		return l, fmt.Errorf("the last layer has %d rows of weights and %d biases; it needs a row for each feature, and two classes or more", len(weight), len(bias))
	}
	w, err := matrix("weight", weight, len(bias))
	if err != nil {
		return l, err
	}
	_, err = matrix("bias", [][]float64{bias}, len(bias))
	return linear{w, bias}, err
}

func newFitting(t Training) (*fitting, error) {
	head, err := newLinear(t.Weight, t.Bias)
	if err != nil {
		return nil, err
	}
	features, err := matrix("feature", t.Features, len(t.Weight))
	if err != nil {
		return nil, err
	}
	if len(t.Labels) != len(t.Features) {
		return nil, fmt.Errorf("%d training examples have %d labels", len(t.Features), len(t.Labels))
	}
	for i, label := range t.Labels {
		if label < 0 || int(label) >= len(t.Bias) {
			return nil, fmt.Errorf("label %d of training example %d; there are %d classes", label, i, len(t.Bias))
		}
	}
	return &fitting{features, t.Labels, head}, nil
}

// matrix copies rows of the given width.
func matrix(what string, rows [][]float64, width int) (*mat.Dense, error) {
	if len(rows) == 0 {
		return nil, fmt.Errorf("there are no rows of %ss", what)
	}
	flat := make([]float64, 0, len(rows)*width)
	for i, row := range rows {
		if len(row) != width {
			return nil, fmt.Errorf("row %d (the first is 0) has %d %ss; %d are needed", i, len(row), what, width)
		}
		for j, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("row %d (the first is 0): %s %d is %v; it must be finite", i, what, j, v)
			}
		}
		flat = append(flat, row...)
	}
	return mat.NewDense(len(rows), width, flat), nil
}

// logits are features·weight + bias.
func (l linear) logits(features mat.Matrix) *mat.Dense {
	f := product(features, l.weight)
	for i := range f.RawMatrix().Rows {
		floats.Add(f.RawRowView(i), l.bias)
	}
	return f
}

// mean is the mean of the rows.
func mean(rows *mat.Dense) []float64 {
	n, width := rows.Dims()
	sum := make([]float64, width)
	for i := range n {
		floats.AddScaled(sum, 1/float64(n), rows.RawRowView(i))
	}
	return sum
}

// centered is rows - center, row by row.
func centered(rows *mat.Dense, center []float64) *mat.Dense {
	c := mat.DenseCopyOf(rows)
	for i := range c.RawMatrix().Rows {
		floats.Sub(c.RawRowView(i), center)
	}
	return c
}

// scoreBlock is how many examples a detector scores at once: its memory stays small, and a
// canceled context is noticed.
const scoreBlock = 256

// scoreFeatures scores features of the given width, block by block.
func scoreFeatures(ctx context.Context, o Outputs, width int, block func(z *mat.Dense, scores []float64)) ([]float64, error) {
	if o.Features == nil {
		return nil, errors.New("ood: there are no features; the network must offer them, see nets.Featured")
	}
	scores := make([]float64, len(o.Features))
	for start := 0; start < len(scores); start += scoreBlock {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		end := min(start+scoreBlock, len(scores))
		z, err := matrix("feature", o.Features[start:end], width)
		if err != nil {
			return nil, fmt.Errorf("ood: examples from %d on: %w", start, err)
		}
		block(z, scores[start:end])
		if ctx.Err() != nil { // a block that was canceled is not complete
			return nil, ctx.Err()
		}
		if o.Done != nil {
			o.Done(end)
		}
	}
	return scores, finiteScores(scores)
}
