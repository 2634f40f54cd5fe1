package data

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// Augment configures random changes of training examples, drawn again for every step and applied
// in the order of the fields, except that noise comes last. The zero value changes nothing.
type Augment struct {
	// Pad reflects that many pixels at each border (without repeating the border pixel) and
	// crops the original size at a random offset. It must be below the shorter side.
	Pad int `json:"pad"`
	// Flip mirrors an image left to right with probability 1/2.
	Flip bool `json:"flip"`
	// Noise is the standard deviation of normal noise added to every value, in network
	// units: pixels in [-1,1], points as they are. The sum is not clipped.
	Noise float64 `json:"noise"`
	// Cutout is the side in pixels of a square that is set to 0 in network units (mid-gray)
	// in every image. Its center is uniform over the image, so that a part of the square may
	// be outside (DeVries and Taylor 2017, arXiv 1708.04552, whose images are centered on 0
	// as well).
	Cutout int `json:"cutout,omitempty"`
	// Mixup is α: each example becomes λ·itself + (1-λ)·another example of the batch, with
	// one λ from Beta(α,α) per batch and a random permutation of the examples (Zhang et al.
	// 2018, arXiv 1710.09412). The loss must mix the labels as well: see [Batch].
	Mixup float64 `json:"mixup,omitempty"`
}

// check reports a setting that is invalid, or invalid for d.
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
		return fmt.Errorf("data: the padding of %d pixels must be below the shorter side of %dx%d images: give %d or less", a.Pad, height, width, short-1)
	case a.Cutout > long:
		return fmt.Errorf("data: the cutout of %d pixels is larger than %dx%d images: give %d or less", a.Cutout, height, width, long)
	}
	return nil
}

// example writes example index into dst, cropped, flipped and cut out.
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

// reflect maps a coordinate up to n-1 outside of [0,n) into it, mirrored at the border pixel.
func reflect(i, n int) int {
	if i < 0 {
		return -i
	}
	if i >= n {
		return 2*(n-1) - i
	}
	return i
}

// cutOut sets a square of an image to 0. For an even side the center is between four pixels, and
// the one drawn is below and to the right of it.
func cutOut(image []float32, shape []int, side int, rng *rand.Rand) {
	height, width, channels := shape[0], shape[1], shape[2]
	top, left := rng.IntN(height)-side/2, rng.IntN(width)-side/2
	for y := max(top, 0); y < min(top+side, height); y++ {
		clear(image[(y*width+max(left, 0))*channels : (y*width+min(left+side, width))*channels])
	}
}

// mix applies mixup to the batch.
func (batch *Batch) mix(alpha float64, rng *rand.Rand) {
	lambda := distuv.Beta{Alpha: alpha, Beta: alpha, Src: rng}.Rand()
	if math.IsNaN(lambda) {
		// λ is X/(X+Y) of gamma variables, which both underflow for a tiny α. Then λ is
		// 0 or 1 to within float64.
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
			// The conversions prevent a fused multiply-add, so that the bits are
			// the same on every processor.
			mixed[i*width+k] = float32(batch.Lambda*v) + float32((1-batch.Lambda)*other[k])
		}
	}
	batch.X = mixed
}

// addNoise adds normal noise of standard deviation sigma.
func addNoise(x []float32, sigma float32, rng *rand.Rand) {
	for i := range x {
		x[i] += float32(sigma * float32(rng.NormFloat64()))
	}
}
