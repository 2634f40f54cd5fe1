package data

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// Augment says how training examples are varied, each time anew, in the order of
// the fields but for the noise, which comes last. The zero value leaves them as
// they are.
type Augment struct {
	// Pad reflects that many pixels at each border (without repeating the
	// border itself) and crops the image's size from a random place.
	Pad int `json:"pad"`
	// Flip mirrors every second image, drawn at random, left to right.
	Flip bool `json:"flip"`
	// Noise is the standard deviation of normal noise on every value, in the
	// network's units: pixels in [-1,1], points in their own. The sum is not
	// clipped.
	Noise float64 `json:"noise"`
	// Cutout is the side in pixels of a square that is blotted out of every
	// image: 0 in the network's units, half of the full light. Its centre is
	// uniform over the image, so that a part of it may lie outside (DeVries,
	// Taylor 2017, arXiv 1708.04552, whose images are centred on 0 as well).
	Cutout int `json:"cutout,omitempty"`
	// Mixup is α: each example becomes λ times itself plus 1-λ times another
	// example of the batch, with one λ a batch from Beta(α,α) and the others by
	// a random permutation (Zhang et al. 2018, arXiv 1710.09412). The loss has
	// to mix the labels likewise: see [Batch].
	Mixup float64 `json:"mixup,omitempty"`
}

// check refuses what cannot be done to the examples of d.
func (a Augment) check(d *Dataset) error {
	switch {
	case !(a.Noise >= 0) || math.IsInf(a.Noise, 0):
		return fmt.Errorf("data: the noise is %v: give a standard deviation, 0 or more", a.Noise)
	case a.Pad < 0:
		return fmt.Errorf("data: the padding is %d: give a number of pixels, 0 or more", a.Pad)
	case a.Cutout < 0:
		return fmt.Errorf("data: the cutout is %d: give the side of a square in pixels, 0 (none) or more", a.Cutout)
	case !(a.Mixup >= 0) || math.IsInf(a.Mixup, 0):
		return fmt.Errorf("data: the mixup is %v: give the α of Beta(α,α), above 0, or 0 for none", a.Mixup)
	case !d.IsImages() && (a.Pad > 0 || a.Flip || a.Cutout > 0):
		return fmt.Errorf("data: padding, flips and cutout are for images, but %s holds points: set pad and cutout to 0 and flip to false", d.Name)
	}
	if !d.IsImages() {
		return nil
	}
	height, width := d.Shape[0], d.Shape[1]
	switch short, long := min(height, width), max(height, width); {
	case a.Pad >= short:
		return fmt.Errorf("data: the padding of %d pixels is not below the side of %dx%d images, which is as far as a reflection reaches: give %d or less", a.Pad, height, width, short-1)
	case a.Cutout > long:
		return fmt.Errorf("data: the cutout of %d pixels is larger than %dx%d images: give %d or less", a.Cutout, height, width, long)
	}
	return nil
}

// example writes one example into dst, with all that is done to it before it is
// mixed with another.
func (b *Batches) example(dst []float32, index int, rng *rand.Rand) {
	size := b.data.Size()
	if !b.data.IsImages() {
		copy(dst, b.data.Points[index*size:(index+1)*size])
		return
	}
	b.image(dst, b.data.Pixels[index*size:(index+1)*size], rng)
	if b.aug.Cutout > 0 {
		cutOut(dst, b.data.Shape, b.aug.Cutout, rng)
	}
}

// image crops and flips src into dst.
func (b *Batches) image(dst []float32, src []uint8, rng *rand.Rand) {
	height, width, channels := b.data.Shape[0], b.data.Shape[1], b.data.Shape[2]
	var down, right int
	if b.aug.Pad > 0 {
		down = rng.IntN(2*b.aug.Pad+1) - b.aug.Pad
		right = rng.IntN(2*b.aug.Pad+1) - b.aug.Pad
	}
	flip := b.aug.Flip && rng.IntN(2) == 1
	for y := range height {
		row := src[reflect(y+down, height)*width*channels:]
		for x := range width {
			from := x
			if flip {
				from = width - 1 - x
			}
			from = reflect(from+right, width) * channels
			for c := range channels {
				dst[(y*width+x)*channels+c] = b.scale[row[from+c]]
			}
		}
	}
}

// reflect folds a coordinate that lies up to n-1 outside [0,n) back into it,
// mirrored at the border pixel.
func reflect(i, n int) int {
	if i < 0 {
		return -i
	}
	if i >= n {
		return 2*(n-1) - i
	}
	return i
}

// cutOut blots a square out of an image. One with an even side has its centre
// between four pixels, the one that is drawn being below and right of it.
func cutOut(image []float32, shape []int, side int, rng *rand.Rand) {
	height, width, channels := shape[0], shape[1], shape[2]
	top, left := rng.IntN(height)-side/2, rng.IntN(width)-side/2
	for y := max(top, 0); y < min(top+side, height); y++ {
		clear(image[(y*width+max(left, 0))*channels : (y*width+min(left+side, width))*channels])
	}
}

// mix mixes the examples of a batch in pairs.
func (batch *Batch) mix(alpha float64, rng *rand.Rand) {
	lambda := distuv.Beta{Alpha: alpha, Beta: alpha, Src: rng}.Rand()
	if math.IsNaN(lambda) {
		// With a tiny α both of the gamma variables whose quotient λ is can be
		// too small for a float64; λ is 0 or 1 then, as good as exactly.
		lambda = float64(rng.IntN(2))
	}
	batch.Lambda = float32(lambda)
	n := len(batch.Labels)
	width := len(batch.X) / n
	mixed := make([]float32, len(batch.X))
	batch.Partner = make([]int32, n)
	for i, j := range rng.Perm(n) {
		batch.Partner[i] = batch.Labels[j]
		own, other := batch.X[i*width:(i+1)*width], batch.X[j*width:(j+1)*width]
		for k, v := range own {
			// The conversions keep the compiler from fusing, so that every
			// processor gets the same bits.
			mixed[i*width+k] = float32(batch.Lambda*v) + float32((1-batch.Lambda)*other[k])
		}
	}
	batch.X = mixed
}

// addNoise adds normal noise of deviation sigma.
func addNoise(x []float32, sigma float32, rng *rand.Rand) {
	for i := range x {
		x[i] += float32(sigma * float32(rng.NormFloat64()))
	}
}
