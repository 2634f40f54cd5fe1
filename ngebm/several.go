package ngebm

import (
	"errors"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm/internal/loop"
)

// Where a step is so short that to call the device is much of it, as with points and a
// small MLP, a loop on the device takes several, whose batches go there together. It
// does in each round what a step alone does, so how many it takes changes nothing.

// stepsAtOnce is how many steps a loop takes at most: for people to see them go on, and
// to stop them, that is still short.
const stepsAtOnce = 64

// longStep is how many operations a step has, if a loop gains nothing: a millisecond's.
const longStep = 1e8

// loops reports whether steps can be taken in a loop: on one device, where gradients can
// be taken in a loop, and nothing goes on beside a step.
func (t *trainer) loops() bool {
	return t.companion == nil && t.sharing == nil && t.backend.String() != pureGo && t.atOnce != 1
}

// survey is what a step consists of.
type survey struct {
	variables  []*model.Variable // that it uses
	values     int               // that it returns
	operations float64
	convolves  bool
	nested     bool // it has loops, or other parts of its own
}

// short reports whether a loop is better. XLA's convolutions are slow in a loop on the CPU,
// and GoMLX builds no loops in a loop, nor what it sorts by.
func (s survey) short() bool { return !s.convolves && !s.nested && s.operations < longStep }

// errSurveyed ends the building of a graph that is only looked at.
var errSurveyed = errors.New("surveyed")

// survey builds a step to look at it. That makes the optimizer's variables, too, which
// cannot be made while a loop is built.
func (t *trainer) survey(step func(inputs[*Node]) *Node) (s survey, err error) {
	cfg := t.run.Config
	look, err := model.NewExec(t.backend, t.store, func(_ *model.Scope, nodes []*Node) *Node {
		values := step(named(cfg, nodes))
		g := values.Graph()
		s.values = values.Shape().Size()
		for v := range t.store.IterVariables() {
			if v.InUseByGraph(g) {
				s.variables = append(s.variables, v)
			}
		}
		s.operations, s.convolves = operations(g.Nodes())
		s.nested = slices.ContainsFunc(g.Nodes(), func(n *Node) bool { return n.Function().IsClosure() })
		panic(errSurveyed)
	})
	if err != nil {
		return s, err
	}
	if _, err = look.Compile(shapesOf(cfg, t.run.Train.Shape)...); errors.Is(err, errSurveyed) {
		err = nil
	}
	return s, err
}

// buildLoop makes the executable of at most t.atOnce steps. Its inputs are their number
// and the steps' own, stacked.
func (t *trainer) buildLoop(step func(inputs[*Node]) *Node, s survey) (err error) {
	cfg := t.run.Config
	t.step, err = model.NewExec(t.backend, t.store, func(_ *model.Scope, nodes []*Node) *Node {
		n, stacked := nodes[0], nodes[1:]
		none := make([][]float32, t.atOnce)
		for i := range none {
			none[i] = make([]float32, s.values)
		}
		state := append([]*Node{Const(n.Graph(), none)}, stacked...)
		return loop.Times(n, s.variables, state, func(i *Node, state []*Node) []*Node {
			own := make([]*Node, len(stacked))
			for k := range own {
				own[k] = loop.At(state[1+k], i)
			}
			values := step(named(cfg, own))
			return append([]*Node{loop.SetAt(state[0], i, values)}, state[1:]...)
		})[0]
	})
	if err != nil {
		return err
	}
	all := []shapes.Shape{shapes.Make(dtypes.Int32)}
	for _, one := range shapesOf(cfg, t.run.Train.Shape) {
		all = append(all, shapes.Make(one.DType, append([]int{t.atOnce}, one.Dimensions...)...))
	}
	_, err = t.step.Compile(all...)
	return err
}

// several takes so many steps and returns the values of each, one step's after the
// other's.
func (t *trainer) several(batches []data.Batch) (values []float32, err error) {
	args := t.stacked(batches)
	defer func() { err = errors.Join(err, release(args...)) }()
	all := []any{int32(len(batches))}
	for _, arg := range args {
		all = append(all, arg)
	}
	out, err := t.execute(all)
	if err != nil {
		return nil, err
	}
	args = append(args, out)
	values, err = tensors.CopyFlatData[float32](out)
	return values[:len(values)/t.atOnce*len(batches)], err
}

// stacked makes the inputs of the loop for the next steps.
func (t *trainer) stacked(batches []data.Batch) []*tensors.Tensor {
	cfg, first, n := t.run.Config, t.run.History.Steps(), t.atOnce
	var x, rates, ramps, decays, shares []float32
	var labels, partners []int32
	for i, b := range batches {
		x, labels, partners, shares = append(x, b.X...), append(labels, b.Labels...), append(partners, b.Partner...), append(shares, b.Lambda)
		numbers := t.numbers(first + i)
		rates, ramps, decays = append(rates, numbers.rate), append(ramps, numbers.ramp), append(decays, numbers.decay)
	}
	return list(cfg, inputs[*tensors.Tensor]{
		x: stack(x, n, append([]int{cfg.Batch}, t.run.Train.Shape...)...), labels: stack(labels, n, cfg.Batch),
		rate: stack(rates, n), ramp: stack(ramps, n), decay: stack(decays, n),
		partner: stack(partners, n, cfg.Batch), share: stack(shares, n),
	})
}

// stack makes a tensor of n parts with these dimensions, of which the last may be
// missing.
func stack[T float32 | int32](parts []T, n int, dims ...int) *tensors.Tensor {
	size := n
	for _, d := range dims {
		size *= d
	}
	return tensors.FromFlatDataAndDimensions(append(parts, make([]T, size-len(parts))...), append([]int{n}, dims...)...)
}
