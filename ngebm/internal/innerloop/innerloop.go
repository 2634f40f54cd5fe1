// Package innerloop moves examples along gradients of a model, step after step, in
// one executable: the chains of samplers and the searches of adversarial training.
package innerloop

import (
	"errors"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/internal/loop"
)

// Model is a network with its weights, which must have been created.
type Model struct {
	Backend compute.Backend
	Store   *model.Store
	Scope   string              // where the weights are in the store: "net"
	Logits  func(x *Node) *Node // [batch, …] to [batch, classes]
	// Mesh is a row of XLA devices that share each batch, which must be a multiple of
	// their number; nil is one device.
	Mesh *distributed.DeviceMesh
}

// Step builds one step: from x, shaped [batch, …], to the next x in the same shape
// and a value for each example to watch, shaped [batch]. own is the step's own input
// (noise), shaped as x, nil where there is none; same are the inputs that are the
// same in every step.
type Step func(x, own *Node, same []*Node) (next, watch *Node)

// Loop takes a number of steps.
type Loop struct {
	exec  *model.Exec
	steps int
	once  bool // exec takes all steps
	owns  bool

	sharing *sharing // nil on one device
}

// New returns a loop of N steps, each with its own input if owns is set.
// On XLA all of it is one loop on the device; on the pure-Go backend, where gradients
// cannot be taken in a loop, each step is an execution.
func New(m Model, steps int, owns bool, step Step) (*Loop, error) {
	l := &Loop{steps: steps, owns: owns, once: m.Backend.String() != "go"}
	var err error
	l.exec, err = model.NewExec(m.Backend, m.Store, func(_ *model.Scope, inputs []*Node) []*Node {
		if l.once {
			return l.onDevice(m, inputs, step)
		}
		x, own, same := l.split(inputs)
		next, watch := step(x, own, same)
		return []*Node{next, watch}
	})
	if err == nil && m.Mesh != nil {
		l.sharing, err = share(l.exec, m.Mesh)
	}
	return l, err
}

// split gives the inputs their names.
func (l *Loop) split(inputs []*Node) (x, own *Node, same []*Node) {
	if l.owns {
		return inputs[0], inputs[1], inputs[2:]
	}
	return inputs[0], nil, inputs[1:]
}

// onDevice builds the loop.
func (l *Loop) onDevice(m Model, inputs []*Node, step Step) []*Node {
	g := inputs[0].Graph()
	weights := slices.Collect(m.Store.RootScope().At("%s", m.Scope).IterVariables())
	watched := Const(g, make([]float32, inputs[0].Shape().Dimensions[0]))
	state := append([]*Node{watched}, inputs...)
	end := loop.Times(Const(g, int32(l.steps)), weights, state, func(i *Node, state []*Node) []*Node {
		x, own, same := l.split(state[1:])
		if l.owns {
			own = loop.At(own, i)
		}
		next, watch := step(x, own, same)
		return append([]*Node{watch, next}, state[2:]...)
	})
	return []*Node{end[1], end[0]}
}

// Run takes the steps from x, shaped [batch, …], and returns where they end and what
// the last of them watched, [batch]. own holds the steps' own inputs one after the
// other, as flat values; nil without. x and same are the caller's to free, as are the
// results.
func (l *Loop) Run(x *tensors.Tensor, own []float32, same ...*tensors.Tensor) (end, watch *tensors.Tensor, err error) {
	dims := x.Shape().Dimensions
	if l.once {
		return l.execute(x, own, append([]int{l.steps}, dims...), same)
	}
	at, size := x, x.Size()
	for i := range l.steps {
		var mine []float32
		if l.owns {
			mine = own[i*size : (i+1)*size]
		}
		next, seen, err := l.execute(at, mine, dims, same)
		if at != x {
			err = errors.Join(err, at.FinalizeAll(), watch.FinalizeAll())
		}
		if err != nil {
			return nil, nil, err
		}
		at, watch = next, seen
	}
	return at, watch, nil
}

func (l *Loop) execute(x *tensors.Tensor, own []float32, ownDims []int, same []*tensors.Tensor) (next, watch *tensors.Tensor, err error) {
	args := []any{x}
	var noise *tensors.Tensor
	if l.owns {
		noise = tensors.FromFlatDataAndDimensions(own, ownDims...)
		args = append(args, noise)
	}
	for _, t := range same {
		args = append(args, t)
	}
	var out []*tensors.Tensor
	if l.sharing != nil {
		out, err = l.sharing.execute(l.exec, l.owns, args)
	} else {
		out, err = l.exec.Exec(args...)
	}
	if noise != nil {
		err = errors.Join(err, noise.FinalizeAll())
	}
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}

// Close frees what was compiled.
func (l *Loop) Close() { l.exec.Finalize() }
