package train

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/devmem"
	"ngebm/ngebm/internal/explain"
	"ngebm/ngebm/internal/innerloop"
)

// adversary makes the examples of adversarial training.
type adversary struct {
	loop   *innerloop.Loop
	seed   uint64
	lpBall lpBall
}

func newAdversary(m innerloop.Model, a ngebm.Adversarial, images bool, seed uint64) (*adversary, error) {
	v := &adversary{seed: seed, lpBall: lpBallOf(a, images)}
	var err error
	v.loop, err = innerloop.New(m, a.Steps, false, v.lpBall.step(m.Logits))
	return v, err
}

func (v *adversary) next(id stepID, x *tensors.Tensor, batch data.Batch) (extraInputs, error) {
	values, err := tensors.CopyFlatData[float32](x)
	if err != nil {
		return extraInputs{}, err
	}
	examples := len(batch.Labels)
	rng := rand.New(rand.NewPCG(v.seed, uint64(id.attempt)<<48|uint64(id.step)))
	size := len(values) / examples
	for i := range examples {
		v.lpBall.start(rng, values[i*size:(i+1)*size])
	}
	start := tensors.FromFlatDataAndDimensions(values, x.Shape().Dimensions...)
	labels := tensors.FromFlatDataAndDimensions(batch.Labels, examples)
	end, watch, err := v.loop.Run(start, nil, x, labels)
	if err != nil {
		return extraInputs{}, fmt.Errorf("ngebm: adversarial examples: %w", explain.Error(err))
	}
	return extraInputs{x: end}, errors.Join(devmem.Free(start, labels, watch))
}

func (v *adversary) recorded() []string            { return nil }
func (v *adversary) state() *tensors.Tensor        { return nil }
func (v *adversary) restore(*tensors.Tensor) error { return nil }
func (v *adversary) close()                        { v.loop.Close() }

// Package attack has a separate geometry (norm.go), which keeps a perturbation within ε to
// the last bit. This one rounds otherwise and draws its starts otherwise; runs that were
// trained with it keep their weights only as long as it does.

// lpBall is where adversarial training searches, in the network's units.
type lpBall struct {
	l2           bool
	radius, size float64 // of the Lp ball and of a step
	pixels       bool    // values stay in [-1,1]
}

func lpBallOf(a ngebm.Adversarial, images bool) lpBall {
	b := lpBall{l2: a.Norm == "l2", radius: a.Epsilon, size: a.Step, pixels: images}
	if images { // Epsilon is a share of the pixel range, which is 2 wide
		b.radius, b.size = 2*b.radius, 2*b.size
	}
	return b
}

// start moves an example to a point drawn uniformly from the Lp ball around it, and from
// there to the nearest that is an image.
func (b lpBall) start(rng *rand.Rand, x []float32) {
	if b.l2 {
		b.startL2(rng, x)
	} else {
		for j := range x {
			x[j] += float32((2*rng.Float64() - 1) * b.radius)
		}
	}
	if b.pixels {
		for j, v := range x {
			x[j] = min(max(v, -1), 1)
		}
	}
}

func (b lpBall) startL2(rng *rand.Rand, x []float32) {
	direction, square := make([]float64, len(x)), 0.
	for j := range direction {
		direction[j] = rng.NormFloat64()
		square += direction[j] * direction[j]
	}
	scale := b.radius * math.Pow(rng.Float64(), 1/float64(len(x))) / math.Sqrt(square)
	for j := range x {
		x[j] += float32(direction[j] * scale)
	}
}

// step is one step of projected gradient ascent on the cross-entropy. Its inputs that
// stay are the unperturbed examples and their labels.
func (b lpBall) step(logits func(*Node) *Node) innerloop.Step {
	return func(x, _ *Node, same []*Node) (next, watch *Node) {
		clean, labels := same[0], same[1]
		f := logits(x)
		// The sum, so that an example's gradient does not depend on the batch.
		loss := MulScalar(energy.CrossEntropy(f, labels, 0), float64(x.Shape().Dimensions[0]))
		g := Gradient(loss, x)[0]
		slope := energy.Norm(g)
		var delta *Node
		if b.l2 {
			moved := Add(x, MulScalar(Div(g, perExample(MaxScalar(slope, 1e-12), g)), b.size))
			delta = Sub(moved, clean)
			shrink := MinScalar(Div(Scalar(g.Graph(), g.DType(), b.radius), MaxScalar(energy.Norm(delta), 1e-12)), 1)
			delta = Mul(delta, perExample(shrink, g))
		} else {
			delta = ClipScalar(Sub(Add(x, MulScalar(Sign(g), b.size)), clean), -b.radius, b.radius)
		}
		next = Add(clean, delta)
		if b.pixels {
			next = ClipScalar(next, -1, 1)
		}
		return next, slope
	}
}

// perExample gives a value for each example the axes of like.
func perExample(values, like *Node) *Node {
	axes := make([]int, like.Rank()-1)
	for i := range axes {
		axes[i] = -1
	}
	return InsertAxes(values, axes...)
}
