package onnx

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute"
	onnxpb "github.com/gomlx/compute-onnx/support/protos"
)

// emitter writes operations as nodes of an ONNX graph.
type emitter struct {
	graph   *onnxpb.GraphProto
	weights map[string][]float32 // by their names in the network
	values  map[*operation]value
	uses    map[*operation]int
	moved   map[string]string // transposed tensors
	stored  map[string]string // initializers, by what is stored
	taken   map[string]bool   // names of tensors
	batch   string            // a tensor with the number of examples, once it is needed
}

// newEmitter prepares to write what the output needs.
func newEmitter(output *operation, weights map[string][]float32) *emitter {
	e := &emitter{
		graph: &onnxpb.GraphProto{}, weights: weights, values: map[*operation]value{}, uses: map[*operation]int{},
		moved: map[string]string{}, stored: map[string]string{}, taken: map[string]bool{inputName: true},
	}
	var count func(o *operation)
	count = func(o *operation) {
		if e.uses[o]++; e.uses[o] == 1 {
			for _, in := range o.inputs {
				count(in)
			}
		}
	}
	count(output)
	for _, name := range outputNames {
		e.taken[name] = true // before a layer of that name
	}
	return e
}

// of returns the value of an operation, and emits it when it is first asked for.
func (e *emitter) of(o *operation) (value, error) {
	if v, ok := e.values[o]; ok {
		return v, nil
	}
	v, err := e.emit(o)
	if err != nil {
		return value{}, err
	}
	e.values[o] = v
	return v, nil
}

// all returns the values of operations.
func (e *emitter) all(ops ...*operation) ([]value, error) {
	var values []value
	for _, o := range ops {
		v, err := e.of(o)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// emit writes an operation: in the forms of the layers that ONNX has operators for, or else
// on its own.
func (e *emitter) emit(o *operation) (value, error) {
	for _, layer := range []func(*operation) (value, bool, error){e.relu, e.leakyReLU, e.biased} {
		if v, ok, err := layer(o); ok || err != nil {
			return v, err
		}
	}
	switch o.op {
	case compute.OpTypeParameter:
		return e.parameter(o)
	case compute.OpTypeConstant:
		return e.constant(o)
	case compute.OpTypeConvGeneral:
		return e.convolution(o, nil)
	case compute.OpTypeDotGeneral:
		return e.product(o, nil)
	}
	in, err := e.all(o.inputs...)
	if err != nil {
		return value{}, err
	}
	if write := pointwise[o.op]; write != nil {
		return write(e, in, o), nil
	}
	if write := structural[o.op]; write != nil {
		return write(e, in, o)
	}
	return value{}, fmt.Errorf("%s cannot be written as ONNX by this version", o.op)
}

// parameter is the input or a weight, as the network has it.
func (e *emitter) parameter(o *operation) (value, error) {
	if o.name == inputName {
		return whole(inputName, o.shape), nil
	}
	return e.weight(o, nil)
}

// weight is an initializer with a weight's values, with its axes in another order if perm is
// not nil.
func (e *emitter) weight(o *operation, perm []int) (value, error) {
	name := weightName(o.name)
	values, ok := e.weights[name]
	if !ok {
		return value{}, fmt.Errorf("it reads the variable %s, which is not one of its weights", o.name)
	}
	dims := fixed(o.shape)
	if perm != nil {
		values, dims = transpose(values, dims, perm), permuted(dims, perm)
	}
	return whole(e.initializer("weight "+name+ints(perm), name, dims, values), sizesOf(dims)), nil
}

// weightName is a parameter's name without the scope of the network.
func weightName(path string) string {
	_, name, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return name
}

// node adds a node with one result, and returns its name: the hint, or one made of the
// operator's.
func (e *emitter) node(operator, hint string, inputs []string, attributes ...*onnxpb.AttributeProto) string {
	if hint == "" {
		hint = operator
	}
	name := e.unique(hint)
	e.addNode(operator, name, inputs, attributes...)
	return name
}

func (e *emitter) addNode(operator, name string, inputs []string, attributes ...*onnxpb.AttributeProto) {
	e.graph.Node = append(e.graph.Node, &onnxpb.NodeProto{Name: name, OpType: operator, Input: inputs, Output: []string{name}, Attribute: attributes})
}

// unique returns a name that no other tensor has.
func (e *emitter) unique(hint string) string {
	name := hint
	for i := 1; e.taken[name]; i++ {
		name = fmt.Sprintf("%s_%d", hint, i)
	}
	e.taken[name] = true
	return name
}

// shape is a tensor with sizes, which may depend on the number of examples.
func (e *emitter) shape(sizes []size) string {
	if ints, ok := constant(sizes); ok {
		return e.int64s(ints)
	}
	if e.batch == "" {
		e.batch = e.node("Shape", "batch", []string{inputName}, intAttr("start", 0), intAttr("end", 1))
	}
	var parts []string
	for _, s := range sizes {
		switch {
		case !s.batch:
			parts = append(parts, e.int64s([]int{s.n}))
		case s.n == 1:
			parts = append(parts, e.batch)
		default:
			parts = append(parts, e.node("Mul", "", []string{e.batch, e.int64s([]int{s.n})}))
		}
	}
	return e.node("Concat", "", parts, intAttr("axis", 0))
}

// reshape is a Reshape to sizes of which one may depend on the number of examples.
func (e *emitter) reshape(name string, sizes []size) string {
	dims := make([]int, len(sizes))
	free := 0
	for i, s := range sizes {
		if dims[i] = s.n; s.batch {
			dims[i] = -1
			free++
		}
	}
	if free > 1 {
		return e.node("Reshape", "", []string{name, e.shape(sizes)})
	}
	return e.node("Reshape", "", []string{name, e.int64s(dims)})
}

func intAttr(name string, v int) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: name, Type: onnxpb.AttributeProto_INT, I: int64(v)}
}

func intsAttr(name string, vs []int) *onnxpb.AttributeProto {
	a := &onnxpb.AttributeProto{Name: name, Type: onnxpb.AttributeProto_INTS}
	for _, v := range vs {
		a.Ints = append(a.Ints, int64(v))
	}
	return a
}

func floatAttr(name string, v float32) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: name, Type: onnxpb.AttributeProto_FLOAT, F: v}
}

func stringAttr(name, v string) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: name, Type: onnxpb.AttributeProto_STRING, S: []byte(v)}
}
