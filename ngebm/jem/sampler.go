package jem

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data"
)

// Sampler draws samples from a model as it trains: persistent chains with a replay
// buffer. What it draws for a step follows from the seed, the step's number, the
// buffer and the model's weights.
type Sampler struct {
	settings Settings
	chain    *Chain
	starter  *Starter
	shape    []int // of one sample
	size     int
	classes  int
	batch    int
	seed     uint64

	buffer []float32 // Settings.Buffer samples; the class of a slot is slot·classes/Buffer if conditional

	// The noise of the next step is drawn while the device works on this one.
	ready    chan []float32
	readyFor moment
}

// moment is a training step in one attempt at it.
type moment struct {
	attempt uint64
	step    int
}

// Samples are what a step is trained against.
type Samples struct {
	X      *tensors.Tensor // [batch, …], the caller's to free
	Labels []int32         // their classes: what the chains followed if conditional, else 0
	Slope  float64         // mean ‖∂E/∂x̃‖₂ before the last SGLD step
}

// NewSampler returns a sampler of batch samples a step, shaped as the training set's
// examples. Its buffer is empty: call [Sampler.Fill] or [Sampler.SetBuffer] before
// [Sampler.Next].
func NewSampler(m Model, settings Settings, train *data.Dataset, batch int, seed uint64) (*Sampler, error) {
	settings = settings.WithDefaults()
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	s := &Sampler{
		settings: settings, starter: NewStarter(train, settings.Start),
		shape: slices.Clone(train.Shape), size: train.Size(), classes: len(train.Classes), batch: batch, seed: seed,
	}
	if settings.Conditional && settings.Buffer < s.classes {
		return nil, fmt.Errorf("jem.buffer is %d; conditional samples need a place for each of the %d classes", settings.Buffer, s.classes)
	}
	if s.size > maxValues/settings.Buffer {
		return nil, fmt.Errorf("jem.buffer is %d; as many samples of %d numbers would not fit in memory, give %d or less", settings.Buffer, s.size, maxValues/s.size)
	}
	var err error
	if s.chain, err = NewChain(m, settings.Steps, settings.Conditional); err != nil {
		return nil, err
	}
	return s, nil
}

// Fill fills the buffer with fresh starts. With starts from the data this takes minutes for
// images; it ends early, with the context's error, if ctx ends.
func (s *Sampler) Fill(ctx context.Context) error {
	s.buffer = make([]float32, s.settings.Buffer*s.size)
	rng := stream(forBuffer, s.seed, 0, 0)
	for slot := range s.settings.Buffer {
		if ctx.Err() != nil {
			s.buffer = nil
			return ctx.Err()
		}
		class := rng.IntN(s.classes)
		if s.settings.Conditional {
			class = s.classOf(slot)
		}
		s.starter.Draw(rng, class, s.sample(slot))
	}
	return nil
}

func (s *Sampler) sample(slot int) []float32 { return s.buffer[slot*s.size : (slot+1)*s.size] }

// classOf is the class whose part of the buffer a slot is in.
func (s *Sampler) classOf(slot int) int { return slot * s.classes / s.settings.Buffer }

// Next draws the samples for a training step, counted from 0, in the given attempt
// at it (0, or how often the run has been rolled back), with chains whose steps are
// Settings.Step times scale. They are put back into the buffer.
func (s *Sampler) Next(step int, attempt uint64, scale float64) (*Samples, error) {
	if s.buffer == nil {
		return nil, errors.New("jem: the replay buffer is empty; call Fill, or SetBuffer with a stored one, before Next")
	}
	rng := stream(forSlots, s.seed, attempt, uint64(step))
	slots, start := make([]int, s.batch), make([]float32, s.batch*s.size)
	samples := &Samples{Labels: make([]int32, s.batch)}
	for i := range slots {
		slots[i] = rng.IntN(s.settings.Buffer)
		class := rng.IntN(s.classes)
		if s.settings.Conditional {
			class = s.classOf(slots[i])
			samples.Labels[i] = int32(class)
		}
		x := start[i*s.size : (i+1)*s.size]
		if rng.Float64() < s.settings.Restart {
			s.starter.Draw(rng, class, x)
		} else {
			copy(x, s.sample(slots[i]))
		}
	}
	x := tensors.FromFlatDataAndDimensions(start, append([]int{s.batch}, s.shape...)...)
	end, slopes, err := s.chain.Run(x, s.settings.Step*scale, s.settings.Noise, s.noise(attempt, step), samples.Labels)
	if err != nil {
		return nil, err
	}
	samples.X = end
	if err := x.FinalizeAll(); err != nil {
		return nil, err
	}
	values, err := tensors.CopyFlatData[float32](end)
	if err != nil {
		return nil, err
	}
	for i, slot := range slots {
		copy(s.sample(slot), values[i*s.size:(i+1)*s.size])
	}
	each, err := tensors.CopyFlatData[float32](slopes)
	if err != nil {
		return nil, err
	}
	for _, v := range each {
		samples.Slope += float64(v) / float64(len(each))
	}
	return samples, slopes.FinalizeAll()
}

// noise returns the normal values of a step's chains, and has those of the next
// step drawn meanwhile: for 64 images of 32×32×3 and 20 steps they are four million.
func (s *Sampler) noise(attempt uint64, step int) []float32 {
	ready := s.ready
	if now := (moment{attempt, step}); ready == nil || s.readyFor != now {
		ready = s.draw(now)
	}
	s.readyFor = moment{attempt, step + 1}
	s.ready = s.draw(s.readyFor)
	return <-ready
}

func (s *Sampler) draw(m moment) chan []float32 {
	ready := make(chan []float32, 1) // with room, so that noise that nobody takes keeps no goroutine
	go func() {
		ready <- normals(stream(forNoise, s.seed, m.attempt, uint64(m.step)), s.settings.Steps*s.batch*s.size)
	}()
	return ready
}

func normals(rng *rand.Rand, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	return values
}

// Buffer returns the replay buffer, shaped [Settings.Buffer, …], for a checkpoint.
func (s *Sampler) Buffer() *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(slices.Clone(s.buffer), append([]int{s.settings.Buffer}, s.shape...)...)
}

// SetBuffer takes back what Buffer returned.
func (s *Sampler) SetBuffer(t *tensors.Tensor) error {
	if t.DType() != dtypes.Float32 || !slices.Equal(t.Shape().Dimensions, append([]int{s.settings.Buffer}, s.shape...)) {
		return fmt.Errorf("jem: the replay buffer is %s; this run's holds %d samples shaped %v, float32", t.Shape(), s.settings.Buffer, s.shape)
	}
	values, err := tensors.CopyFlatData[float32](t)
	if err != nil {
		return fmt.Errorf("jem: the replay buffer cannot be read: %w", err)
	}
	s.buffer = values
	return nil
}

// Close frees what was compiled.
func (s *Sampler) Close() { s.chain.Close() }
