package data

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// On an even gray of which nothing is cut off, each noise has the moments of its
// distribution, rounding included (a twelfth of a step's square).
func TestNoiseMoments(t *testing.T) {
	const n = 100 * 32 * 32
	rounding := 1. / (12 * 255 * 255)
	for i, severity := range []int{1, 2, 3, 4, 5} {
		for _, c := range []struct {
			kind             string
			value            uint8
			variance, excess float64 // of one value; its excess kurtosis
		}{
			{"gaussian noise", 128, math.Pow([]float64{.04, .06, .08, .09, .10}[i], 2), 0},
			// One photon of 500 or 250 is about half a step or one, so what
			// rounding adds is not a twelfth; the excess makes room for that.
			{"shot noise", 51, .2 / []float64{500, 250, 100, 75, 50}[i], 30},
			// A value of v becomes 0 or 1 with c/2 each: its mean square distance
			// from v = .2 is c/2·(.04 + .64), less the square of the mean's shift.
			{"impulse noise", 51, .34*[]float64{.01, .02, .03, .05, .07}[i] - math.Pow(.3*[]float64{.01, .02, .03, .05, .07}[i], 2), 200},
		} {
			v := units(corrupt(t, flat(t, 100, 32, 32, 1, c.value), c.kind, severity))
			mean, variance := stat.MeanVariance(v, nil)
			wantMean := float64(c.value) / 255
			if c.kind == "impulse noise" {
				wantMean += .3 * []float64{.01, .02, .03, .05, .07}[i]
			}
			if math.Abs(mean-wantMean) > 5*math.Sqrt(c.variance/n) {
				t.Errorf("%s %d: mean %v, want %v", c.kind, severity, mean, wantMean)
			}
			if want := c.variance + rounding; math.Abs(variance/want-1) > 5*math.Sqrt((2+c.excess)/n) {
				t.Errorf("%s %d: variance %v, want %v", c.kind, severity, variance, want)
			}
		}
	}
}

// Half of the values that impulse noise strikes are 1 and half 0, and a severity
// strikes what a lesser one did.
func TestImpulseNoise(t *testing.T) {
	d := flat(t, 100, 32, 32, 1, 128)
	before := d
	for i, share := range []float64{.01, .02, .03, .05, .07} {
		bad := corrupt(t, d, "impulse noise", i+1)
		count := map[uint8]float64{}
		for j, p := range bad.Pixels {
			count[p]++
			if before.Pixels[j] != 128 && p != before.Pixels[j] {
				t.Fatalf("severity %d spares or changes what %d struck", i+1, i)
			}
		}
		n := float64(len(bad.Pixels))
		for _, p := range []uint8{0, 255} {
			if math.Abs(count[p]/n-share/2) > 5*math.Sqrt(share/2/n) {
				t.Errorf("severity %d: a share of %v became %d, want %v", i+1, count[p]/n, p, share/2)
			}
		}
		if len(count) != 3 {
			t.Errorf("severity %d has the values %v", i+1, count)
		}
		before = bad
	}
}
