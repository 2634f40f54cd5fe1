package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute"
	onnxpb "github.com/gomlx/compute-onnx/support/protos"
)

// pointwiseWriter writes an operation whose result has the shape of its operands.
type pointwiseWriter func(e *emitter, in []value, o *operation) value

// pointwise are the operations on single values.
var pointwise = map[compute.OpType]pointwiseWriter{
	compute.OpTypeAbs: one("Abs"), compute.OpTypeCeil: one("Ceil"), compute.OpTypeCos: one("Cos"), compute.OpTypeErf: one("Erf"),
	compute.OpTypeExp: one("Exp"), compute.OpTypeFloor: one("Floor"), compute.OpTypeLog: one("Log"), compute.OpTypeLogicalNot: one("Not"),
	compute.OpTypeLogistic: one("Sigmoid"), compute.OpTypeNeg: one("Neg"), compute.OpTypeRound: one("Round"), compute.OpTypeSign: one("Sign"),
	compute.OpTypeSin: one("Sin"), compute.OpTypeSqrt: one("Sqrt"), compute.OpTypeTanh: one("Tanh"),
	compute.OpTypeRsqrt: two("Sqrt", "Reciprocal"), compute.OpTypeNotEqual: two("Equal", "Not"),
	compute.OpTypeAdd: one("Add"), compute.OpTypeSub: one("Sub"), compute.OpTypeMul: one("Mul"), compute.OpTypeDiv: one("Div"),
	compute.OpTypePow: one("Pow"), compute.OpTypeMin: one("Min"), compute.OpTypeMax: one("Max"),
	compute.OpTypeLogicalAnd: one("And"), compute.OpTypeLogicalOr: one("Or"), compute.OpTypeLogicalXor: one("Xor"),
	compute.OpTypeEqual: one("Equal"), compute.OpTypeGreaterThan: one("Greater"), compute.OpTypeGreaterOrEqual: one("GreaterOrEqual"),
	compute.OpTypeLessThan: one("Less"), compute.OpTypeLessOrEqual: one("LessOrEqual"), compute.OpTypeWhere: one("Where"),
	compute.OpTypeLog1p: log1p, compute.OpTypeExpm1: expm1, compute.OpTypeConvertDType: cast,
}

// one is an operation that is one ONNX operator.
func one(operator string) pointwiseWriter {
	return func(e *emitter, in []value, o *operation) value { return e.elementwise(operator, "", in, o.shape) }
}

// two is an operation that is two operators, one after the other.
func two(first, second string) pointwiseWriter {
	return func(e *emitter, in []value, o *operation) value {
		return e.elementwise(second, "", []value{e.elementwise(first, "", in, o.shape)}, o.shape)
	}
}

// log1p is log(1+x): for |x| below 1e-7 the result is 0, that far from the true one.
func log1p(e *emitter, in []value, o *operation) value {
	return e.elementwise("Log", "", []value{e.elementwise("Add", "", []value{in[0], e.number(o, 1)}, o.shape)}, o.shape)
}

func expm1(e *emitter, in []value, o *operation) value {
	return e.elementwise("Sub", "", []value{e.elementwise("Exp", "", in, o.shape), e.number(o, 1)}, o.shape)
}

// number is a number of an operation's type.
func (e *emitter) number(o *operation, v float64) value {
	c := &operation{op: compute.OpTypeConstant, dtype: o.dtype, flat: []float32{float32(v)}}
	if types[o.dtype] == onnxpb.TensorProto_DOUBLE {
		c.flat = []float64{v}
	}
	number, _ := e.constant(c) // it has no error
	return number
}

func cast(e *emitter, in []value, o *operation) value {
	return e.elementwise("Cast", "", in, o.shape, intAttr("to", int(types[o.dtype])))
}

// structural are the operations that move values, and reductions.
var structural map[compute.OpType]func(e *emitter, in []value, o *operation) (value, error)

func init() {
	structural = map[compute.OpType]func(e *emitter, in []value, o *operation) (value, error){
		compute.OpTypeReshape: reshape, compute.OpTypeTranspose: transposeAxes, compute.OpTypeBroadcastInDim: broadcast,
		compute.OpTypeSlice: slice, compute.OpTypeConcatenate: concatenate, compute.OpTypeReverse: reverse, compute.OpTypePad: pad,
		compute.OpTypeReduceSum: reduction("ReduceSum"), compute.OpTypeReduceMax: reduction("ReduceMax"),
		compute.OpTypeReduceMin: reduction("ReduceMin"), compute.OpTypeReduceProduct: reduction("ReduceProd"),
		compute.OpTypeReduceWindow: window,
	}
}

func reshape(e *emitter, in []value, o *operation) (value, error) {
	if in[0].isScalar() { // any shape may repeat it
		return value{in[0].name, nil, nil, o.shape}, nil
	}
	if slices.Equal(in[0].shape, o.shape) {
		return in[0], nil
	}
	if !slices.Equal(beforeBatch(in[0].shape), beforeBatch(o.shape)) {
		return value{}, errors.New("Reshape mixes the batch with other axes, behind which it must not be; " + onlyItself)
	}
	return whole(e.reshape(e.plain(in[0]), o.shape), o.shape), nil
}

// beforeBatch returns, for each axis of the batch, the product of the sizes before it, without the number of
// examples. A reshape that keeps these products leaves each example its values.
func beforeBatch(shape []size) (before []int) {
	n := 1
	for _, s := range shape {
		if s.batch {
			before = append(before, n)
		}
		n *= s.n
	}
	return before
}

// transposeAxes needs no node: the result is stored as its input is.
func transposeAxes(_ *emitter, in []value, o *operation) (value, error) {
	permutation, err := o.ints(0)
	if err != nil || in[0].isScalar() {
		return value{in[0].name, nil, nil, o.shape}, err
	}
	perm := make([]int, len(in[0].perm))
	for i, axis := range in[0].perm {
		perm[i] = slices.Index(permutation, axis)
	}
	return value{in[0].name, in[0].stored, perm, o.shape}, nil
}

// broadcast repeats nothing before an operator needs it.
func broadcast(e *emitter, in []value, o *operation) (value, error) {
	axes, err := o.ints(0)
	if err != nil || in[0].isScalar() {
		return value{in[0].name, nil, nil, o.shape}, err
	}
	if !slices.IsSorted(axes) {
		return value{}, errors.New("BroadcastInDim changes the order of axes; transpose them instead")
	}
	v := e.ordered(in[0], identity(len(axes)))
	stored := slices.Repeat([]size{{n: 1}}, len(o.shape))
	for i, axis := range axes {
		stored[axis] = v.stored[i]
	}
	if len(axes) < len(o.shape) {
		v.name = e.reshape(v.name, stored)
	}
	return value{v.name, stored, identity(len(o.shape)), o.shape}, nil
}

// slice leaves axes out of which all is taken.
func slice(e *emitter, in []value, o *operation) (value, error) {
	v := e.full(in[0])
	var starts, limits, axes, strides []int
	for axis, from := range o.lists[0] {
		to, stride := o.lists[1][axis], o.lists[2][axis]
		of := o.inputs[0].shape[axis]
		if from == (size{}) && to == of && stride.n == 1 {
			continue
		}
		if of.batch || from.batch || to.batch {
			return value{}, errors.New("Slice takes a part of the batch; " + onlyItself)
		}
		starts, limits, strides = append(starts, from.n), append(limits, to.n), append(strides, stride.n)
		axes = append(axes, slices.Index(v.perm, axis))
	}
	if len(axes) == 0 {
		return v, nil
	}
	name := e.node("Slice", "", []string{v.name, e.int64s(starts), e.int64s(limits), e.int64s(axes), e.int64s(strides)})
	return value{name, permuted(o.shape, v.perm), v.perm, o.shape}, nil
}

func concatenate(e *emitter, in []value, o *operation) (value, error) {
	axis, err := o.ints(0)
	if err != nil {
		return value{}, err
	}
	if o.shape[axis[0]].batch {
		return value{}, errors.New("Concatenate adds to the batch; " + onlyItself)
	}
	perm := e.full(in[0]).perm
	var names []string
	for _, v := range in {
		names = append(names, e.ordered(e.full(v), perm).name)
	}
	name := e.node("Concat", "", names, intAttr("axis", slices.Index(perm, axis[0])))
	return value{name, permuted(o.shape, perm), perm, o.shape}, nil
}

// reverse is a Slice that steps back to the first value.
func reverse(e *emitter, in []value, o *operation) (value, error) {
	v := e.full(in[0])
	axes, err := o.ints(0)
	if err != nil {
		return value{}, err
	}
	stored := make([]int, len(axes))
	for i, axis := range axes {
		if o.shape[axis].batch {
			return value{}, errors.New("Reverse turns the batch round; " + onlyItself)
		}
		stored[i] = slices.Index(v.perm, axis)
	}
	all := func(n int) string { return e.int64s(slices.Repeat([]int{n}, len(axes))) }
	v.name = e.node("Slice", "", []string{v.name, all(-1), all(math.MinInt64), e.int64s(stored), all(-1)})
	return v, nil
}

func pad(e *emitter, in []value, o *operation) (value, error) {
	v := e.full(in[0])
	var pads []int
	for side := range 2 {
		list, err := o.ints(side)
		if err != nil {
			return value{}, err
		}
		for axis, n := range list {
			if n != 0 && o.shape[axis].batch {
				return value{}, errors.New("Pad moves the batch; " + onlyItself)
			}
		}
		pads = append(pads, permuted(list, v.perm)...)
	}
	if slices.ContainsFunc(o.lists[2], func(s size) bool { return s.n != 0 }) {
		return value{}, errors.New("Pad puts values between others, which ONNX does not")
	}
	name := e.node("Pad", "", []string{v.name, e.int64s(pads), in[1].name})
	return value{name, permuted(o.shape, v.perm), v.perm, o.shape}, nil
}

// reduction keeps the order in which the axes that are left are stored.
func reduction(operator string) func(e *emitter, in []value, o *operation) (value, error) {
	return func(e *emitter, in []value, o *operation) (value, error) {
		v := e.full(in[0])
		axes, err := o.ints(0)
		if err != nil {
			return value{}, err
		}
		var at, perm []int
		for i, axis := range v.perm {
			if slices.Contains(axes, axis) {
				if o.inputs[0].shape[axis].batch {
					return value{}, fmt.Errorf("%s takes all examples of the batch; %s", operator, onlyItself)
				}
				at = append(at, i)
				continue
			}
			before := 0 // reduced axes before this one
			for _, reduced := range axes {
				if reduced < axis {
					before++
				}
			}
			perm = append(perm, axis-before)
		}
		if len(at) == 0 {
			return v, nil
		}
		inputs, attributes := []string{v.name}, []*onnxpb.AttributeProto{intAttr("keepdims", 0)}
		if operator == "ReduceSum" { // the others have the axes as an input from opset 18 on
			inputs = append(inputs, e.int64s(at))
		} else {
			attributes = append(attributes, intsAttr("axes", at))
		}
		return value{e.node(operator, "", inputs, attributes...), permuted(o.shape, perm), perm, o.shape}, nil
	}
}

// window writes ReduceWindow over positions: the largest as MaxPool, the sum as AveragePool
// times the window's size.
func window(e *emitter, in []value, o *operation) (value, error) {
	lists := make([][]int, len(o.lists))
	for i := range lists {
		var err error
		if lists[i], err = o.ints(i); err != nil {
			return value{}, err
		}
	}
	kind, sides, strides, before, after, inputDilations, dilations := compute.ReduceOpType(lists[0][0]), lists[1], lists[2], lists[3], lists[4], lists[5], lists[6]
	var perm []int // axes without a window first
	for axis, side := range sides {
		if side == 1 && strides[axis] == 1 && before[axis] == 0 && after[axis] == 0 {
			perm = append(perm, axis)
		} else if o.shape[axis].batch {
			return value{}, errors.New("ReduceWindow has windows of several examples; " + onlyItself)
		}
	}
	if len(perm) < 2 || len(perm) == len(sides) || slices.Max(inputDilations) > 1 || kind != compute.ReduceOpMax && kind != compute.ReduceOpSum {
		return value{}, fmt.Errorf("ReduceWindow, a %s over windows of %v with input dilations %v, cannot be written as ONNX; pool the positions of images", kind, sides, inputDilations)
	}
	perm = perm[:2]
	for axis := range sides {
		if !slices.Contains(perm, axis) {
			perm = append(perm, axis)
		}
	}
	at := perm[2:]
	attributes := []*onnxpb.AttributeProto{intsAttr("kernel_shape", permuted(sides, at)), intsAttr("strides", permuted(strides, at)),
		intsAttr("pads", append(permuted(before, at), permuted(after, at)...))}
	x := e.ordered(e.full(in[0]), perm).name
	pooled := func(name string) value { return value{name, permuted(o.shape, perm), perm, o.shape} }
	if kind == compute.ReduceOpMax {
		return pooled(e.node("MaxPool", "", []string{x}, append(attributes, intsAttr("dilations", permuted(dilations, at)))...)), nil
	}
	if slices.Max(dilations) > 1 {
		return value{}, errors.New("ReduceWindow sums over windows with dilations, which ONNX's pooling does not have")
	}
	count := 1
	for _, side := range sides {
		count *= side
	}
	mean := pooled(e.node("AveragePool", "", []string{x}, append(attributes, intAttr("count_include_pad", 1))...))
	return e.elementwise("Mul", "", []value{mean, e.number(o, float64(count))}, o.shape), nil
}
