package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	onnxpb "github.com/gomlx/compute-onnx/support/protos"
	"github.com/gomlx/compute/dtypes"
)

// types are the types of numbers that tensors of a network may have.
var types = map[dtypes.DType]onnxpb.TensorProto_DataType{
	dtypes.Float32: onnxpb.TensorProto_FLOAT, dtypes.Float64: onnxpb.TensorProto_DOUBLE,
	dtypes.Int32: onnxpb.TensorProto_INT32, dtypes.Int64: onnxpb.TensorProto_INT64, dtypes.Bool: onnxpb.TensorProto_BOOL,
}

// copyFlat returns the type of a constant's values and a copy of them.
func copyFlat(flat any) (dtypes.DType, any, error) {
	switch v := flat.(type) {
	case []float32:
		return dtypes.Float32, slices.Clone(v), nil
	case []float64:
		return dtypes.Float64, slices.Clone(v), nil
	case []int32:
		return dtypes.Int32, slices.Clone(v), nil
	case []int64:
		return dtypes.Int64, slices.Clone(v), nil
	case []bool:
		return dtypes.Bool, slices.Clone(v), nil
	}
	return dtypes.InvalidDType, nil, fmt.Errorf("a constant is %T; float32, float64, int32, int64 and bool can be written as ONNX", flat)
}

// single is a constant's only value.
func single(flat any) (float64, bool) {
	switch v := flat.(type) {
	case []float32:
		if len(v) == 1 {
			return float64(v[0]), true
		}
	case []float64:
		if len(v) == 1 {
			return v[0], true
		}
	}
	return 0, false
}

// constant is an initializer with a constant's values.
func (e *emitter) constant(o *operation) (value, error) {
	key, name := "", "constant"
	if v, ok := single(o.flat); ok && len(o.shape) == 0 {
		name = fmt.Sprintf("%s_%v", strings.ToLower(o.dtype.String()), v)
		key = "number " + name
	}
	return whole(e.initializer(key, name, fixed(o.shape), o.flat), o.shape), nil
}

// initializer adds a tensor to the file, once for each key that is not empty, and returns its
// name: the hint, or one made of it.
func (e *emitter) initializer(key, hint string, dims []int, flat any) string {
	if name := e.stored[key]; name != "" {
		return name
	}
	name := e.unique(hint)
	if key != "" {
		e.stored[key] = name
	}
	dtype, _, _ := copyFlat(flat) // its type was checked when it was recorded
	t := &onnxpb.TensorProto{Name: name, DataType: int32(types[dtype])}
	for _, d := range dims {
		t.Dims = append(t.Dims, int64(d))
	}
	switch v := flat.(type) {
	case []float32:
		t.RawData = make([]byte, 0, 4*len(v))
		for _, x := range v {
			t.RawData = binary.LittleEndian.AppendUint32(t.RawData, math.Float32bits(x))
		}
	case []float64:
		for _, x := range v {
			t.RawData = binary.LittleEndian.AppendUint64(t.RawData, math.Float64bits(x))
		}
	case []int32:
		for _, x := range v {
			t.RawData = binary.LittleEndian.AppendUint32(t.RawData, uint32(x))
		}
	case []int64:
		for _, x := range v {
			t.RawData = binary.LittleEndian.AppendUint64(t.RawData, uint64(x))
		}
	case []bool:
		for _, x := range v {
			b := byte(0)
			if x {
				b = 1
			}
			t.RawData = append(t.RawData, b)
		}
	}
	e.graph.Initializer = append(e.graph.Initializer, t)
	return name
}

// int64s is an initializer with whole numbers, made once.
func (e *emitter) int64s(list []int) string {
	values := make([]int64, len(list))
	for i, v := range list {
		values[i] = int64(v)
	}
	name := "int64_" + ints(list)
	return e.initializer(name, name, []int{len(list)}, values)
}

func ints(list []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ","), "[]")
}

// constant returns sizes that do not depend on the number of examples.
func constant(sizes []size) ([]int, bool) {
	return fixed(sizes), !slices.ContainsFunc(sizes, func(s size) bool { return s.batch })
}

// fixed returns sizes of what has no batch, such as weights.
func fixed(sizes []size) []int {
	dims := make([]int, len(sizes))
	for i, s := range sizes {
		dims[i] = s.n
	}
	return dims
}

func sizesOf(dims []int) []size {
	sizes := make([]size, len(dims))
	for i, d := range dims {
		sizes[i] = size{n: d}
	}
	return sizes
}

// transpose returns the values of a tensor of those sides with its axes in another order.
func transpose(values []float32, dims, perm []int) []float32 {
	strides := make([]int, len(dims)) // of the values as they are
	step := 1
	for i := len(dims) - 1; i >= 0; i-- {
		strides[i] = step
		step *= dims[i]
	}
	out := make([]float32, 0, len(values))
	at := make([]int, len(dims)) // position in the result
	for range values {
		from := 0
		for i, p := range perm {
			from += at[i] * strides[p]
		}
		out = append(out, values[from])
		for i := len(perm) - 1; i >= 0; i-- {
			if at[i]++; at[i] < dims[perm[i]] {
				break
			}
			at[i] = 0
		}
	}
	return out
}
