package onnx

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// The operations that a network may have, each with the shape of its result by GoMLX's own
// rules. The comments at emitters say which ONNX operators they become.

func shapeOf(v compute.Value) shapes.Shape { return v.(*traced).shape }

// Parameter implements [compute.Function].
func (r *recorder) Parameter(name string, shape shapes.Shape, _ *compute.ShardingSpec) (compute.Value, error) {
	v, err := r.add(compute.OpTypeParameter, shape, nil, nil)
	v.(*traced).name = name
	return v, err
}

// Constant implements [compute.Function].
func (r *recorder) Constant(flat any, dims ...int) (compute.Value, error) {
	dtype, flat, err := copyFlat(flat)
	v, err := r.add(compute.OpTypeConstant, shapes.Make(dtype, dims...), err, nil)
	if err == nil {
		v.(*traced).flat = flat
	}
	return v, err
}

func (r *recorder) unary(op compute.OpType, x compute.Value) (compute.Value, error) {
	shape, err := shapeinference.UnaryOp(op, shapeOf(x))
	return r.add(op, shape, err, []compute.Value{x})
}

func (r *recorder) binary(op compute.OpType, a, b compute.Value) (compute.Value, error) {
	shape, err := shapeinference.BinaryOp(op, shapeOf(a), shapeOf(b))
	return r.add(op, shape, err, []compute.Value{a, b})
}

func (r *recorder) compare(op compute.OpType, a, b compute.Value) (compute.Value, error) {
	shape, err := shapeinference.ComparisonOp(op, shapeOf(a), shapeOf(b))
	return r.add(op, shape, err, []compute.Value{a, b})
}

func (r *recorder) reduce(op compute.OpType, x compute.Value, axes []int) (compute.Value, error) {
	if len(axes) == 0 { // all of them
		for axis := range shapeOf(x).Rank() {
			axes = append(axes, axis)
		}
	}
	shape, err := shapeinference.Reduce(shapeOf(x), axes)
	return r.add(op, shape, err, []compute.Value{x}, slices.Clone(axes))
}

// Where implements [compute.StandardOps].
func (r *recorder) Where(condition, a, b compute.Value) (compute.Value, error) {
	shape, err := shapeinference.Where(shapeOf(condition), shapeOf(a), shapeOf(b))
	return r.add(compute.OpTypeWhere, shape, err, []compute.Value{condition, a, b})
}

// Clamp implements [compute.StandardOps].
func (r *recorder) Clamp(low, x, high compute.Value) (compute.Value, error) {
	v, err := r.Max(x, low)
	if err != nil {
		return nil, err
	}
	return r.Min(v, high)
}

// Identity implements [compute.StandardOps].
func (r *recorder) Identity(x compute.Value) (compute.Value, error) { return x, nil }

// ConvertDType implements [compute.StandardOps].
func (r *recorder) ConvertDType(x compute.Value, dtype dtypes.DType) (compute.Value, error) {
	var err error
	if _, known := types[dtype]; !known {
		err = fmt.Errorf("values of type %s are not written", dtype)
	}
	shape := shapeOf(x).Clone()
	shape.DType = dtype
	return r.add(compute.OpTypeConvertDType, shape, err, []compute.Value{x})
}

// Reshape implements [compute.StandardOps].
func (r *recorder) Reshape(x compute.Value, dims ...int) (compute.Value, error) {
	shape, err := shapeinference.Reshape(shapeOf(x), dims)
	return r.add(compute.OpTypeReshape, shape, err, []compute.Value{x})
}

// Transpose implements [compute.StandardOps]. lists: the permutation.
func (r *recorder) Transpose(x compute.Value, permutation ...int) (compute.Value, error) {
	shape, err := shapeinference.Transpose(shapeOf(x), permutation)
	return r.add(compute.OpTypeTranspose, shape, err, []compute.Value{x}, slices.Clone(permutation))
}

// BroadcastInDim implements [compute.StandardOps]. lists: the axis of the result for each of x.
func (r *recorder) BroadcastInDim(x compute.Value, shape shapes.Shape, axes []int) (compute.Value, error) {
	return r.add(compute.OpTypeBroadcastInDim, shape.Clone(), nil, []compute.Value{x}, slices.Clone(axes))
}

// Slice implements [compute.StandardOps]. lists: starts, limits, strides.
func (r *recorder) Slice(x compute.Value, starts, limits, strides []int) (compute.Value, error) {
	shape, err := shapeinference.Slice(shapeOf(x), starts, limits, strides)
	return r.add(compute.OpTypeSlice, shape, err, []compute.Value{x}, slices.Clone(starts), slices.Clone(limits), orOnes(strides, len(starts)))
}

// Concatenate implements [compute.StandardOps]. lists: the axis.
func (r *recorder) Concatenate(axis int, operands ...compute.Value) (compute.Value, error) {
	var of []shapes.Shape
	for _, o := range operands {
		of = append(of, shapeOf(o))
	}
	shape, err := shapeinference.Concatenate(of, axis)
	return r.add(compute.OpTypeConcatenate, shape, err, operands, []int{axis})
}

// Reverse implements [compute.StandardOps]. lists: the axes.
func (r *recorder) Reverse(x compute.Value, axes ...int) (compute.Value, error) {
	return r.add(compute.OpTypeReverse, shapeOf(x), nil, []compute.Value{x}, slices.Clone(axes))
}

// Pad implements [compute.StandardOps]. lists: what is added before, after and between the
// values of each axis.
func (r *recorder) Pad(x, fill compute.Value, axes ...compute.PadAxis) (compute.Value, error) {
	shape, err := shapeinference.Pad(shapeOf(x), axes...)
	lists := [][]int{make([]int, shapeOf(x).Rank()), make([]int, shapeOf(x).Rank()), make([]int, shapeOf(x).Rank())}
	for i, a := range axes {
		lists[0][i], lists[1][i], lists[2][i] = a.Start, a.End, a.Interior
	}
	return r.add(compute.OpTypePad, shape, err, []compute.Value{x, fill}, lists...)
}

// DotGeneral implements [compute.StandardOps]. lists: contracting and batch axes of a, of b.
func (r *recorder) DotGeneral(a compute.Value, aContracting, aBatch []int, b compute.Value, bContracting, bBatch []int, config compute.DotGeneralConfig) (compute.Value, error) {
	shape, err := shapeinference.DotGeneral(shapeOf(a), aContracting, aBatch, shapeOf(b), bContracting, bBatch, config)
	return r.add(compute.OpTypeDotGeneral, shape, err, []compute.Value{a, b},
		slices.Clone(aContracting), slices.Clone(aBatch), slices.Clone(bContracting), slices.Clone(bBatch))
}

// ConvGeneral implements [compute.StandardOps]. lists: the axes of input, kernel and result,
// each batch (or input channels), channels (or output channels) and positions; strides;
// padding before and after; dilations of input and kernel; groups of channels and of batches.
func (r *recorder) ConvGeneral(x, kernel compute.Value, axes compute.ConvolveAxesConfig, strides []int, paddings [][2]int, inputDilations, kernelDilations []int, channelGroups, batchGroups int) (compute.Value, error) {
	shape, err := shapeinference.ConvGeneral(shapeOf(x), shapeOf(kernel), axes, strides, paddings, inputDilations, kernelDilations, channelGroups, batchGroups)
	n := len(axes.InputSpatial)
	before, after := make([]int, n), make([]int, n)
	for i, p := range paddings {
		before[i], after[i] = p[0], p[1]
	}
	return r.add(compute.OpTypeConvGeneral, shape, err, []compute.Value{x, kernel},
		append([]int{axes.InputBatch, axes.InputChannels}, axes.InputSpatial...),
		append([]int{axes.KernelOutputChannels, axes.KernelInputChannels}, axes.KernelSpatial...),
		append([]int{axes.OutputBatch, axes.OutputChannels}, axes.OutputSpatial...),
		orOnes(strides, n), append(before, after...), orOnes(inputDilations, n), orOnes(kernelDilations, n),
		[]int{max(channelGroups, 1), max(batchGroups, 1)})
}

// ReduceWindow implements [compute.StandardOps]. lists: the kind of reduction; for each axis
// window, stride, padding before and after, dilations of input and window.
func (r *recorder) ReduceWindow(x compute.Value, kind compute.ReduceOpType, window, strides, inputDilations, windowDilations []int, paddings [][2]int) (compute.Value, error) {
	shape, err := shapeinference.ReduceWindow(shapeOf(x), window, strides, inputDilations, windowDilations, paddings)
	n := len(window)
	if strides == nil {
		strides = window
	}
	before, after := make([]int, n), make([]int, n)
	for i, p := range paddings {
		before[i], after[i] = p[0], p[1]
	}
	return r.add(compute.OpTypeReduceWindow, shape, err, []compute.Value{x},
		[]int{int(kind)}, slices.Clone(window), slices.Clone(strides), before, after, orOnes(inputDilations, n), orOnes(windowDilations, n))
}

// orOnes is a copy of a list, or n ones for nil.
func orOnes(list []int, n int) []int {
	if list == nil {
		return slices.Repeat([]int{1}, n)
	}
	return slices.Clone(list)
}
