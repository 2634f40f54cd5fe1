package data

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"sync"
)

// Augment says how training examples are varied, each time anew. The zero value
// leaves them as they are.
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
}

// Batch is what a network sees in one step.
type Batch struct {
	X      []float32 // batch size × Size() values, example by example, pixels in [-1,1]
	Labels []int32   // one class index an example
}

// Batches deals a set out in shuffled, augmented batches. Every epoch has an
// order of its own, and what is left over at its end, too little for a batch,
// is dropped. A batch is a function of the set, the batch size, the seed, the
// augmentation and the step number, and of nothing else: not of how many
// processors prepare it, nor of the batches taken before. A Batches may be used
// from several goroutines.
type Batches struct {
	data  *Dataset
	size  int
	seed  uint64
	aug   Augment
	scale [math.MaxUint8 + 1]float32 // a pixel in the network's units

	mu     sync.Mutex
	orders [2]order // of the two epochs asked for last, in slot epoch mod 2
}

type order struct {
	epoch   int
	indices []int // nil before first use
}

// NewBatches checks that the batches asked for can be made of d.
func NewBatches(d *Dataset, size int, seed uint64, aug Augment) (*Batches, error) {
	switch {
	case size < 1:
		return nil, fmt.Errorf("data: the batch size is %d: give 1 or more", size)
	case size > d.Len():
		return nil, fmt.Errorf("data: the batch size %d is larger than the %d examples of %s %s: give a batch size of at most %d, or more data", size, d.Len(), d.Name, d.Split, d.Len())
	case !(aug.Noise >= 0) || math.IsInf(aug.Noise, 0):
		return nil, fmt.Errorf("data: the noise is %v: give a standard deviation, 0 or more", aug.Noise)
	case aug.Pad < 0:
		return nil, fmt.Errorf("data: the padding is %d: give a number of pixels, 0 or more", aug.Pad)
	case !d.IsImages() && (aug.Pad > 0 || aug.Flip):
		return nil, fmt.Errorf("data: padding and flips are for images, but %s holds points: set pad to 0 and flip to false", d.Name)
	case d.IsImages() && aug.Pad >= min(d.Shape[0], d.Shape[1]):
		return nil, fmt.Errorf("data: the padding of %d pixels is not below the side of %dx%d images, which is as far as a reflection reaches: give %d or less", aug.Pad, d.Shape[0], d.Shape[1], min(d.Shape[0], d.Shape[1])-1)
	}
	b := &Batches{data: d, size: size, seed: seed, aug: aug}
	if d.IsImages() {
		for p := range b.scale {
			b.scale[p] = float32(float32(p)*(2/float32(d.MaxPixel))) - 1
		}
	}
	return b, nil
}

// StepsPerEpoch returns the number of whole batches in the set.
func (b *Batches) StepsPerEpoch() int { return b.data.Len() / b.size }

// At returns the batch of a step, counted from 0 through all epochs.
func (b *Batches) At(step int) Batch {
	perEpoch := b.StepsPerEpoch()
	first := step % perEpoch * b.size
	indices := b.order(step / perEpoch)[first : first+b.size]
	width := b.data.Size()
	batch := Batch{X: make([]float32, b.size*width), Labels: make([]int32, b.size)}
	for i, index := range indices {
		batch.Labels[i] = b.data.Labels[index]
		b.example(batch.X[i*width:(i+1)*width], index, stream(forExample, b.seed, uint64(step), uint64(i)))
	}
	return batch
}

// order returns the permutation of an epoch. It is kept, for drawing it takes
// about as long as a batch; two are, since preparing ahead crosses over.
func (b *Batches) order(epoch int) []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	slot := &b.orders[epoch%2]
	if slot.indices == nil || slot.epoch != epoch {
		*slot = order{epoch, stream(forEpoch, b.seed, uint64(epoch), 0).Perm(b.data.Len())}
	}
	return slot.indices
}

// example writes one example, augmented, into dst.
func (b *Batches) example(dst []float32, index int, rng *rand.Rand) {
	size := b.data.Size()
	if b.data.IsImages() {
		b.image(dst, b.data.Pixels[index*size:(index+1)*size], rng)
	} else {
		copy(dst, b.data.Points[index*size:(index+1)*size])
	}
	if b.aug.Noise > 0 {
		sigma := float32(b.aug.Noise)
		for i := range dst {
			dst[i] += float32(sigma * float32(rng.NormFloat64()))
		}
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

// ahead is how many batches From prepares before they are asked for: enough to
// ride out a hiccup, at about a megabyte each.
const ahead = 4

// From yields step after step, beginning with the given one, without end: the
// consumer breaks off. Batches are prepared ahead on other goroutines and come
// in order; a Batch is the consumer's own. When ctx is done the sequence ends
// (ask ctx.Err() why). Once the loop is left no goroutine of it is running.
func (b *Batches) From(ctx context.Context, step int) iter.Seq2[int, Batch] {
	return func(yield func(int, Batch) bool) {
		ctx, stop := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer stop()

		// The capacity bounds the work ahead: a batch is begun only once its
		// place in the queue is won.
		queue := make(chan chan Batch, ahead)
		running.Go(func() {
			for s := step; ; s++ {
				ready := make(chan Batch, 1)
				select {
				case queue <- ready:
				case <-ctx.Done():
					return
				}
				running.Go(func() { ready <- b.At(s) })
			}
		})
		for s := step; ctx.Err() == nil; s++ {
			select {
			case ready := <-queue:
				if !yield(s, <-ready) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}
