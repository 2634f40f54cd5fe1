package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"ngebm/data/nearest"
)

// imageStrangers are the ways to make a set that lies outside of the distribution of
// another, example by example.
var imageStrangers = []struct {
	name string
	make func(d *Dataset, i int, rng *rand.Rand, pixels []uint8)
}{
	{"uniform noise", func(d *Dataset, _ int, rng *rand.Rand, pixels []uint8) {
		for j := range pixels {
			pixels[j] = uint8(rng.IntN(int(d.MaxPixel) + 1))
		}
	}},
	{"gaussian noise", func(d *Dataset, _ int, rng *rand.Rand, pixels []uint8) {
		for j := range pixels { // mean ½, deviation ¼ of the range, cut off at its ends
			v := float64(d.MaxPixel) * (.5 + .25*rng.NormFloat64())
			pixels[j] = uint8(math.Round(min(max(v, 0), float64(d.MaxPixel))))
		}
	}},
	{"constant", func(d *Dataset, _ int, rng *rand.Rand, pixels []uint8) {
		channels := d.Shape[2]
		for c := range channels {
			v := uint8(rng.IntN(int(d.MaxPixel) + 1))
			for j := c; j < len(pixels); j += channels {
				pixels[j] = v
			}
		}
	}},
	{"inverted", func(d *Dataset, i int, _ *rand.Rand, pixels []uint8) {
		for j, p := range d.pixels(i) {
			pixels[j] = d.MaxPixel - p
		}
	}},
	{"rotated", func(d *Dataset, i int, _ *rand.Rand, pixels []uint8) {
		quarterTurn(pixels, d.pixels(i), d.Shape[0], d.Shape[2]) // square, see Strange
	}},
	{"rotated 180", func(d *Dataset, i int, _ *rand.Rand, pixels []uint8) {
		halfTurn(pixels, d.pixels(i), d.Shape[2])
	}},
	{"rotated 270", func(d *Dataset, i int, _ *rand.Rand, pixels []uint8) {
		half := make([]uint8, len(pixels))
		halfTurn(half, d.pixels(i), d.Shape[2])
		quarterTurn(pixels, half, d.Shape[0], d.Shape[2])
	}},
	{"shuffled", func(d *Dataset, i int, rng *rand.Rand, pixels []uint8) {
		channels := d.Shape[2]
		from := d.pixels(i)
		for to, j := range rng.Perm(len(pixels) / channels) {
			copy(pixels[to*channels:][:channels], from[j*channels:][:channels])
		}
	}},
	{"interpolated", func(d *Dataset, i int, rng *rand.Rand, pixels []uint8) {
		a, b := d.pixels(i), d.pixels(otherClass(d, i, rng))
		for j := range pixels {
			pixels[j] = uint8((int(a[j]) + int(b[j])) / 2)
		}
	}},
	{"blobs", func(d *Dataset, _ int, rng *rand.Rand, pixels []uint8) {
		c := canvas{d.Shape[0], d.Shape[1], d.Shape[2], make([]float64, len(pixels))}
		c.blobs(rng)
		c.store(pixels, d.MaxPixel)
	}},
}

// quarterTurn turns a square image counter-clockwise.
func quarterTurn(to, from []uint8, size, channels int) {
	for y := range size {
		for x := range size {
			copy(to[(y*size+x)*channels:][:channels], from[(x*size+size-1-y)*channels:][:channels])
		}
	}
}

func halfTurn(to, from []uint8, channels int) {
	for j := 0; j < len(from); j += channels {
		copy(to[len(to)-channels-j:][:channels], from[j:][:channels])
	}
}

// blobs draws what Hendrycks et al. call so (Deep Anomaly Detection with Outlier
// Exposure, 2019, arXiv 1812.04606): seven of ten values 1 and the others 0,
// blurred with a deviation of 1.5 pixels of 32, across channels as well, so that
// only the edges are coloured, and what comes out below .75 made 0.
func (c *canvas) blobs(rng *rand.Rand) {
	for j := range c.values {
		if rng.Float64() < .7 {
			c.values[j] = 1
		}
	}
	c.blur(1.5, acrossChannels)
	c.blur(1.5*c.enlargement(), vertical, horizontal)
	for j, v := range c.values {
		if v < .75 {
			c.values[j] = 0
		}
	}
}

const farAway = "far away"

// Strangers returns the names that [Dataset.Strange] takes for this set.
func (d *Dataset) Strangers() []string {
	if !d.IsImages() {
		return []string{farAway}
	}
	var names []string
	for _, s := range imageStrangers {
		names = append(names, s.name)
	}
	return names
}

// Strange returns a set of as many examples, in the same shape, from outside of
// this set's distribution. What it draws at random follows from seed. For images:
//
//	uniform noise    every value uniform in its range
//	gaussian noise   mean ½, deviation ¼ of the range, cut off at its ends
//	constant         one colour
//	inverted         light for dark
//	rotated          a quarter turn counter-clockwise; square images only
//	rotated 180      half a turn
//	rotated 270      three quarter turns counter-clockwise; square images only
//	shuffled         each image's pixels in random order
//	interpolated     the mean of two images of different classes
//	blobs            light blobs on black, after Hendrycks et al. 2019
//
// For points in the plane "far away": uniform in a box three times as wide and
// high as the set's own, but outside of that. The labels are those of the
// examples that the strange ones stand for, and say nothing about noise.
func (d *Dataset) Strange(kind string, seed uint64) (*Dataset, error) {
	s := Dataset{Info: d.Info, Shape: slices.Clone(d.Shape), MaxPixel: d.MaxPixel, Labels: slices.Clone(d.Labels)}
	s.Name, s.Split = d.Name+", "+kind, "made from "+d.Split
	if !d.IsImages() && kind == farAway {
		s.Points = d.farAway(stream(forStrange, seed, 0, 0))
		return New(s)
	}
	for _, way := range imageStrangers {
		if way.name != kind || !d.IsImages() {
			continue
		}
		if (kind == "rotated" || kind == "rotated 270") && d.Shape[0] != d.Shape[1] {
			return nil, fmt.Errorf("data: images of %v cannot be given a quarter turn: they are not square", d.Shape)
		}
		s.Pixels = make([]uint8, len(d.Pixels))
		err := eachExample(d.Len(), func(i int) error {
			way.make(d, i, stream(forStrange, seed, uint64(i), 0), s.pixels(i))
			return nil
		})
		if err != nil {
			return nil, err
		}
		return New(s)
	}
	return nil, fmt.Errorf("data: %s cannot be made %.60q%s; it can be made %s", d.Name, kind, nearest.Hint(kind, d.Strangers()), strings.Join(d.Strangers(), ", "))
}

func (d *Dataset) pixels(i int) []uint8 { return d.Pixels[i*d.Size() : (i+1)*d.Size()] }

// otherClass draws an example of another class than i's; i itself where there is
// none.
func otherClass(d *Dataset, i int, rng *rand.Rand) int {
	start := rng.IntN(d.Len())
	for k := range d.Len() {
		if j := (start + k) % d.Len(); d.Labels[j] != d.Labels[i] {
			return j
		}
	}
	return i
}

func (d *Dataset) farAway(rng *rand.Rand) []float32 {
	low, high := [2]float32{d.Points[0], d.Points[1]}, [2]float32{d.Points[0], d.Points[1]}
	for i, v := range d.Points {
		low[i%2], high[i%2] = min(low[i%2], v), max(high[i%2], v)
	}
	var points []float32
	for len(points) < len(d.Points) {
		var p [2]float32
		inside := true
		for k := range p {
			width := high[k] - low[k]
			p[k] = low[k] - width + 3*width*rng.Float32()
			inside = inside && p[k] >= low[k] && p[k] <= high[k]
		}
		if !inside {
			points = append(points, p[:]...)
		}
	}
	return points
}
