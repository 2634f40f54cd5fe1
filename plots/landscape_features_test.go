package plots_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"ngebm/data"
	"ngebm/data/tabular"
	"ngebm/data/testdisk"
	"ngebm/plots"
)

// sumModel has the sum of an input as its only logit, which is E(x), and keeps the inputs.
type sumModel struct{ inputs [][]float32 }

func (m *sumModel) Logits(_ context.Context, d *data.Dataset) ([][]float64, error) {
	var logits [][]float64
	for row := range slices.Chunk(d.Points, d.Size()) {
		m.inputs = append(m.inputs, row)
		var sum float64
		for _, v := range row {
			sum += float64(v)
		}
		logits = append(logits, []float64{sum})
	}
	return logits, nil
}

// rows has the columns height, color and weight; its inputs are standardized.
func rows(t *testing.T) *data.Dataset {
	t.Helper()
	d, err := data.New(data.Dataset{
		Info: data.Info{Name: "rows", Classes: []string{"a"}}, Shape: []int{4}, Labels: make([]int32, 3),
		Points: []float32{-1, 1, 0, 2, 0, 0, 1, 4, 1, 0, 1, 9},
		Encoder: &tabular.Encoder{Label: "y", Columns: []tabular.Column{
			{Name: "height", Mean: 170, Deviation: 10}, {Name: "color", Categories: []string{"blue", "red"}}, {Name: "weight", Deviation: 2},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFeatureGrid(t *testing.T) {
	model := &sumModel{}
	g, err := plots.FeatureGrid(t.Context(), model, rows(t), "weight", "height", 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("axes in the columns' own units", func(t *testing.T) {
		// Weights from 4 to 18 and heights from 160 to 180, and a fifth more on either side.
		for name, c := range map[string][2][]float64{"X": {g.X, {1.2, 11, 20.8}}, "Y": {g.Y, {156, 170, 184}}} {
			for i := range c[1] {
				if math.Abs(c[0][i]-c[1][i]) > 1e-6 {
					t.Errorf("%s is %v, want %v", name, c[0], c[1])
				}
			}
		}
		if g.Axes != [2]string{"weight", "height"} {
			t.Errorf("axes %q", g.Axes)
		}
	})
	t.Run("inputs are standardized, others at the median or the most frequent category", func(t *testing.T) {
		if got, want := model.inputs[4], []float32{0, 0, 1, 5.5}; !slices.Equal(got, want) {
			t.Errorf("the middle is %v, want %v", got, want)
		}
		if math.Abs(g.Energy[1][1]-6.5) > 1e-6 {
			t.Errorf("the energy in the middle is %v, want 6.5", g.Energy[1][1])
		}
	})
	t.Run("rows on the plane", func(t *testing.T) {
		d, err := plots.FeaturePlane(rows(t), "weight", "height")
		if err != nil {
			t.Fatal(err)
		}
		if want := []float32{4, 160, 8, 170, 18, 180}; !slices.Equal(d.Points, want) {
			t.Errorf("points %v, want %v", d.Points, want)
		}
		if _, err := plots.Landscapes(plots.OwnScale, plots.Landscape{Title: "E", Grid: g, Data: d}); err != nil {
			t.Error(err)
		}
	})
}

// A landscape over two columns of a table has their names and units on its axes, and the rows' values as points.
func TestFeatureGridGolden(t *testing.T) {
	testdisk.Inputs(t, "../data/testdata/tables")
	train, test, err := data.Open(t.Context(), "csv:../data/testdata/tables/wine.csv@class", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	grid, err := plots.FeatureGrid(t.Context(), newNearest(train), test, "alcohol", "hue", 40)
	if err != nil {
		t.Fatal(err)
	}
	points, err := plots.FeaturePlane(test, "alcohol", "hue")
	if err != nil {
		t.Fatal(err)
	}
	figure, err := plots.Landscapes(plots.OwnScale, plots.Landscape{Title: "nearest mean", Grid: grid, Data: points})
	plots.Golden(t, "landscapes-features", figure, err)
}

// wide has 302 inputs.
func wide(t *testing.T) *data.Dataset {
	t.Helper()
	categories := make([]string, 300)
	for i := range categories {
		categories[i] = fmt.Sprintf("%03d", i)
	}
	points := make([]float32, 302)
	points[2] = 1
	d, err := data.New(data.Dataset{
		Info: data.Info{Name: "wide", Classes: []string{"a"}}, Shape: []int{302}, Labels: make([]int32, 2), Points: slices.Concat(points, append([]float32{1, 1}, points[2:]...)),
		Encoder: &tabular.Encoder{Label: "y", Columns: []tabular.Column{{Name: "c0", Deviation: 1}, {Name: "c1", Deviation: 1}, {Name: "c2", Categories: categories}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// seconds has a column of Unix time.
func seconds(t *testing.T) *data.Dataset {
	t.Helper()
	d := rows(t)
	columns := slices.Clone(d.Encoder.Columns)
	columns[2] = tabular.Column{Name: "time", Mean: 1.7e9, Deviation: 30}
	d.Encoder = &tabular.Encoder{Label: "y", Columns: columns}
	return d
}

func TestFeatureGridRefuses(t *testing.T) {
	moons, _, err := data.Open(t.Context(), "moons:10", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct {
		d    *data.Dataset
		x, y string
		n    int
	}{
		"moons has no named columns":          {moons, "x", "y", 5},
		"no dataset":                          {nil, "x", "y", 5},
		"both axes are the column \"height\"": {rows(t), "height", "height", 5},
		`no column is named "width"`:          {rows(t), "height", "width", 5},
		`column "color" holds categories`:     {rows(t), "color", "height", 5},
		"a grid of 1 by 1 points":             {rows(t), "weight", "height", 1},
		"take too much memory: give":          {wide(t), "c0", "c1", 1000},
		"too far from 0 to be drawn":          {seconds(t), "height", "time", 5},
	} {
		_, err := plots.FeatureGrid(t.Context(), &sumModel{}, c.d, c.x, c.y, c.n)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}
