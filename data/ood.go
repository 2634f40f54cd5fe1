package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"ngebm/data/nearest"
	"ngebm/data/tabular"
)

// imageOODKinds are the synthetic OOD sets for images. check reports why one cannot be made of a
// dataset, and is nil where it can of all images; make fills pixels, one image of d's shape, from
// example i or from rng.
var imageOODKinds = []struct {
	name  string
	check func(d *Dataset) error
	make  func(d *Dataset, i int, rng *rand.Rand, pixels []uint8)
}{
	{"uniform noise", nil, func(d *Dataset, _ int, rng *rand.Rand, pixels []uint8) {
		for j := range pixels {
			pixels[j] = uint8(rng.IntN(int(d.MaxPixel) + 1))
		}
	}},
	{"gaussian noise", nil, func(d *Dataset, _ int, rng *rand.Rand, pixels []uint8) {
		for j := range pixels {
			v := float64(d.MaxPixel) * (.5 + .25*rng.NormFloat64())
			pixels[j] = uint8(math.Round(min(max(v, 0), float64(d.MaxPixel))))
		}
	}},
	{"constant", nil, func(d *Dataset, _ int, rng *rand.Rand, pixels []uint8) {
		channels := d.Shape[2]
		for c := range channels {
			v := uint8(rng.IntN(int(d.MaxPixel) + 1))
			for j := c; j < len(pixels); j += channels {
				pixels[j] = v
			}
		}
	}},
	{"inverted", nil, func(d *Dataset, i int, _ *rand.Rand, pixels []uint8) {
		for j, p := range d.pixels(i) {
			pixels[j] = d.MaxPixel - p
		}
	}},
	{"rotated", checkSquare, func(d *Dataset, i int, _ *rand.Rand, pixels []uint8) {
		quarterTurn(pixels, d.pixels(i), d.Shape[0], d.Shape[2])
	}},
	{"rotated 180", nil, func(d *Dataset, i int, _ *rand.Rand, pixels []uint8) {
		halfTurn(pixels, d.pixels(i), d.Shape[2])
	}},
	{"rotated 270", checkSquare, func(d *Dataset, i int, _ *rand.Rand, pixels []uint8) {
		half := make([]uint8, len(pixels))
		halfTurn(half, d.pixels(i), d.Shape[2])
		quarterTurn(pixels, half, d.Shape[0], d.Shape[2])
	}},
	{"shuffled", nil, func(d *Dataset, i int, rng *rand.Rand, pixels []uint8) {
		channels := d.Shape[2]
		from := d.pixels(i)
		for to, j := range rng.Perm(len(pixels) / channels) {
			copy(pixels[to*channels:][:channels], from[j*channels:][:channels])
		}
	}},
	{"interpolated", checkTwoClasses, func(d *Dataset, i int, rng *rand.Rand, pixels []uint8) {
		a, b := d.pixels(i), d.pixels(otherClass(d, i, rng))
		for j := range pixels {
			pixels[j] = uint8((int(a[j]) + int(b[j])) / 2)
		}
	}},
	{"blobs", nil, func(d *Dataset, _ int, rng *rand.Rand, pixels []uint8) {
		c := floatImage{d.Shape[0], d.Shape[1], d.Shape[2], make([]float64, len(pixels))}
		c.blobs(rng)
		c.store(pixels, d.MaxPixel)
	}},
}

func checkSquare(d *Dataset) error {
	if len(d.Shape) == 3 && d.Shape[0] != d.Shape[1] {
		return fmt.Errorf("needs square images, but those of %s have the shape %v: use \"rotated 180\"", d.Name, d.Shape)
	}
	return nil
}

func checkTwoClasses(d *Dataset) error {
	if len(d.Labels) > 0 && !slices.ContainsFunc(d.Labels, func(label int32) bool { return label != d.Labels[0] }) {
		return fmt.Errorf("needs images of two classes, and all of %s have one: choose another kind", d.Name)
	}
	return nil
}

// quarterTurn rotates a square image by 90 degrees counter-clockwise.
func quarterTurn(to, from []uint8, size, channels int) {
	for y := range size {
		for x := range size {
			copy(to[(y*size+x)*channels:][:channels], from[(x*size+size-1-y)*channels:][:channels])
		}
	}
}

// halfTurn rotates an image by 180 degrees.
func halfTurn(to, from []uint8, channels int) {
	for j := 0; j < len(from); j += channels {
		copy(to[len(to)-channels-j:][:channels], from[j:][:channels])
	}
}

// blobs draws the outliers of Hendrycks et al., Deep Anomaly Detection with Outlier Exposure,
// 2019, arXiv 1812.04606: Bernoulli(.7) values, blurred with a standard deviation of 1.5
// pixels of 32 and across channels as well, so that only the edges are colored; values
// below .75 become 0.
func (c *floatImage) blobs(rng *rand.Rand) {
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

// OODKinds returns the kinds that [Dataset.SynthesizeOOD] accepts for this dataset.
func (d *Dataset) OODKinds() []string {
	if !d.IsImages() {
		return d.pointOODKinds()
	}
	var names []string
	for _, s := range imageOODKinds {
		if s.check == nil || s.check(d) == nil {
			names = append(names, s.name)
		}
	}
	return names
}

// OODKindsOf returns the kinds that [Dataset.OODKinds] has for a dataset that [Open] knows by that name,
// without opening it. Of a table they are those of one with several columns, some of numbers.
func OODKindsOf(name string) []string {
	var d Dataset
	switch kind, _, _ := strings.Cut(name, ":"); {
	case kind == "csv":
		d.Points, d.Encoder = []float32{}, &tabular.Encoder{Columns: make([]tabular.Column, 2)}
	case slices.Contains(Toy2DKinds(), kind):
		d.Points = []float32{}
	}
	return d.OODKinds()
}

// CanonicalOODKind returns the current name of a kind that was renamed ("uniform box" for
// "far away"), and any other text unchanged.
func CanonicalOODKind(kind string) string {
	if kind == uniformBoxAlias {
		return uniformBox
	}
	return kind
}

// CheckOODKind returns an error for a kind that [Dataset.SynthesizeOOD] accepts for no
// dataset, so that a typo is found before anything is trained.
func CheckOODKind(kind string) error {
	known := []string{uniformBox, shifted, permutedColumns}
	for _, s := range imageOODKinds {
		known = append(known, s.name)
	}
	if slices.Contains(known, CanonicalOODKind(kind)) {
		return nil
	}
	return fmt.Errorf("data: no synthetic OOD set is called %.60q%s: choose one of %s", kind, nearest.Hint(kind, known), strings.Join(known, ", "))
}

// SynthesizeOOD returns an out-of-distribution set with as many examples as d, in the same
// shape and pixel range. The result is a function of d, kind and seed. For images:
//
//	uniform noise    every value uniform in 0..MaxPixel
//	gaussian noise   mean 1/2, standard deviation 1/4 of the range, clipped to it
//	constant         one color
//	inverted         MaxPixel minus the value
//	rotated          90 degrees counter-clockwise; square images only
//	rotated 180      180 degrees
//	rotated 270      270 degrees counter-clockwise; square images only
//	shuffled         each image's pixels in random order
//	interpolated     the mean of two images of different classes; JEM's cifar_interp, which
//	                 the NG-EBM authors use, takes two of any class, and adds noise of .03
//	                 (of the range [-1,1]) to these and to the test images
//	blobs            light blobs on black, after Hendrycks et al. 2019
//
// For points and rows "uniform box" (formerly "far away", still accepted): uniform in a box with
// three times the sides of d's bounding box and the same center, without the bounding box
// itself. For rows of a table also:
//
//	shifted           all numeric columns moved by 3 deviations of the training rows, up or
//	                  down at random, the same way in all rows
//	permuted columns  each column's values in another random order: the same marginal
//	                  distributions, without their dependence
//
// Labels are copied from d: example i has the label of the example that it is made from or
// replaces, which means nothing for noise. The error is about an unknown kind, a rotation of
// images that are not square, or rows that a kind cannot change.
func (d *Dataset) SynthesizeOOD(kind string, seed uint64) (*Dataset, error) {
	return d.synthesize(kind, forOOD, seed)
}

// SynthesizeOutliers is [Dataset.SynthesizeOOD] with other random numbers, for outliers to train on:
// they are drawn separately from OOD sets of the same seed. A kind that changes images
// without drawing changes them alike.
func (d *Dataset) SynthesizeOutliers(kind string, seed uint64) (*Dataset, error) {
	return d.synthesize(kind, forOutliers, seed)
}

func (d *Dataset) synthesize(kind string, use purpose, seed uint64) (*Dataset, error) {
	if err := d.withoutNoise(); err != nil {
		return nil, err
	}
	kind = CanonicalOODKind(kind)
	s := Dataset{Info: d.Info, Shape: slices.Clone(d.Shape), MaxPixel: d.MaxPixel, Labels: slices.Clone(d.Labels), Encoder: d.Encoder}
	s.Name, s.Split = d.Name+", "+kind, "made from "+d.Split
	if !d.IsImages() && slices.Contains(d.pointOODKinds(), kind) {
		var err error
		if s.Points, err = d.pointOOD(kind, stream(use, seed, 0, 0)); err != nil {
			return nil, fmt.Errorf("data: no synthetic OOD set %q can be made of %s: %w", kind, d.Name, err)
		}
		return New(s)
	}
	for _, way := range imageOODKinds {
		if way.name != kind || !d.IsImages() {
			continue
		}
		if way.check != nil {
			if err := way.check(d); err != nil {
				return nil, fmt.Errorf("data: %q %w", kind, err)
			}
		}
		s.Pixels = make([]uint8, len(d.Pixels))
		err := parallelFor(d.Len(), func(i int) error {
			way.make(d, i, stream(use, seed, uint64(i), 0), s.pixels(i))
			return nil
		})
		if err != nil {
			return nil, err
		}
		return New(s)
	}
	return nil, fmt.Errorf("data: no synthetic OOD set %.60q can be made of %s%s: choose one of %s", kind, d.Name, nearest.Hint(kind, d.OODKinds()), strings.Join(d.OODKinds(), ", "))
}

func (d *Dataset) pixels(i int) []uint8 { return d.Pixels[i*d.Size() : (i+1)*d.Size()] }

// otherClass draws an example of another class than i's, of which there is one. Of a class with more than
// an eighth of all examples it draws until it has one. In place of an example of a smaller class it
// takes the next of another class, as it always did: where classes are in order, that is one and the same.
func otherClass(d *Dataset, i int, rng *rand.Rand) int {
	start := rng.IntN(d.Len())
	if d.Labels[start] == d.Labels[i] && d.classSize(d.Labels[i]) > d.Len()/8 {
		for tries := 0; d.Labels[start] == d.Labels[i] && tries < 1000; tries++ {
			start = rng.IntN(d.Len())
		}
	}
	for k := range d.Len() {
		if j := (start + k) % d.Len(); d.Labels[j] != d.Labels[i] {
			return j
		}
	}
	return i
}

// classSize is the number of examples of a class.
func (d *Dataset) classSize(class int32) int {
	n := 0
	for _, label := range d.Labels {
		if label == class {
			n++
		}
	}
	return n
}
