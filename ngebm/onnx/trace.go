package onnx

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/notimplemented"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// inputName is the name of the network's input, in its GoMLX graph and in the ONNX file.
const inputName = "input"

// traced is one operation of a network's GoMLX graph, built for one batch size.
type traced struct {
	op     compute.OpType
	inputs []*traced
	index  int
	shape  shapes.Shape
	name   string  // of a parameter
	flat   any     // of a constant: a slice
	lists  [][]int // the operation's other arguments
}

// trace returns the operations that compute the logits of a batch of examples, in the order
// in which they are built, and the one that is the logits. The weights are parameters, named
// by their paths in the store.
func trace(store *model.Store, shape []int, batch int, logits func(x *graph.Node) *graph.Node) (ops []*traced, output *traced, err error) {
	r := newRecorder()
	g := graph.NewGraph(&tracer{function: r}, "onnx")
	defer g.Finalize()
	err = exceptions.TryCatch[error](func() {
		x := graph.Parameter(g, inputName, shapes.Make(dtypes.Float32, append([]int{batch}, shape...)...))
		store.SetTraining(g, false)
		_ = g.Compile(logits(x)) // it returns the graph's output, and then errTraced
	})
	if err != nil {
		text, _, _ := strings.Cut(err.Error(), "\n")
		return nil, nil, errors.New(text)
	}
	return r.ops, r.output, nil
}

// errTraced ends the compilation of a traced graph.
var errTraced = errors.New("traced")

// tracer is a GoMLX backend that records the operations of a graph and computes nothing.
type tracer struct {
	notimplemented.Backend
	function *recorder
}

// Builder implements [compute.Backend].
func (t *tracer) Builder(string) compute.Builder { return &builder{function: t.function} }

type builder struct {
	notimplemented.Builder
	function *recorder
}

// Main implements [compute.Builder].
func (b *builder) Main() compute.Function { return b.function }

// OpShape implements [compute.Builder].
func (b *builder) OpShape(op compute.Value) (shapes.Shape, error) { return op.(*traced).shape, nil }

// Compile implements [compute.Builder].
func (b *builder) Compile() (compute.Executable, error) { return nil, errTraced }

// recorder records the operations of a graph's main function. Operations that it does not
// have are errors by notimplemented.Function.
type recorder struct {
	notimplemented.Function
	ops    []*traced
	output *traced
}

func newRecorder() *recorder {
	return &recorder{Function: notimplemented.Function{ErrFn: func(op compute.OpType) error {
		return fmt.Errorf("%w: %s cannot be written as ONNX by this version", compute.ErrNotImplemented, op)
	}}}
}

// Shape implements [compute.Function].
func (r *recorder) Shape(v compute.Value) (shapes.Shape, error) { return v.(*traced).shape, nil }

// Return implements [compute.Function].
func (r *recorder) Return(outputs []compute.Value, _ []*compute.ShardingSpec) error {
	r.output = outputs[0].(*traced)
	return nil
}

// add records an operation; err is that of its shape.
func (r *recorder) add(op compute.OpType, shape shapes.Shape, err error, inputs []compute.Value, lists ...[]int) (compute.Value, error) {
	if err != nil {
		return nil, err
	}
	t := &traced{op: op, index: len(r.ops), shape: shape, lists: lists}
	for _, in := range inputs {
		t.inputs = append(t.inputs, in.(*traced))
	}
	r.ops = append(r.ops, t)
	return t, nil
}
