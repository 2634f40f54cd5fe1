package plots

import (
	"math"
	"testing"
)

// The average is that of the finite values around each one, summed up by hand; an
// outburst leaves what lies farther than half a window away as it was.
func TestMovingAverage(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, y := range map[string][]float64{
		"none": {}, "one": {4}, "a few": {1, 2, 3, 4, 5, 6, 7},
		"holes": {1, nan, 3, inf, 5, nan, nan, nan, 9, 2}, "no number": {nan, nan, nan},
		"an outburst": {1, 2, 3e38, 4, 1e-38, 5, 6, 7, 8, 9, 1, 2, 3},
	} {
		for _, window := range []int{1, 2, 3, 4, 7, 40} {
			got := movingAverage(y, window)
			for i, v := range y {
				sum, count := 0., 0.
				for _, near := range y[max(0, i-window/2):min(len(y), i+window/2+1)] {
					if finite(near) {
						sum, count = sum+near, count+1
					}
				}
				want := sum / count
				if !finite(v) {
					want = nan
				}
				if same := math.IsNaN(want) == math.IsNaN(got[i]); !same || math.Abs(got[i]-want) > 1e-12*want {
					t.Errorf("%s, averaged over %d: %v at %d, want %v", name, window, got[i], i, want)
				}
			}
		}
	}
}
