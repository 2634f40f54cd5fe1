package plots

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"ngebm/data"
)

// Grid holds energies and scores of a model on a rectangular lattice in the plane.
type Grid struct {
	X, Y   []float64   // coordinates of the columns and rows, ascending, two or more each
	Energy [][]float64 // E(x) at [row][column], row i at Y[i]
	// Scores holds logits or probabilities at [row][column][class], of which the
	// largest decides; nil where no decision boundary is to be drawn.
	Scores [][][]float64
	// Axes names what X and Y measure, such as the columns of a [FeatureGrid]; empty for
	// the two numbers of an input, x₁ and x₂.
	Axes [2]string
}

// Model is anything that returns logits,
// [examples][classes], for points in the plane. An [ngebm.Classifier] is one.
type Model interface {
	Logits(ctx context.Context, d *data.Dataset) ([][]float64, error)
}

// EnergyGrid evaluates a model on a lattice of n by n points (100 makes smooth contours)
// over the bounding box of the given points and a fifth of its size around it,
// and returns E(x) = logsumexp f(x) and the logits there. n must be in 2..1000.
func EnergyGrid(ctx context.Context, m Model, around *data.Dataset, n int) (*Grid, error) {
	g, err := newGrid(around, n)
	if err != nil {
		return nil, err
	}
	var nodes []float32 // row by row
	for _, y := range g.Y {
		for _, x := range g.X {
			nodes = append(nodes, float32(x), float32(y))
		}
	}
	logits, err := logitsAt(ctx, m, nodes, around.Classes)
	if err != nil {
		return nil, err
	}
	if err := g.fill(logits); err != nil {
		return nil, err
	}
	return g, nil
}

// newGrid returns a lattice over points in the plane, without energies.
func newGrid(around *data.Dataset, n int) (*Grid, error) {
	if n < 2 || n > 1000 {
		return nil, fmt.Errorf("plots: a grid of %d by %d points: choose 2 to 1000, 100 is smooth", n, n)
	}
	if err := checkPlane(around); err != nil {
		return nil, err
	}
	if around.Len() == 0 {
		return nil, fmt.Errorf("plots: %s has no points to lay a grid over", around.Name)
	}
	axis := func(coordinate int) []float64 {
		low, high := math.Inf(1), math.Inf(-1)
		for i := coordinate; i < len(around.Points); i += 2 {
			low, high = min(low, float64(around.Points[i])), max(high, float64(around.Points[i]))
		}
		return spread(low, high, (high-low)/5, n)
	}
	return &Grid{X: axis(0), Y: axis(1)}, nil
}

// spread returns n coordinates over a range and a margin on either side.
func spread(low, high, margin float64, n int) []float64 {
	if margin == 0 {
		margin = 1
	}
	return floats.Span(make([]float64, n), low-margin, high+margin)
}

// logitsAt returns a model's logits at points in the plane, one after the other.
func logitsAt(ctx context.Context, m Model, points []float32, classes []string) ([][]float64, error) {
	d, err := data.New(data.Dataset{
		Info:   data.Info{Name: "lattice", Split: "lattice", Source: "computed", License: "CC0-1.0", Classes: classes},
		Shape:  []int{2},
		Points: points,
		Labels: make([]int32, len(points)/2),
	})
	if err != nil {
		return nil, err
	}
	return m.Logits(ctx, d)
}

// energies are logsumexp f(x) of a model's logits at each of the points.
func energies(logits [][]float64, points int) ([]float64, error) {
	if len(logits) != points {
		return nil, fmt.Errorf("plots: the model gave logits for %d of %d points", len(logits), points)
	}
	e := make([]float64, points)
	for i, f := range logits {
		if len(f) == 0 {
			return nil, errors.New("plots: the model gave no logits for a point")
		}
		e[i] = floats.LogSumExp(f)
	}
	return e, nil
}

// fill puts a model's logits at the nodes, row by row, into the grid.
func (g *Grid) fill(logits [][]float64) error {
	e, err := energies(logits, len(g.X)*len(g.Y))
	if err != nil {
		return err
	}
	n := len(g.X)
	for row := range len(g.Y) {
		g.Energy = append(g.Energy, e[row*n:(row+1)*n])
		g.Scores = append(g.Scores, logits[row*n:(row+1)*n])
	}
	return nil
}

func (g *Grid) axisNames() (x, y string) {
	if x, y = g.Axes[0], g.Axes[1]; x == "" && y == "" {
		return "x₁", "x₂"
	}
	return x, y
}

// check refuses a grid that cannot be drawn.
func (g *Grid) check() error {
	if g == nil || len(g.X) < 2 || len(g.Y) < 2 {
		return errors.New("plots: a landscape needs a grid of two columns and two rows or more")
	}
	for _, axis := range [][]float64{g.X, g.Y} {
		for i, v := range axis {
			if !finite(v) || i > 0 && v <= axis[i-1] {
				return fmt.Errorf("plots: the grid's coordinates must ascend, but %v is at index %d", v, i)
			}
		}
	}
	if len(g.Energy) != len(g.Y) || g.Scores != nil && len(g.Scores) != len(g.Y) {
		return fmt.Errorf("plots: the grid has %d rows but energies for %d and scores for %d", len(g.Y), len(g.Energy), len(g.Scores))
	}
	for i := range g.Y {
		if len(g.Energy[i]) != len(g.X) || g.Scores != nil && len(g.Scores[i]) != len(g.X) {
			return fmt.Errorf("plots: the grid has %d columns, but its row %d does not", len(g.X), i)
		}
		for j := range g.X {
			if g.Scores != nil && (len(g.Scores[i][j]) == 0 || len(g.Scores[i][j]) != len(g.Scores[0][0])) {
				return fmt.Errorf("plots: %d scores in the grid's first node, %d at row %d, column %d", len(g.Scores[0][0]), len(g.Scores[i][j]), i, j)
			}
		}
	}
	if low, high := g.energyRange(); low > high {
		return errors.New("plots: no energy on the grid is a finite number: the model has diverged")
	}
	return nil
}

// energyRange is the smallest and the largest finite energy.
func (g *Grid) energyRange() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, row := range g.Energy {
		for _, e := range row {
			if finite(e) {
				low, high = min(low, e), max(high, e)
			}
		}
	}
	return low, high
}

// at interpolates the energies bilinearly; NaN next to a value that is not finite.
func (g *Grid) at(x, y float64) float64 {
	cell := func(axis []float64, v float64) (int, float64) {
		i, _ := slices.BinarySearch(axis, v)
		i = min(max(i-1, 0), len(axis)-2)
		return i, (v - axis[i]) / (axis[i+1] - axis[i])
	}
	i, u := cell(g.X, x)
	j, v := cell(g.Y, y)
	e := g.Energy
	value := (1-v)*((1-u)*e[j][i]+u*e[j][i+1]) + v*((1-u)*e[j+1][i]+u*e[j+1][i+1])
	if !finite(value) {
		return math.NaN()
	}
	return value
}

// eachPixel goes through an image of the grid of side by side pixels, from
// its top left, with the energy at each one's middle.
func (g *Grid) eachPixel(side int, do func(x, y int, e float64)) {
	along := func(axis []float64, i int) float64 {
		first, last := axis[0], axis[len(axis)-1]
		return first + (last-first)*(float64(i)+0.5)/float64(side)
	}
	for py := range side {
		y := along(g.Y, side-1-py)
		for px := range side {
			do(px, py, g.at(along(g.X, px), y))
		}
	}
}

// classes is the number of classes that scores are given for.
func (g *Grid) classes() int {
	if g.Scores == nil {
		return 0
	}
	return len(g.Scores[0][0])
}

// field is a function on the grid's nodes, as gonum's contours take it.
type field struct {
	*Grid
	z func(row, column int) float64
}

func (f field) Dims() (columns, rows int) { return len(f.Grid.X), len(f.Grid.Y) }
func (f field) X(column int) float64      { return f.Grid.X[column] }
func (f field) Y(row int) float64         { return f.Grid.Y[row] }

// Z is NaN where the function is not finite: from infinite values contours would be
// drawn to nowhere.
func (f field) Z(column, row int) float64 {
	if z := f.z(row, column); finite(z) {
		return z
	}
	return math.NaN()
}

// checkPlane refuses what is not points in the plane.
func checkPlane(d *data.Dataset) error {
	if d == nil {
		return errors.New("plots: no dataset")
	}
	if d.IsImages() || d.Size() != 2 {
		return fmt.Errorf("plots: a landscape shows points in the plane, but %s has examples of shape %v (for rows of a table see FeatureGrid)", d.Name, d.Shape)
	}
	if len(d.Points) != 2*d.Len() {
		return fmt.Errorf("plots: %s has %d coordinates for %d labels: make sets with data.New, which checks them", d.Name, len(d.Points), d.Len())
	}
	for i := range d.Labels {
		if err := checkLabel(d, i); err != nil {
			return err
		}
	}
	return nil
}

// Peak returns the highest finite energy on the lattice, and how far from the
// nearest of the given points it is: a model that fits its data has its highest energy
// close to them. Without points the distance is infinite, without a
// finite energy the energy is -Inf.
func (g *Grid) Peak(near *data.Dataset) (energy, distance float64) {
	energy, distance = math.Inf(-1), math.Inf(1)
	x, y := math.Inf(1), math.Inf(1)
	for row := range g.Y {
		for column, e := range g.Energy[row] {
			if e > energy && !math.IsInf(e, 1) {
				energy, x, y = e, g.X[column], g.Y[row]
			}
		}
	}
	for i := 0; i+1 < len(near.Points); i += 2 {
		distance = min(distance, math.Hypot(float64(near.Points[i])-x, float64(near.Points[i+1])-y))
	}
	return energy, distance
}
