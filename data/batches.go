package data

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"sync"
)

// Batch is the input of one training step.
type Batch struct {
	X      []float32 // shape [batch size, Size()]; pixels in [-1,1], before noise
	Labels []int32   // shape [batch size], class indices
	// With mixup, X is Lambda·example + (1-Lambda)·another example, whose class is in
	// Partner. Without mixup, Partner is nil and Lambda is 1.
	Partner []int32
	Lambda  float32 // in [0,1], one for the whole batch
}

// Dataset returns the batch as a dataset, to look at what the network gets; of is the dataset
// that it was drawn from. Pixels are rounded to 0..255; values that noise moved out of the range
// are clipped.
func (b Batch) Dataset(of *Dataset) (*Dataset, error) {
	d := Dataset{Info: of.Info, Shape: of.Shape, Labels: b.Labels, Encoder: of.Encoder}
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

// Batches deals a dataset in shuffled, augmented batches. Every epoch has its own order, and
// its last examples, too few for a batch, are dropped. A batch is a function of the dataset, the
// batch size, the seed, the augmentation and the step number: neither the number of processors
// nor the batches taken before change it. A Batches is safe for concurrent use.
type Batches struct {
	data  *Dataset
	size  int
	seed  uint64
	aug   Augment
	scale [math.MaxUint8 + 1]float32 // from a pixel to [-1,1]

	mu     sync.Mutex
	orders [2]order // of the last two epochs, in slot epoch mod 2
}

type order struct {
	epoch   int
	indices []int // nil before first use
}

// NewBatches returns the batches of size examples of d. It is an error if size is below 1 or
// above d.Len(), or if aug has a setting that is invalid for d.
func NewBatches(d *Dataset, size int, seed uint64, aug Augment) (*Batches, error) {
	switch {
	case size < 1:
		return nil, fmt.Errorf("data: the batch size is %d: give 1 or more", size)
	case size > d.Len():
		return nil, fmt.Errorf("data: the batch size %d is larger than the %d examples of %s %s: give a batch size of at most %d, or more data", size, d.Len(), d.Name, d.Split, d.Len())
	}
	if err := d.withoutNoise(); err != nil {
		return nil, err
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

// StepsPerEpoch returns the number of full batches in the dataset.
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

// order returns the permutation of an epoch. Drawing it takes about as long as a batch, so it is
// cached; two are, because prefetching crosses the end of an epoch.
func (b *Batches) order(epoch int) []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	slot := &b.orders[epoch%2]
	if slot.indices == nil || slot.epoch != epoch {
		*slot = order{epoch, stream(forEpoch, b.seed, uint64(epoch), 0).Perm(b.data.Len())}
	}
	return slot.indices
}

// ahead is how many groups of batches From prefetches: enough to bridge a pause of the workers,
// at about a megabyte each or less.
const ahead = 4

// inGroup is how many batches a worker of From makes in a row: one for images, and more for
// small batches, so that the cost of waking a goroutine is small in comparison.
func (b *Batches) inGroup() int { return max(1, 1<<14/(b.size*b.data.Size())) }

// From yields step numbers and batches without end, starting at the given step; leave the loop
// to stop. Batches are prefetched on other goroutines and arrive in order; the consumer owns
// them. The sequence ends when ctx is done (see ctx.Err). No goroutine is left once the loop is
// left.
func (b *Batches) From(ctx context.Context, step int) iter.Seq2[int, Batch] {
	return func(yield func(int, Batch) bool) {
		ctx, stop := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer stop()

		// The capacity bounds the prefetching: a group starts only once it is in the
		// queue.
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
