package data

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
)

const (
	defaultPoints = 1000
	maxPoints     = 10_000_000
)

// toy2D is a two-dimensional toy dataset, one density per class.
type toy2D struct {
	name, about string
	source      string   // of the definition
	classes     []string // class names
	// draw returns one point of a class.
	draw func(rng *rand.Rand, class int) (x, y float64)
}

// toy2DSets lists the two-dimensional toy datasets. All are within about [-2,2]², the range of the
// landscapes, with classes of equal frequency. N(s) is normal noise of standard deviation s on
// each coordinate, U is uniform on [0,1).
//
//	moons           t = πU; (cos t, sin t) or (1 - cos t, 1/2 - sin t), + N(.1), minus the
//	                center (1/2, 1/4), times 4/3: scikit-learn's make_moons with noise=.1
//	circles         t = 2πU; 2 (cos t, sin t) or half that, + N(.16): scikit-learn's
//	                make_circles(factor=.5, noise=.08), as in FFJORD, times 2
//	spirals         t = 3π√U, r = 2t/3π; ±r (-cos t, sin t) + N(.08): FFJORD's 2spirals
//	                without its uniform noise, times .64
//	pinwheel        r = 1 + N(.3), s = N(.1); (r, s) rotated clockwise by 2πc/5 + exp(r)/4,
//	                as in Johnson et al. 2016 and FFJORD (which doubles it)
//	checkerboard    uniform on the unit squares of a 4x4 board, one class per color: FFJORD's
//	                is the density of one color
//	eight-gaussians 2 (cos πc/4, sin πc/4) + N(.25): FFJORD's 8gaussians times .71
//
// Sources: scikit-learn, sklearn/datasets/_samples_generator.py (there t is evenly spaced, here
// it is random); Grathwohl et al., FFJORD, 2019, lib/toy_data.py.
func toy2DSets() []toy2D {
	const (
		scikit = "scikit-learn"
		ffjord = "FFJORD (Grathwohl et al. 2019)"
	)
	// The conversions of products, x and y too, prevent a fused multiply-add, so that the bits are the
	// same on every processor.
	noisy := func(rng *rand.Rand, x, y, sigma float64) (float64, float64) {
		return float64(x) + float64(sigma*rng.NormFloat64()), float64(y) + float64(sigma*rng.NormFloat64())
	}
	// cell is uniform on [0,1) in steps that float32 can add to a small integer without
	// rounding up to the next, so that no point changes its color.
	cell := func(rng *rand.Rand) float64 { return float64(rng.Uint32N(1<<20)) / (1 << 20) }
	return []toy2D{
		{"moons", "two interlocking half circles", scikit, []string{"upper", "lower"},
			func(rng *rand.Rand, class int) (float64, float64) {
				sin, cos := math.Sincos(math.Pi * rng.Float64())
				if class == 1 {
					cos, sin = 1-cos, .5-sin
				}
				x, y := noisy(rng, cos, sin, .1)
				return (x - .5) * 4 / 3, (y - .25) * 4 / 3
			}},
		{"circles", "a circle around another", scikit, []string{"outer", "inner"},
			func(rng *rand.Rand, class int) (float64, float64) {
				sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
				r := 2 / float64(1+class)
				return noisy(rng, r*cos, r*sin, .16)
			}},
		{"spirals", "two spirals of 1.5 turns", ffjord, []string{"first", "second"},
			func(rng *rand.Rand, class int) (float64, float64) {
				t := float64(3 * math.Pi * math.Sqrt(rng.Float64())) // 2 * t is compiled to t + t
				sin, cos := math.Sincos(t)
				r := 2 * t / (3 * math.Pi) * float64(1-2*class)
				return noisy(rng, -r*cos, r*sin, .08)
			}},
		{"pinwheel", "five bent blades", ffjord, []string{"1", "2", "3", "4", "5"},
			func(rng *rand.Rand, class int) (float64, float64) {
				r, s := 1+float64(.3*rng.NormFloat64()), .1*rng.NormFloat64()
				sin, cos := math.Sincos(2*math.Pi*float64(class)/5 + math.Exp(r)/4)
				return float64(r*cos) + float64(s*sin), float64(s*cos) - float64(r*sin)
			}},
		{"checkerboard", "a board of 4x4 squares in two colors", ffjord, []string{"dark", "light"},
			func(rng *rand.Rand, class int) (float64, float64) {
				column := rng.IntN(4) - 2
				row := 2*rng.IntN(2) - 2 + (column+2+class)%2
				return float64(column) + cell(rng), float64(row) + cell(rng)
			}},
		{"eight-gaussians", "eight normal distributions on a circle", ffjord, []string{"E", "NE", "N", "NW", "W", "SW", "S", "SE"},
			func(rng *rand.Rand, class int) (float64, float64) {
				sin, cos := math.Sincos(math.Pi / 4 * float64(class))
				return noisy(rng, 2*cos, 2*sin, .25)
			}},
	}
}

// Toy2DKinds returns the names of the two-dimensional toy datasets, which [Open] accepts: moons,
// circles, spirals, pinwheel, checkerboard and eight-gaussians.
func Toy2DKinds() []string {
	var names []string
	for _, p := range toy2DSets() {
		names = append(names, p.name)
	}
	return names
}

// open generates the dataset; arg is the number of points of each split.
func (p toy2D) open(_ context.Context, arg string, opts Options) (train, test *Dataset, err error) {
	n := defaultPoints
	if arg != "" {
		if n, err = strconv.Atoi(arg); err != nil || n < len(p.classes) || n > maxPoints {
			return nil, nil, fmt.Errorf("data: %q is not a number of points for %s: write %s:N with N from %d to %d", arg, p.name, p.name, len(p.classes), maxPoints)
		}
	}
	if train, err = p.generate(n, opts.Seed, 0, "train"); err != nil {
		return nil, nil, err
	}
	if test, err = p.generate(n, opts.Seed, 1, "test"); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// generate draws n points, classes in turn, so that their counts differ by at most one.
func (p toy2D) generate(n int, seed, part uint64, split string) (*Dataset, error) {
	d := Dataset{
		Info: Info{
			Name: p.name, Split: split, Classes: p.classes,
			Source:  fmt.Sprintf("generated with seed %d, after %s", seed, p.source),
			License: "CC0-1.0",
		},
		Shape:  []int{2},
		Points: make([]float32, 0, 2*n),
		Labels: make([]int32, n),
	}
	rng := stream(forToy2D, seed, part, 0)
	for i := range n {
		class := i % len(p.classes)
		x, y := p.draw(rng, class)
		d.Labels[i] = int32(class)
		d.Points = append(d.Points, float32(x), float32(y))
	}
	return New(d)
}
