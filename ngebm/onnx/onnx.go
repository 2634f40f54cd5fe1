package onnx

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	onnxpb "github.com/gomlx/compute-onnx/support/protos"
	"github.com/gomlx/gomlx/core/tensors"
	"google.golang.org/protobuf/proto"

	"ngebm/ngebm"
)

// Opset is the version of ONNX's operators that files use, and irVersion that of the format.
// ONNX Runtime reads them from 1.12 (2022) on.
const (
	Opset     = 17
	irVersion = 8
)

// maxBytes is the most that a protobuf message may have.
const maxBytes = math.MaxInt32

// outputNames are the outputs of every file, in order.
var outputNames = []string{"logits", "probabilities", "energy"}

// Options say what a file has besides the network.
type Options struct {
	// Temperature divides the logits before the softmax that gives the probabilities; 0
	// means 1. It must be positive and finite.
	Temperature float64
	// Metadata is written to the file's metadata_props, with what Export writes there itself:
	// "classes" (a list in JSON), "network", "temperature" and "energy"; of images "layout" and
	// "input_range"; of a table's rows "encoder", a [tabular.Encoder] in JSON. It may have no
	// others of these names.
	Metadata map[string]string
}

// Tensor is an input or output of a model.
type Tensor struct {
	Name  string
	Shape []string // "batch", or a number
}

// Model is a classifier as ONNX.
type Model struct {
	Inputs, Outputs []Tensor
	content         []byte
}

// Export translates a classifier. The error names the first operation of its network that
// has no translation, or what depends on the other examples of a batch.
func Export(c *ngebm.Classifier, o Options) (*Model, error) {
	if o.Temperature == 0 {
		o.Temperature = 1
	}
	if t := float32(o.Temperature); !(t > 0) || math.IsInf(float64(t), 0) {
		return nil, fmt.Errorf("onnx: the temperature is %v; it must be positive and finite, also in float32", o.Temperature)
	}
	output, err := batched(c.Store(), c.Shape, c.BuildLogits)
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", c.Network, err)
	}
	if want := []size{{1, true}, {n: len(c.Classes)}}; !slices.Equal(output.shape, want) {
		return nil, fmt.Errorf("onnx: the logits of %s are shaped %v, not [batch, %d]", c.Network, output.shape, len(c.Classes))
	}
	weights, err := weightsOf(c)
	if err != nil {
		return nil, err
	}
	e := newEmitter(output, weights)
	logits, err := e.of(output)
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", c.Network, err)
	}
	e.outputs(e.plain(logits), o.Temperature)
	m := &Model{
		Inputs:  []Tensor{e.input(c.Shape)},
		Outputs: []Tensor{e.output(outputNames[0], len(c.Classes)), e.output(outputNames[1], len(c.Classes)), e.output(outputNames[2])},
	}
	metadata, err := o.metadata(c)
	if err != nil {
		return nil, err
	}
	return m, m.marshal(e.graph, c, metadata)
}

// weightsOf returns the values of a classifier's weights, by their names in the network.
func weightsOf(c *ngebm.Classifier) (map[string][]float32, error) {
	weights := map[string][]float32{}
	err := c.Weights(func(name string, value *tensors.Tensor) error {
		flat, err := tensors.CopyFlatData[float32](value)
		if err != nil {
			return fmt.Errorf("onnx: weight %s is %s; float32 can be written: %w", name, value.Shape(), err)
		}
		weights[name] = flat
		return nil
	})
	return weights, err
}

// outputs adds the three outputs.
func (e *emitter) outputs(logits string, temperature float64) {
	if slices.ContainsFunc(e.graph.Node, func(n *onnxpb.NodeProto) bool { return n.Output[0] == logits }) {
		e.rename(logits, outputNames[0])
	} else { // the input itself, or a constant
		e.addNode("Identity", outputNames[0], []string{logits})
	}
	scaled := outputNames[0]
	if temperature != 1 {
		t := e.initializer("", "temperature", nil, []float32{float32(temperature)})
		scaled = e.node("Div", "", []string{scaled, t})
	}
	e.addNode("Softmax", outputNames[1], []string{scaled}, intAttr("axis", 1))
	e.addNode("ReduceLogSumExp", outputNames[2], []string{outputNames[0]}, intsAttr("axes", []int{1}), intAttr("keepdims", 0))
}

// rename gives the result of a node another name.
func (e *emitter) rename(from, to string) {
	for _, n := range e.graph.Node {
		for i, name := range n.Input {
			if name == from {
				n.Input[i] = to
			}
		}
		if n.Output[0] == from {
			n.Name, n.Output[0] = to, to
		}
	}
}

func (e *emitter) input(shape []int) Tensor {
	t, info := tensor(inputName, shape)
	e.graph.Input = append(e.graph.Input, info)
	return t
}

func (e *emitter) output(name string, shape ...int) Tensor {
	t, info := tensor(name, shape)
	e.graph.Output = append(e.graph.Output, info)
	return t
}

// tensor describes a tensor of a batch of that shape.
func tensor(name string, shape []int) (Tensor, *onnxpb.ValueInfoProto) {
	t := Tensor{name, []string{"batch"}}
	dims := []*onnxpb.TensorShapeProto_Dimension{{Value: &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: "batch"}}}
	for _, d := range shape {
		t.Shape = append(t.Shape, fmt.Sprint(d))
		dims = append(dims, &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}})
	}
	return t, &onnxpb.ValueInfoProto{Name: name, Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{
		TensorType: &onnxpb.TypeProto_Tensor{ElemType: int32(onnxpb.TensorProto_FLOAT), Shape: &onnxpb.TensorShapeProto{Dim: dims}},
	}}}
}

// metadata is the caller's, and what the network says of itself.
func (o Options) metadata(c *ngebm.Classifier) (map[string]string, error) {
	classes, err := json.Marshal(c.Classes)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	own := map[string]string{
		"classes": string(classes), "network": c.Network.String(), "temperature": fmt.Sprint(o.Temperature),
		"energy": "logsumexp of the logits: larger where the model finds the input more likely",
	}
	if c.Encoder != nil {
		own["encoder"] = string(c.Encoder.JSON())
	}
	if len(c.Shape) == 3 {
		own["layout"], own["input_range"] = "NHWC", "[-1,1]"
	}
	for name, text := range o.Metadata {
		if _, ok := own[name]; ok {
			return nil, fmt.Errorf("onnx: the metadata has %q, which Export writes itself; choose another name", name)
		}
		own[name] = text
	}
	return own, nil
}

// marshal makes the file's content.
func (m *Model) marshal(graph *onnxpb.GraphProto, c *ngebm.Classifier, metadata map[string]string) (err error) {
	graph.Name = c.Network.String()
	p := &onnxpb.ModelProto{
		IrVersion: irVersion, ProducerName: "ngebm", ProducerVersion: ngebm.Version(), Graph: graph,
		OpsetImport: []*onnxpb.OperatorSetIdProto{{Version: Opset}},
	}
	for _, name := range slices.Sorted(maps.Keys(metadata)) {
		p.MetadataProps = append(p.MetadataProps, &onnxpb.StringStringEntryProto{Key: name, Value: metadata[name]})
	}
	if bytes := proto.Size(p); bytes > maxBytes {
		return fmt.Errorf("onnx: %s takes %d bytes, more than the %d of an ONNX file; export its weights as safetensors", c.Network, bytes, maxBytes)
	}
	if m.content, err = (proto.MarshalOptions{Deterministic: true}).Marshal(p); err != nil {
		return fmt.Errorf("onnx: %w", err)
	}
	return nil
}

// Len is the size of the file in bytes.
func (m *Model) Len() int { return len(m.content) }

// WriteTo writes the file's content. It implements [io.WriterTo].
func (m *Model) WriteTo(w io.Writer) (int64, error) {
	if m.content == nil {
		return 0, errors.New("onnx: the model is empty; make one with Export")
	}
	n, err := w.Write(m.content)
	return int64(n), err
}
