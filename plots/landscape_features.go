package plots

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"ngebm/data"
	"ngebm/data/tabular"
)

// FeatureGrid evaluates a model on a lattice of n by n rows of a table over two of its numeric columns,
// in the columns' own units: over the range of the given rows and a fifth of its size around it. All
// other inputs have their median over these rows, and categories the most frequent one. So the grid is
// a plane through the inputs, and rows that differ elsewhere may be far from it. n must be in 2..1000.
func FeatureGrid(ctx context.Context, m Model, around *data.Dataset, x, y string, n int) (*Grid, error) {
	plane, err := FeaturePlane(around, x, y)
	if err != nil {
		return nil, err
	}
	g, err := newGrid(plane, n)
	if err != nil {
		return nil, err
	}
	g.Axes = [2]string{x, y}
	columns, err := featureColumns(around, x, y)
	if err != nil {
		return nil, err
	}
	if err := latticeFits(n, around.Size()); err != nil {
		return nil, err
	}
	row, nodes := medianRow(around), make([]float32, 0, n*n*around.Size())
	for _, v := range g.Y {
		row[columns[1].input] = columns[1].standardized(v)
		for _, u := range g.X {
			row[columns[0].input] = columns[0].standardized(u)
			nodes = append(nodes, row...)
		}
	}
	lattice := data.Dataset{Info: around.Info, Shape: around.Shape, Points: nodes, Labels: make([]int32, n*n), Encoder: around.Encoder}
	lattice.Name, lattice.Split = "lattice", "lattice"
	made, err := data.New(lattice)
	if err != nil {
		return nil, err
	}
	logits, err := m.Logits(ctx, made)
	if err != nil {
		return nil, err
	}
	if err := g.fill(logits); err != nil {
		return nil, err
	}
	return g, nil
}

// FeaturePlane returns the values of rows of a table in two numeric columns, in the columns' own units,
// as points to draw on a [FeatureGrid].
func FeaturePlane(rows *data.Dataset, x, y string) (*data.Dataset, error) {
	columns, err := featureColumns(rows, x, y)
	if err != nil {
		return nil, err
	}
	plane := data.Dataset{Info: rows.Info, Shape: []int{2}, Points: make([]float32, 0, 2*rows.Len()), Labels: rows.Labels}
	for i := range rows.Len() {
		for _, c := range columns {
			plane.Points = append(plane.Points, c.original(rows.Points[i*rows.Size()+c.input]))
		}
	}
	return data.New(plane)
}

// feature is a numeric column of a table and its place among the inputs.
type feature struct {
	tabular.Column
	input int
}

func (f feature) standardized(v float64) float32 { return float32((v - f.Mean) / f.Deviation) }
func (f feature) original(x float32) float32     { return float32(f.Mean + f.Deviation*float64(x)) }

// featureColumns finds two numeric columns.
func featureColumns(rows *data.Dataset, names ...string) ([]feature, error) {
	if rows == nil {
		return nil, errors.New("plots: no dataset")
	}
	if rows.Encoder == nil {
		return nil, fmt.Errorf("plots: %s has no named columns: a landscape over two of them is for rows of a table (csv:PATH@LABEL)", rows.Name)
	}
	if names[0] == names[1] {
		return nil, fmt.Errorf("plots: both axes are the column %q: choose two", names[0])
	}
	var found []feature
	for _, name := range names {
		c, input, err := rows.Encoder.Column(name)
		if err == nil && !c.Numeric() {
			err = fmt.Errorf("column %q holds categories: an axis must be numeric", name)
		}
		if err == nil && c.Deviation < 1e-5*math.Abs(c.Mean) { // points are float32
			err = fmt.Errorf("column %q is %.6g ± %.2g, too far from 0 to be drawn: subtract a constant from it", name, c.Mean, c.Deviation)
		}
		if err != nil {
			return nil, fmt.Errorf("plots: %s: %w", rows.Name, err)
		}
		found = append(found, feature{c, input})
	}
	return found, nil
}

// median sorts the values and returns the middle of them, of an even number the mean of two.
func median[F float32 | float64](values []F) F {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// medianRow returns the inputs of a row of medians and most frequent categories.
func medianRow(rows *data.Dataset) []float32 {
	size := rows.Size()
	row := make([]float32, 0, size)
	for _, c := range rows.Encoder.Columns {
		first := len(row)
		if c.Numeric() {
			values := make([]float32, rows.Len())
			for i := range values {
				values[i] = rows.Points[i*size+first]
			}
			row = append(row, median(values))
			continue
		}
		counts := make([]float32, c.Size())
		for i := range rows.Len() {
			for k := range counts {
				counts[k] += rows.Points[i*size+first+k]
			}
		}
		row = append(row, make([]float32, c.Size())...)
		row[first+slices.Index(counts, slices.Max(counts))] = 1
	}
	return row
}
