package data

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"sync"
)

// Batch is what a network sees in one step.
type Batch struct {
	X      []float32 // batch size × Size() values, example by example, pixels in [-1,1]
	Labels []int32   // one class index an example
	// With mixup X is Lambda times each example plus 1-Lambda times another one,
	// whose class is in Partner. Without, Partner is nil and Lambda is 1.
	Partner []int32
	Lambda  float32 // in [0,1], one for the whole batch
}

// Dataset returns the batch as a set of its own, to look at what the network
// sees: of is the set that it was dealt from. Pixels are rounded to 0..255, what
// noise took out of the range cut off.
func (b Batch) Dataset(of *Dataset) (*Dataset, error) {
	d := Dataset{Info: of.Info, Shape: of.Shape, Labels: b.Labels}
	d.Name += ", as in a batch"
	if !of.IsImages() {
		d.Points = b.X
		return New(d)
	}
	d.MaxPixel = math.MaxUint8
	d.Pixels = make([]uint8, len(b.X))
	for i, v := range b.X {
		d.Pixels[i] = uint8(math.Round((float64(min(max(v, -1), 1)) + 1) / 2 * math.MaxUint8))
	}
	return New(d)
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
	}
	if err := aug.check(d); err != nil {
		return nil, err
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
	batch := Batch{X: make([]float32, b.size*width), Labels: make([]int32, b.size), Lambda: 1}
	rngs := make([]*rand.Rand, b.size)
	for i, index := range indices {
		rngs[i] = stream(forExample, b.seed, uint64(step), uint64(i))
		batch.Labels[i] = b.data.Labels[index]
		b.example(batch.X[i*width:(i+1)*width], index, rngs[i])
	}
	if b.aug.Mixup > 0 {
		batch.mix(b.aug.Mixup, stream(forMixup, b.seed, uint64(step), 0))
	}
	if b.aug.Noise > 0 {
		for i, rng := range rngs {
			addNoise(batch.X[i*width:(i+1)*width], float32(b.aug.Noise), rng)
		}
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

// ahead is how many groups of batches From prepares before they are asked for: enough to
// ride out a hiccup, at about a megabyte each or less.
const ahead = 4

// inGroup is how many batches a goroutine of From makes, one after the other: one of
// images, but of small batches so many that to wake a goroutine is little beside it.
func (b *Batches) inGroup() int { return max(1, 1<<14/(b.size*b.data.Size())) }

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

		// The capacity bounds the work ahead: a group is begun only once its
		// place in the queue is won.
		queue, size := make(chan chan []Batch, ahead), b.inGroup()
		running.Go(func() {
			for s := step; ; s += size {
				ready := make(chan []Batch, 1)
				select {
				case queue <- ready:
				case <-ctx.Done():
					return
				}
				running.Go(func() {
					group := make([]Batch, size)
					for i := range group {
						group[i] = b.At(s + i)
					}
					ready <- group
				})
			}
		})
		for s := step; ctx.Err() == nil; {
			select {
			case ready := <-queue:
				for _, batch := range <-ready {
					if ctx.Err() != nil || !yield(s, batch) {
						return
					}
					s++
				}
			case <-ctx.Done():
				return
			}
		}
	}
}
