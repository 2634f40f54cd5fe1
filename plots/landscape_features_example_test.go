package plots_test

import (
	"context"
	"fmt"

	"ngebm/data"
	"ngebm/plots"
)

// nearest is a model of rows: a class's logit is minus the squared distance from its mean.
type nearest struct{ means [][]float64 }

func newNearest(rows *data.Dataset) nearest {
	m, counts := nearest{make([][]float64, len(rows.Classes))}, make([]float64, len(rows.Classes))
	for k := range m.means {
		m.means[k] = make([]float64, rows.Size())
	}
	for i, label := range rows.Labels {
		counts[label]++
		for j := range rows.Size() {
			m.means[label][j] += (float64(rows.Points[i*rows.Size()+j]) - m.means[label][j]) / counts[label]
		}
	}
	return m
}

func (m nearest) Logits(_ context.Context, d *data.Dataset) ([][]float64, error) {
	logits := make([][]float64, d.Len())
	for i := range logits {
		for _, mean := range m.means {
			var distance float64
			for j, v := range d.Points[i*d.Size() : (i+1)*d.Size()] {
				distance += (float64(v) - mean[j]) * (float64(v) - mean[j])
			}
			logits[i] = append(logits[i], -distance)
		}
	}
	return logits, nil
}

// A landscape over two columns of a table, in their own units; the other eleven are at their medians.
func ExampleFeatureGrid() {
	ctx := context.Background()
	train, test, err := data.Open(ctx, "csv:../data/testdata/tables/wine.csv@class", data.Options{})
	check(err)
	grid, err := plots.FeatureGrid(ctx, newNearest(train), test, "alcohol", "hue", 30)
	check(err)
	rows, err := plots.FeaturePlane(test, "alcohol", "hue")
	check(err)
	figure, err := plots.Landscapes(plots.OwnScale, plots.Landscape{Title: "nearest mean", Grid: grid, Data: rows})
	check(err)
	fmt.Println(figure.Alt)
	// Output: Energy landscape nearest mean over the plane, between -15.2 and -1.24, with the points of wine.csv in 3 classes and the decision boundary.
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
