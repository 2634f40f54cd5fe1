package data

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

// Values by colorsys.rgb_to_hsv and back of Python 3.11, with .15 more.
func TestBrightness(t *testing.T) {
	for _, c := range []struct{ from, want []float64 }{
		{[]float64{.2, .4, .6}, []float64{.25, .5, .75}},
		{[]float64{.9, .3, .3}, []float64{1, 1. / 3, 1. / 3}},
		{[]float64{0, 0, 0}, []float64{.15, .15, .15}},
		{[]float64{1, 1, 0}, []float64{1, 1, 0}},
	} {
		image := floatImage{1, 1, 3, slices.Clone(c.from)}
		if err := brighten(&image, .15, nil); err != nil {
			t.Fatal(err)
		}
		if !floats.EqualApprox(image.values, c.want, 1e-12) {
			t.Errorf("%v became %v, want %v", c.from, image.values, c.want)
		}
	}
	d := smooth(t, 10, 32, 32, 1)
	for i, more := range []float64{.05, .1, .15} { // no value comes above 1
		if got := stat.Mean(units(corrupt(t, d, "brightness", i+1)), nil) - stat.Mean(units(d), nil); math.Abs(got-more) > 2e-3 { // half a step of 255
			t.Errorf("severity %d is brighter by %v, want %v", i+1, got, more)
		}
	}
}

// Contrast scales the deviation of each channel and keeps its mean.
func TestContrast(t *testing.T) {
	d := smooth(t, 1, 32, 32, 3)
	channel := func(v []float64, c int) (values []float64) {
		for i := c; i < len(v); i += 3 {
			values = append(values, v[i])
		}
		return values
	}
	for i, factor := range []float64{.75, .5, .4, .3, .15} {
		bad := units(corrupt(t, d, "contrast", i+1))
		for c := range 3 {
			mean, deviation := stat.MeanStdDev(channel(units(d), c), nil)
			gotMean, gotDeviation := stat.MeanStdDev(channel(bad, c), nil)
			if math.Abs(gotMean-mean) > 1e-3 || math.Abs(gotDeviation-factor*deviation) > 1e-3 {
				t.Errorf("severity %d, channel %d: mean %v and deviation %v, want %v and %v", i+1, c, gotMean, gotDeviation, mean, factor*deviation)
			}
		}
	}
}
