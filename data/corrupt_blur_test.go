package data

import (
	"math"
	"testing"
)

// scipy.ndimage.gaussian_filter(x, s, mode="nearest", truncate=4) of scipy 1.17,
// with x zeros of 5x7 but for x[1,2]=1, x[4,6]=.5 and x[3,0]=.25.
func TestBlurAgreesWithSciPy(t *testing.T) {
	for sigma, want := range map[float64][]float64{
		.4: {0, .001631, .037125, .001631, 0, 0, 0, 4e-06, .037125, .844962, .037125, 3e-06, 0, 0, .009689, .002039, .037125, .001631, 0, 0, 2e-06, .220522, .009282, 4e-06, 0, 0, .000816, .01938, .009689, .000408, 0, 0, 2e-06, .01938, .460425},
		1:  {.013839, .058883, .096598, .058556, .013068, .001092, 7.9e-05, .030981, .100589, .159947, .096605, .021675, .002454, .00165, .055377, .07673, .100079, .05896, .014787, .009871, .020512, .072677, .043038, .0274, .014206, .011727, .045398, .105113, .042552, .019252, .005357, .002945, .020727, .105125, .244631},
	} {
		// Three channels apart: the middle one holds the decoded.
		c := floatImage{5, 7, 3, make([]float64, 5*7*3)}
		for place, v := range map[int]float64{1*7 + 2: 1, 4*7 + 6: .5, 3 * 7: .25} {
			c.values[3*place+1] = v
		}
		if err := gaussianBlur(&c, sigma, nil); err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			if got := c.values[3*i+1]; math.Abs(got-w) > 1e-6 {
				t.Errorf("deviation %v: value %d is %.6f, want %.6f", sigma, i, got, w)
			}
			if c.values[3*i] != 0 || c.values[3*i+2] != 0 {
				t.Fatalf("the blur leaks into other channels")
			}
		}
	}
}

// A larger image is blurred by more pixels, a smaller one by as many.
func TestBlurGrowsWithImage(t *testing.T) {
	spread := func(height, width int) float64 {
		c := floatImage{height, width, 1, make([]float64, height*width)}
		c.values[height/2*width+width/2] = 1
		if err := gaussianBlur(&c, 1, nil); err != nil {
			t.Fatal(err)
		}
		sum, moment := 0., 0.
		for i, p := range c.values {
			sum += p
			moment += p * math.Pow(float64(i%width-width/2), 2)
		}
		return math.Sqrt(moment / sum)
	}
	for _, c := range []struct {
		height, width int
		want          float64
	}{{16, 16, 1}, {32, 32, 1}, {64, 64, 2}, {96, 64, 2}} {
		if got := spread(c.height, c.width); math.Abs(got/c.want-1) > .01 {
			t.Errorf("%dx%d: a point is spread by %v pixels, want %v", c.height, c.width, got, c.want)
		}
	}
}

// A moved point leaves a tail of the light it had, within 45° of the horizontal,
// all on one side, longer at each severity.
func TestMotionBlur(t *testing.T) {
	const side = 33
	d := flat(t, 50, side, side, 1, 0)
	for i := range d.Len() {
		d.pixels(i)[side*side/2] = 255
	}
	before := 0.
	for severity := 1; severity <= Severities; severity++ {
		v := units(corrupt(t, d, "motion blur", severity))
		length := 0.
		for i := range d.Len() {
			sum := 0.
			for j, p := range v[i*side*side : (i+1)*side*side] {
				down, right := j/side-side/2, j%side-side/2
				if p > 0 && (right > 0 || down > -right || down < right) {
					t.Fatalf("severity %d: light at %d down, %d right", severity, down, right)
				}
				sum += p
				length += p * math.Hypot(float64(down), float64(right)) / float64(d.Len())
			}
			if math.Abs(sum-1) > .02 {
				t.Fatalf("severity %d: the light is %v of what it was", severity, sum)
			}
		}
		if length <= before {
			t.Errorf("severity %d: the tail's mean length is %v, before it was %v", severity, length, before)
		}
		before = length
	}
}
