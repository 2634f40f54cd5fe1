package measure_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"ngebm/data"
	"ngebm/ngebm/measure"
)

// points is a set of points in the plane, their values one after the other.
func points(t testing.TB, values ...float32) *data.Dataset {
	t.Helper()
	d := data.Dataset{Info: data.Info{Name: "points", Classes: []string{"all"}}, Shape: []int{2}, Points: values}
	d.Labels = make([]int32, len(values)/2)
	set, err := data.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// line is points on a line in the plane.
func line(t testing.TB, x ...float32) *data.Dataset {
	t.Helper()
	var values []float32
	for _, v := range x {
		values = append(values, v, 0)
	}
	return points(t, values...)
}

// normal is n points in the plane around (at, at).
func normal(t testing.TB, n int, at float64, seed uint64) *data.Dataset {
	rng := rand.New(rand.NewPCG(seed, 1))
	values := make([]float32, 2*n)
	for i := range values {
		values[i] = float32(at + rng.NormFloat64())
	}
	return points(t, values...)
}

// The same distribution is near 0, another is not.
func ExampleMMD() {
	moons, test, err := data.Open(context.Background(), "moons:300", data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	circles, _, err := data.Open(context.Background(), "circles:300", data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	same, err := measure.MMD(moons, test)
	if err != nil {
		fmt.Println(err)
		return
	}
	other, err := measure.MMD(circles, test)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(math.Abs(same) < .005, other > .03)
	// Output: true true
}

// By hand, on a line, from samples 0 and 2. Of an even number of distances the median is the mean of the
// two in the middle.
func TestMMDByHand(t *testing.T) {
	for _, c := range []struct {
		reference []float32
		sigma     float64
		within    []float64 // distances within the reference, of which sigma is the median
		across    []float64 // to 0, then to 2
	}{
		{[]float32{0, 1}, 1, []float64{1}, []float64{0, 1, 2, 1}},
		{[]float32{0, 1, 3}, 2, []float64{1, 2, 3}, []float64{0, 1, 3, 2, 1, 1}},
		{[]float32{0, 1, 3, 4}, 2.5, []float64{1, 1, 2, 3, 3, 4}, []float64{0, 1, 3, 4, 2, 1, 1, 2}},
	} {
		got, err := measure.MMD(line(t, 0, 2), line(t, c.reference...))
		if err != nil {
			t.Fatal(err)
		}
		mean := func(distances ...float64) (sum float64) {
			for _, d := range distances {
				sum += math.Exp(-d * d / (2 * c.sigma * c.sigma))
			}
			return sum / float64(len(distances))
		}
		if want := mean(2) + mean(c.within...) - 2*mean(c.across...); math.Abs(got-want) > 1e-12 {
			t.Errorf("reference %v: %v, want %v", c.reference, got, want)
		}
	}
}

// Two normal distributions N(0, I) and N(μ, I) in d dimensions have with the kernel
// exp(-‖x-y‖²/2σ²) the squared discrepancy
//
//	2·(σ²/(σ²+2))^(d/2)·(1 - exp(-‖μ‖²/(2(σ²+2))))
//
// (differences of two draws are N(0, 2I) and N(μ, 2I)). σ² is the squared median
// distance within the reference, here 4·ln 2: ‖x-y‖²/4 is exponential for d = 2.
func TestMMDOfNormals(t *testing.T) {
	const n = 1500
	for _, at := range []float64{0, .5, 1, 3} {
		got, err := measure.MMD(normal(t, n, at, 1), normal(t, n, 0, 2))
		if err != nil {
			t.Fatal(err)
		}
		width := 4 * math.Ln2
		want := 2 * width / (width + 2) * (1 - math.Exp(-2*at*at/(2*(width+2))))
		if math.Abs(got-want) > .02 { // its standard error at this n is below .01
			t.Errorf("means %g apart in each of two: %.4f, want %.4f", at, got, want)
		}
	}
}

// Swapping sets of one scale changes little, translation of both nothing, and examples
// in another order nothing.
func TestMMDSymmetries(t *testing.T) {
	mmd := func(a, b *data.Dataset) float64 {
		v, err := measure.MMD(a, b)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	// Distances within a and b are the same, so σ is too.
	a, b := line(t, 0, 1, 3, 4), line(t, 5, 6, 8, 9)
	if x, y := mmd(a, b), mmd(b, a); math.Abs(x-y) > 1e-12 {
		t.Errorf("%v one way, %v the other", x, y)
	}
	if x, y := mmd(a, b), mmd(line(t, 10, 11, 13, 14), line(t, 15, 16, 18, 19)); math.Abs(x-y) > 1e-12 {
		t.Errorf("%v here, %v ten further on", x, y)
	}
	if x, y := mmd(a, b), mmd(line(t, 4, 0, 3, 1), line(t, 9, 5, 8, 6)); math.Abs(x-y) > 1e-12 {
		t.Errorf("%v in one order, %v in another", x, y)
	}
	if far := mmd(a, line(t, 1e6, 1e6+1, 1e6+3, 1e6+4)); !(far > mmd(a, b)) {
		t.Errorf("far away is %v, no more than nearby", far)
	}
}

func TestMMDRefuses(t *testing.T) {
	digits, _, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		samples, reference *data.Dataset
		want               string
	}{
		{line(t, 1, 2), digits, "points has examples of shape [2], but UCI digits has [8 8 1]"},
		{line(t, 1), line(t, 1, 2), "1 and 2 examples are too few"},
		{line(t, 1, 2), line(t, make([]float32, 10_001)...), "the reference points has 10001 examples"},
		{line(t, 1, 2), line(t, 5, 5, 5), "at least half of the examples of points are equal"},
	} {
		if _, err := measure.MMD(test.samples, test.reference); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want one with %q", err, test.want)
		}
	}
}
