package onnx

import (
	"slices"

	onnxpb "github.com/gomlx/compute-onnx/support/protos"
)

// value is a tensor of the ONNX graph that stands for an operation's result. It may be stored
// otherwise than the result is shaped, so that a network of convolutions, which ONNX has
// with channels first and GoMLX with channels last, transposes its input only:
//   - axes in another order: the stored axis i is the result's axis perm[i];
//   - with sides of 1 where the result repeats a value along an axis, or, if stored is
//     empty, as one number.
type value struct {
	name   string
	stored []size
	perm   []int
	shape  []size // of the result
}

// whole is a value that is stored as it is shaped.
func whole(name string, shape []size) value {
	return value{name, shape, identity(len(shape)), shape}
}

func identity(n int) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	return p
}

// isScalar reports whether one number is stored.
func (v value) isScalar() bool { return len(v.stored) == 0 }

// repeats reports whether less is stored than the result has.
func (v value) repeats() bool {
	return len(v.stored) != len(v.shape) || !slices.Equal(v.stored, permuted(v.shape, v.perm))
}

func permuted[T any](list []T, perm []int) []T {
	out := make([]T, len(perm))
	for i, p := range perm {
		out[i] = list[p]
	}
	return out
}

// full returns the value with nothing left out, its axes in their present order.
func (e *emitter) full(v value) value {
	if !v.repeats() {
		return v
	}
	if v.isScalar() {
		v.perm = identity(len(v.shape))
	}
	sizes := permuted(v.shape, v.perm)
	return value{e.node("Expand", "", []string{v.name, e.shape(sizes)}), sizes, v.perm, v.shape}
}

// ordered returns the value with its axes in that order.
func (e *emitter) ordered(v value, perm []int) value {
	if v.isScalar() || slices.Equal(v.perm, perm) {
		return v
	}
	move := make([]int, len(perm)) // from stored to stored
	for i, axis := range perm {
		move[i] = slices.Index(v.perm, axis)
	}
	moved := value{"", permuted(v.stored, move), perm, v.shape}
	// Sides of 1 alone need no other order.
	if slices.ContainsFunc(v.stored, func(s size) bool { return s != size{n: 1} }) {
		moved.name = e.transposed(v.name, move)
	} else {
		moved.name = v.name
	}
	return moved
}

// transposed is a tensor with other axes first, made once.
func (e *emitter) transposed(name string, move []int) string {
	key := name + ":" + ints(move)
	if e.moved[key] == "" {
		e.moved[key] = e.node("Transpose", "", []string{name}, intsAttr("perm", move))
	}
	return e.moved[key]
}

// plain returns the name of the value as it is shaped.
func (e *emitter) plain(v value) string { return e.ordered(e.full(v), identity(len(v.shape))).name }

// elementwise emits an operator on values of one shape, or on a value and numbers.
func (e *emitter) elementwise(operator, hint string, inputs []value, shape []size, attributes ...*onnxpb.AttributeProto) value {
	perm := identity(len(shape))
	for _, v := range inputs {
		if !v.isScalar() && slices.Equal(v.stored, permuted(shape, v.perm)) {
			perm = v.perm
			break
		}
	}
	var stored []size
	var names []string
	for _, v := range inputs {
		v = e.ordered(v, perm)
		names = append(names, v.name)
		if v.isScalar() {
			continue
		}
		if stored == nil {
			stored = slices.Repeat([]size{{n: 1}}, len(shape))
		}
		for i, s := range v.stored {
			if s != (size{n: 1}) {
				stored[i] = s
			}
		}
	}
	return value{e.node(operator, hint, names, attributes...), stored, perm, shape}
}
