package plots_test

import (
	"math"
	"testing"

	"ngebm/data"
	"ngebm/plots"
)

func TestPeak(t *testing.T) {
	grid := plots.Grid{
		X: []float64{0, 1, 2}, Y: []float64{0, 1},
		Energy: [][]float64{{1, 2, math.Inf(1)}, {5, math.NaN(), 3}},
	}
	points := &data.Dataset{Points: []float32{3, 5, 10, 10}}
	energy, distance := grid.Peak(points) // the highest finite energy is at (0, 1)
	if energy != 5 || distance != 5 {
		t.Errorf("peak %v at a distance of %v, want 5 and 5", energy, distance)
	}
	if _, distance := grid.Peak(&data.Dataset{}); !math.IsInf(distance, 1) {
		t.Errorf("without points the distance is %v", distance)
	}
}
