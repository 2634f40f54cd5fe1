package bootstrap

import (
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// meanOf returns a worker that computes the mean of a resample of x.
func meanOf(x []float64) func() func(*rand.Rand, []float64) {
	return func() func(*rand.Rand, []float64) {
		counts := make([]int32, len(x))
		return func(rng *rand.Rand, out []float64) {
			Resample(rng, counts)
			for i, c := range counts {
				out[0] += float64(c) * x[i] / float64(len(x))
			}
		}
	}
}

// The interval of a mean is the normal one, mean ± 1.96 sd/√n, up to the noise
// of the draws; and it covers the true mean about as often as it says.
func TestIntervalOfMean(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	covered := 0
	const trials, n = 200, 100
	for trial := range trials {
		x := make([]float64, n)
		var sum, squares float64
		for i := range x {
			x[i] = rng.NormFloat64()
			sum += x[i]
			squares += x[i] * x[i]
		}
		mean := sum / n
		half := 1.96 * math.Sqrt((squares/n-mean*mean)/n)
		got, err := Intervals(Options{Resamples: 500, Seed: uint64(trial)}, []Estimate{{Value: mean}}, meanOf(x))
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got[0].Low-(mean-half)) > .4*half || math.Abs(got[0].High-(mean+half)) > .4*half {
			t.Errorf("trial %d: %v, want about [%v %v]", trial, got[0], mean-half, mean+half)
		}
		if got[0].Low <= 0 && 0 <= got[0].High {
			covered++
		}
	}
	// Standard deviation of the share at .95: √(.95*.05/200) = .015.
	if share := float64(covered) / trials; share < .89 {
		t.Errorf("the .95 interval covers the true mean in %v of the trials", share)
	}
}

func TestSameSeedSameIntervalOnAnyNumberOfCores(t *testing.T) {
	x := []float64{1, 2, 3, 5, 8, 13, 21}
	draw := func(seed uint64) Interval {
		got, err := Intervals(Options{Resamples: 100, Level: .9, Seed: seed}, []Estimate{{Value: 53. / 7}}, meanOf(x))
		if err != nil {
			t.Fatal(err)
		}
		return got[0]
	}
	many := draw(7)
	before := runtime.GOMAXPROCS(1)
	one := draw(7)
	runtime.GOMAXPROCS(before)
	if many != one {
		t.Errorf("%v on %d cores, %v on one", many, before, one)
	}
	if draw(8) == one {
		t.Error("another seed gave the same interval")
	}
}

func TestPercentile(t *testing.T) {
	// numpy.percentile([1,2,4,8], [0, 2.5, 50, 97.5, 100]), numpy 2.4.6.
	for q, want := range map[float64]float64{0: 1, .025: 1.075, .5: 3, .975: 7.7, 1: 8} {
		if got := Percentile([]float64{1, 2, 4, 8}, q); math.Abs(got-want) > 1e-12 {
			t.Errorf("percentile %v is %v, want %v", q, got, want)
		}
	}
}

func TestBadOptions(t *testing.T) {
	for want, o := range map[string]Options{
		"-1 resamples": {Resamples: -1},
		"level is 1":   {Level: 1},
		"level is -0.": {Level: -.5},
		"level is NaN": {Level: math.NaN()},
	} {
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", o, err, want)
		}
	}
	if got, err := Intervals(Options{}, make([]Estimate, 3), nil); got != nil || err != nil {
		t.Errorf("no resamples: %v %v", got, err)
	}
}

// The bounds solve (share - p)² = z² p(1-p)/n, which is easy by hand at shares of
// 0, one half and 1.
func TestWilson(t *testing.T) {
	const z2 = 3.841458820694124 // χ² with one degree of freedom, 95 %
	for _, n := range []int{1, 10, 1000} {
		m := float64(n)
		half := math.Sqrt(z2/(m+z2)) / 2
		for share, want := range map[float64][2]float64{
			0:   {0, z2 / (m + z2)},
			0.5: {0.5 - half, 0.5 + half},
			1:   {m / (m + z2), 1},
		} {
			got := Wilson(share, n)
			if math.Abs(got.Low-want[0]) > 1e-12 || math.Abs(got.High-want[1]) > 1e-12 {
				t.Errorf("%v of %d: %v, want %v", share, n, got, want)
			}
		}
	}
}
