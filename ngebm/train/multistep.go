package train

import (
	"errors"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm/internal/devmem"
	"ngebm/ngebm/internal/loop"
	"ngebm/ngebm/internal/netgraph"
)

// Where a step is so short that much of it is the call of the device, as with points and a
// small MLP, one call takes many steps: a loop on the device, whose batches go there
// together. Each round does what a step alone does, so their number changes nothing.

// maxStepsPerCall bounds the steps of a call, so that progress is seen and a wish to stop is
// heard.
const maxStepsPerCall = 64

// longStep is how many operations a step has, if a loop gains nothing: a millisecond's.
const longStep = 1e8

// canLoop reports whether steps can be taken in a loop: on one device, where gradients can
// be taken in a loop, and without auxiliary inputs.
func (t *trainer) canLoop() bool {
	return t.auxiliary == nil && t.sharding == nil && t.backend.String() != pureGo && t.stepsPerCall != 1
}

// probed is what a step consists of.
type probed struct {
	variables  []*model.Variable // that it uses
	values     int               // that it returns
	operations float64
	convolves  bool
	nested     bool // it has loops, or other nested parts
}

// short reports whether a loop is better. XLA's own convolutions are slow in a loop on the CPU (those of package device
// are not, but not every machine has them), and GoMLX builds no loops in a loop, nor what it sorts by.
func (s probed) short() bool { return !s.convolves && !s.nested && s.operations < longStep }

// errProbed ends the building of a graph that is only looked at.
var errProbed = errors.New("probed")

// probe builds a step without running it, to see what it consists of. That also makes the
// optimizer's variables, which cannot be made while a loop is built.
func (t *trainer) probe(step func(stepInputs[*Node]) *Node) (s probed, err error) {
	cfg := t.run.Config
	exec, err := model.NewExec(t.backend, t.store, func(_ *model.Scope, nodes []*Node) *Node {
		values := step(unpack(cfg, nodes))
		g := values.Graph()
		s.values = values.Shape().Size()
		for v := range t.store.IterVariables() {
			if v.InUseByGraph(g) {
				s.variables = append(s.variables, v)
			}
		}
		s.operations, s.convolves = netgraph.Operations(g.Nodes())
		s.nested = slices.ContainsFunc(g.Nodes(), func(n *Node) bool { return n.Function().IsClosure() })
		panic(errProbed)
	})
	if err != nil {
		return s, err
	}
	if _, err = exec.Compile(inputShapes(cfg, t.run.Train.Shape)...); errors.Is(err, errProbed) {
		err = nil
	}
	return s, err
}

// buildLoop makes the executable of at most t.stepsPerCall steps. Its inputs are their number
// and the steps' own, stacked.
func (t *trainer) buildLoop(step func(stepInputs[*Node]) *Node, s probed) (err error) {
	cfg := t.run.Config
	t.step, err = model.NewExec(t.backend, t.store, func(_ *model.Scope, nodes []*Node) *Node {
		n, stacked := nodes[0], nodes[1:]
		none := make([][]float32, t.stepsPerCall)
		for i := range none {
			none[i] = make([]float32, s.values)
		}
		state := append([]*Node{Const(n.Graph(), none)}, stacked...)
		return loop.Times(n, s.variables, state, func(i *Node, state []*Node) []*Node {
			own := make([]*Node, len(stacked))
			for k := range own {
				own[k] = loop.At(state[1+k], i)
			}
			values := step(unpack(cfg, own))
			return append([]*Node{loop.SetAt(state[0], i, values)}, state[1:]...)
		})[0]
	})
	if err != nil {
		return err
	}
	all := []shapes.Shape{shapes.Make(dtypes.Int32)}
	for _, one := range inputShapes(cfg, t.run.Train.Shape) {
		all = append(all, shapes.Make(one.DType, append([]int{t.stepsPerCall}, one.Dimensions...)...))
	}
	_, err = t.step.Compile(all...)
	return err
}

// trainLoop takes N steps and returns the values of each, one step's after the
// other's.
func (t *trainer) trainLoop(batches []data.Batch) (values []float32, err error) {
	args := t.stacked(batches)
	defer func() { err = errors.Join(err, devmem.Free(args...)) }()
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
	return values[:len(values)/t.stepsPerCall*len(batches)], err
}

// stacked makes the inputs of the loop for the next steps.
func (t *trainer) stacked(batches []data.Batch) []*tensors.Tensor {
	cfg, first, n := t.run.Config, t.run.History.Steps(), t.stepsPerCall
	var x, rates, ramps, decays, shares []float32
	var labels, partners []int32
	for i, b := range batches {
		x, labels, partners, shares = append(x, b.X...), append(labels, b.Labels...), append(partners, b.Partner...), append(shares, b.Lambda)
		scalars := t.scalars(first + i)
		rates, ramps, decays = append(rates, scalars.learningRate), append(ramps, scalars.ramp), append(decays, scalars.emaDecay)
	}
	return pack(cfg, stepInputs[*tensors.Tensor]{
		x: stack(x, n, append([]int{cfg.Batch}, t.run.Train.Shape...)...), labels: stack(labels, n, cfg.Batch),
		learningRate: stack(rates, n), ramp: stack(ramps, n), emaDecay: stack(decays, n),
		mixupPartner: stack(partners, n, cfg.Batch), mixupLambda: stack(shares, n),
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
