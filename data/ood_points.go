package data

import (
	"errors"
	"math/rand/v2"
	"slices"

	"ngebm/data/tabular"
)

// The kinds of synthetic OOD sets for points and rows; see [Dataset.SynthesizeOOD]. Configurations
// stored before "uniform box" had that name call it "far away", which stays accepted and means the
// same points.
const (
	uniformBox      = "uniform box"
	uniformBoxAlias = "far away"
	shifted         = "shifted"
	permutedColumns = "permuted columns"
)

// shift is how far "shifted" moves numbers, in deviations of the training rows.
const shift = 3

// pointOODKinds are the kinds for points or, if there is an encoder, for rows.
func (d *Dataset) pointOODKinds() []string {
	if d.Encoder == nil {
		return []string{uniformBox}
	}
	kinds := []string{uniformBox}
	if slices.ContainsFunc(d.Encoder.Columns, tabular.Column.Numeric) {
		kinds = append(kinds, shifted)
	}
	if len(d.Encoder.Columns) > 1 { // else nothing depends on another
		kinds = append(kinds, permutedColumns)
	}
	return kinds
}

func (d *Dataset) pointOOD(kind string, rng *rand.Rand) ([]float32, error) {
	switch kind {
	case shifted:
		return d.shifted(rng), nil
	case permutedColumns:
		return d.permutedColumns(rng), nil
	}
	return d.uniformBox(rng)
}

// uniformBox samples by rejection.
func (d *Dataset) uniformBox(rng *rand.Rand) ([]float32, error) {
	n := d.Size()
	low, high := slices.Clone(d.Points[:n]), slices.Clone(d.Points[:n])
	for i, v := range d.Points {
		low[i%n], high[i%n] = min(low[i%n], v), max(high[i%n], v)
	}
	if slices.Equal(low, high) {
		return nil, errors.New("all its points are equal, so their bounding box is a point")
	}
	points, p := make([]float32, 0, len(d.Points)), make([]float32, n)
	for len(points) < len(d.Points) {
		inside := true
		for k := range p {
			width := high[k] - low[k]
			p[k] = low[k] - width + float32(3*width*rng.Float32()) // converted: no processor may fuse it
			inside = inside && p[k] >= low[k] && p[k] <= high[k]
		}
		if !inside {
			points = append(points, p...)
		}
	}
	return points, nil
}

// shifted moves numbers; categories stay.
func (d *Dataset) shifted(rng *rand.Rand) []float32 {
	move := make([]float32, 0, d.Size())
	for _, c := range d.Encoder.Columns {
		if !c.Numeric() {
			move = append(move, make([]float32, c.Size())...)
			continue
		}
		move = append(move, float32(shift*(2*rng.IntN(2)-1)))
	}
	points := slices.Clone(d.Points)
	for i := range points {
		points[i] += move[i%len(move)]
	}
	return points
}

// permutedColumns keeps the inputs of a category together.
func (d *Dataset) permutedColumns(rng *rand.Rand) []float32 {
	n, first := d.Size(), 0
	points := make([]float32, len(d.Points))
	for _, c := range d.Encoder.Columns {
		for to, from := range rng.Perm(d.Len()) {
			copy(points[to*n+first:][:c.Size()], d.Points[from*n+first:])
		}
		first += c.Size()
	}
	return points
}
