package onnx

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// The batch of an ONNX file has any size, and that of a GoMLX graph one. A network is traced
// with two sizes: what is n times the batch in both is n times the batch, what is equal is
// a constant, and anything else means that an example's logits depend on the others.
const batchA, batchB = 2, 3

// onlyItself ends errors on networks that mix examples.
const onlyItself = "an example's logits must depend on that example only"

// size is a number in an operation, of the batch: n, or n times the number of examples.
type size struct {
	n     int
	batch bool
}

// operation is a traced operation for a batch of any size.
type operation struct {
	op     compute.OpType
	inputs []*operation
	dtype  dtypes.DType
	shape  []size
	name   string
	flat   any
	lists  [][]size
}

// rank is the number of axes of the result.
func (o *operation) rank() int { return len(o.shape) }

// is reports whether an operation is of one of the kinds.
func (o *operation) is(kinds ...compute.OpType) bool { return slices.Contains(kinds, o.op) }

// ints returns one of the operation's lists, which does not depend on the batch.
func (o *operation) ints(list int) ([]int, error) {
	out := make([]int, len(o.lists[list]))
	for i, s := range o.lists[list] {
		if s.batch {
			return nil, fmt.Errorf("an argument of %s depends on the number of examples", o.op)
		}
		out[i] = s.n
	}
	return out, nil
}

// batched returns the operation that is a network's logits, for batches of any size.
func batched(store *model.Store, shape []int, logits func(x *graph.Node) *graph.Node) (*operation, error) {
	a, outA, err := trace(store, shape, batchA, logits)
	if err != nil {
		return nil, err
	}
	b, outB, err := trace(store, shape, batchB, logits)
	if err != nil {
		return nil, err
	}
	if len(a) != len(b) || outA.index != outB.index {
		return nil, fmt.Errorf("its graph has %d operations for %d examples and %d for %d; it must be the same for all batches", len(a), batchA, len(b), batchB)
	}
	all := make([]*operation, len(a))
	for i := range a {
		if all[i], err = pair(a[i], b[i], all); err != nil {
			return nil, fmt.Errorf("operation %d, %s: %w", i, a[i].op, err)
		}
	}
	return all[outA.index], nil
}

// pair is an operation of both traces; its inputs are among the earlier ones.
func pair(a, b *traced, earlier []*operation) (*operation, error) {
	o := &operation{op: a.op, dtype: a.shape.DType, name: a.name, flat: a.flat}
	if a.op != b.op || len(a.inputs) != len(b.inputs) || len(a.lists) != len(b.lists) || a.name != b.name {
		return nil, fmt.Errorf("it is %s for %d examples and %s for %d", a.op, batchA, b.op, batchB)
	}
	if !reflect.DeepEqual(a.flat, b.flat) {
		return nil, errors.New("a constant depends on the number of examples; " + onlyItself)
	}
	for i, in := range a.inputs {
		if in.index != b.inputs[i].index {
			return nil, fmt.Errorf("its inputs depend on the number of examples")
		}
		o.inputs = append(o.inputs, earlier[in.index])
	}
	var err error
	if o.shape, err = pairSizes(a.shape.Dimensions, b.shape.Dimensions); err != nil {
		return nil, err
	}
	o.lists = make([][]size, len(a.lists))
	for i := range a.lists {
		if o.lists[i], err = pairSizes(a.lists[i], b.lists[i]); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func pairSizes(a, b []int) ([]size, error) {
	if len(a) != len(b) {
		return nil, fmt.Errorf("its shape depends on the number of examples: %v and %v", a, b)
	}
	sizes := make([]size, len(a))
	for i := range a {
		switch {
		case a[i] == b[i]:
			sizes[i] = size{n: a[i]}
		case a[i]*batchB == b[i]*batchA && a[i]%batchA == 0:
			sizes[i] = size{a[i] / batchA, true}
		default:
			return nil, fmt.Errorf("%d for %d examples and %d for %d is not in proportion to the batch; %s", a[i], batchA, b[i], batchB, onlyItself)
		}
	}
	return sizes, nil
}
