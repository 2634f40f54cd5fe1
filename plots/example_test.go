package plots_test

import (
	"fmt"
	"os"
	"path/filepath"

	"ngebm/ngebm/bootstrap"
	"ngebm/plots"
)

// Numbers of any program become a figure, and the figure a file.
func Example() {
	figure, err := plots.Summary(plots.SummaryPanel{
		Title: "accuracy", Note: "higher is better",
		Estimates: []plots.Estimate{
			{Name: "cross-entropy", Seeds: []float64{.951, .957, .948}},
			{Name: "NG-EBM", Seeds: []float64{.962, .966, .961}, Interval: &bootstrap.Interval{Low: .956, High: .97}},
		},
	})
	if err != nil {
		panic(err)
	}
	folder, err := os.MkdirTemp("", "plots")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	for _, name := range []string{"accuracy.png", "accuracy.pdf", "accuracy.svg"} {
		if err := figure.Save(filepath.Join(folder, name)); err != nil {
			panic(err)
		}
	}
	fmt.Println(figure.Alt)
	// Output: accuracy: cross-entropy 0.952, NG-EBM 0.963 (0.956 to 0.97).
}
