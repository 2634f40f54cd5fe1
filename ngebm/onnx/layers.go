package onnx

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/gomlx/compute"
	onnxpb "github.com/gomlx/compute-onnx/support/protos"
)

// Layers that ONNX has one operator for.

// leakyReLU writes x where x > 0 and c·x elsewhere as LeakyRelu.
func (e *emitter) leakyReLU(o *operation) (value, bool, error) {
	if o.op != compute.OpTypeWhere || !o.inputs[0].is(compute.OpTypeGreaterThan, compute.OpTypeGreaterOrEqual) {
		return value{}, false, nil
	}
	x, slope := o.inputs[1], o.inputs[2]
	compared := o.inputs[0].inputs
	if zero, ok := numberOf(compared[1]); compared[0] != x || !ok || zero != 0 || slope.op != compute.OpTypeMul {
		return value{}, false, nil
	}
	c, ok := numberOf(slope.inputs[1])
	if slope.inputs[0] != x {
		if c, ok = numberOf(slope.inputs[0]); slope.inputs[1] != x {
			ok = false
		}
	}
	if !ok {
		return value{}, false, nil
	}
	in, err := e.of(x)
	if err != nil {
		return value{}, false, err
	}
	return e.elementwise("LeakyRelu", "", []value{in}, o.shape, floatAttr("alpha", float32(c))), true, nil
}

// relu writes the larger of x and 0 as Relu.
func (e *emitter) relu(o *operation) (value, bool, error) {
	if o.op != compute.OpTypeMax {
		return value{}, false, nil
	}
	for i, operand := range o.inputs {
		if zero, ok := numberOf(operand); !ok || zero != 0 {
			continue
		}
		in, err := e.of(o.inputs[1-i])
		if err != nil {
			return value{}, false, err
		}
		return e.elementwise("Relu", "", []value{in}, o.shape), true, nil
	}
	return value{}, false, nil
}

// numberOf is the number that an operation repeats.
func numberOf(o *operation) (float64, bool) {
	for o.is(compute.OpTypeBroadcastInDim, compute.OpTypeReshape) {
		o = o.inputs[0]
	}
	if o.op != compute.OpTypeConstant {
		return 0, false
	}
	return single(o.flat)
}

// biased writes a convolution or a matrix product with a bias for each channel as one node.
func (e *emitter) biased(o *operation) (value, bool, error) {
	if o.op != compute.OpTypeAdd {
		return value{}, false, nil
	}
	for i, layer := range o.inputs {
		if e.uses[layer] > 1 || !slices.Equal(layer.shape, o.shape) {
			continue
		}
		bias := o.inputs[1-i]
		switch layer.op {
		case compute.OpTypeConvGeneral:
			if out, err := layer.ints(2); err == nil {
				if bias = vector(bias, out[1], o); bias != nil {
					v, err := e.convolution(layer, bias)
					return v, true, err
				}
			}
		case compute.OpTypeDotGeneral:
			if bias = vector(bias, 1, o); bias != nil && isMatrixProduct(layer) {
				v, err := e.product(layer, bias)
				return v, true, err
			}
		}
	}
	return value{}, false, nil
}

// vector is what an operation repeats along all axes of o but one, with a number for each
// position of that one; nil if it is something else.
func vector(bias *operation, axis int, o *operation) *operation {
	if bias.op != compute.OpTypeReshape || bias.inputs[0].rank() != 1 || bias.rank() != o.rank() || bias.shape[axis] != o.shape[axis] {
		return nil
	}
	for i, s := range bias.shape {
		if i != axis && s != (size{n: 1}) {
			return nil
		}
	}
	return bias.inputs[0]
}

// convolution writes ConvGeneral, with a bias unless it is nil, as Conv.
func (e *emitter) convolution(o, bias *operation) (value, error) {
	lists := make([][]int, len(o.lists))
	for i := range lists {
		var err error
		if lists[i], err = o.ints(i); err != nil {
			return value{}, err
		}
	}
	input, kernel, output, strides, pads, inputDilations, dilations, groups := lists[0], lists[1], lists[2], lists[3], lists[4], lists[5], lists[6], lists[7]
	if slices.Max(append(inputDilations, groups[1])) > 1 || slices.Min(append(pads, 0)) < 0 {
		return value{}, fmt.Errorf("a convolution has input dilations %v, %d groups of the batch and padding %v; ONNX has neither the first two nor negative padding", inputDilations, groups[1], pads)
	}
	batch := func(s size) bool { return s.batch }
	if slices.ContainsFunc(permuted(o.inputs[0].shape, input[1:]), batch) || slices.ContainsFunc(o.inputs[1].shape, batch) {
		return value{}, errors.New("a convolution has the batch among its channels, positions or kernels; " + onlyItself)
	}
	x, err := e.of(o.inputs[0])
	if err != nil {
		return value{}, err
	}
	w, hint, err := e.kernel(o.inputs[1], kernel)
	if err != nil {
		return value{}, err
	}
	names := []string{e.ordered(e.full(x), input).name, w}
	if bias != nil {
		b, err := e.of(bias)
		if err != nil {
			return value{}, err
		}
		names = append(names, e.plain(b))
	}
	var window []int
	for _, axis := range kernel[2:] {
		window = append(window, o.inputs[1].shape[axis].n)
	}
	name := e.node("Conv", hint, names, intsAttr("kernel_shape", window), intsAttr("strides", strides), intsAttr("pads", pads),
		intsAttr("dilations", dilations), intAttr("group", groups[0]))
	return value{name, permuted(o.shape, output), output, o.shape}, nil
}

// kernel is a convolution's kernel with its axes in that order, and a name for the layer. A
// weight is stored in this order.
func (e *emitter) kernel(o *operation, order []int) (name, layer string, err error) {
	if o.op == compute.OpTypeParameter && o.name != inputName {
		v, err := e.weight(o, order)
		return v.name, path.Dir(weightName(o.name)), err
	}
	v, err := e.of(o)
	if err != nil {
		return "", "", err
	}
	return e.ordered(e.full(v), order).name, "", nil
}

// isMatrixProduct reports whether a DotGeneral is one of two matrices.
func isMatrixProduct(o *operation) bool {
	return o.inputs[0].rank() == 2 && o.inputs[1].rank() == 2 && len(o.lists[0]) == 1 && len(o.lists[1]) == 0
}

// product writes DotGeneral as Gemm, or as Einsum where it is not a product of two matrices.
func (e *emitter) product(o, bias *operation) (value, error) {
	for _, axis := range o.lists[0] {
		if o.inputs[0].shape[axis.n].batch {
			return value{}, errors.New("DotGeneral takes all examples of the batch; " + onlyItself)
		}
	}
	in, err := e.all(o.inputs...)
	if err != nil {
		return value{}, err
	}
	names := []string{e.plain(in[0]), e.plain(in[1])}
	hint := ""
	for _, input := range o.inputs {
		if input.op == compute.OpTypeParameter && input.name != inputName {
			hint = path.Dir(weightName(input.name))
		}
	}
	if !isMatrixProduct(o) {
		return whole(e.node("Einsum", hint, names, stringAttr("equation", equation(o))), o.shape), nil
	}
	if bias != nil {
		b, err := e.of(bias)
		if err != nil {
			return value{}, err
		}
		names = append(names, e.plain(b))
	}
	var attributes []*onnxpb.AttributeProto
	if o.lists[0][0].n == 0 {
		attributes = append(attributes, intAttr("transA", 1))
	}
	if o.lists[2][0].n == 1 {
		attributes = append(attributes, intAttr("transB", 1))
	}
	return whole(e.node("Gemm", hint, names, attributes...), o.shape), nil
}

// equation is a DotGeneral in Einstein's notation: its result has the axes of the batch, what
// is left of the first operand, and what is left of the second.
func equation(o *operation) string {
	a, b := letters('a', o.inputs[0].rank()), letters('a'+rune(o.inputs[0].rank()), o.inputs[1].rank())
	var batch, left []rune
	for i, axis := range o.lists[0] {
		b[o.lists[2][i].n] = a[axis.n]
	}
	for i, axis := range o.lists[1] {
		b[o.lists[3][i].n] = a[axis.n]
		batch = append(batch, a[axis.n])
	}
	for _, r := range slices.Concat(a, b) {
		if !slices.Contains(a, r) || !slices.Contains(b, r) {
			left = append(left, r)
		}
	}
	return fmt.Sprintf("%s,%s->%s%s", string(a), string(b), string(batch), string(left))
}

func letters(first rune, n int) []rune {
	out := make([]rune, n)
	for i := range out {
		out[i] = first + rune(i)
	}
	return out
}
