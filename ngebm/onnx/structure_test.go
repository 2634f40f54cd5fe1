package onnx_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	onnxpb "github.com/gomlx/compute-onnx/support/protos"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"google.golang.org/protobuf/proto"

	"ngebm/data/tabular"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/onnx"
)

// parse reads a model's file.
func parse(t *testing.T, m *onnx.Model) *onnxpb.ModelProto {
	t.Helper()
	var b bytes.Buffer
	if n, err := m.WriteTo(&b); err != nil || n != int64(m.Len()) || b.Len() != m.Len() {
		t.Fatalf("%d bytes, want %d (%v)", n, m.Len(), err)
	}
	p := new(onnxpb.ModelProto)
	if err := proto.Unmarshal(b.Bytes(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

func classifier(t *testing.T, net nets.Network, shape ...int) *ngebm.Classifier {
	t.Helper()
	c, err := ngebm.NewClassifier(testdevice.Open(t, "go"), net, 3, shape, []string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What onnx.checker checks: every tensor has one source, which comes before its uses; values
// have the bytes that their shapes say; and nothing is stored that is not used.
func TestFilesAreConsistent(t *testing.T) {
	bytesOf := map[int32]int{int32(onnxpb.TensorProto_FLOAT): 4, int32(onnxpb.TensorProto_INT64): 8}
	for _, c := range classifiers(t) {
		t.Run(c.Network.String(), func(t *testing.T) {
			m, err := onnx.Export(c, onnx.Options{Temperature: 2})
			if err != nil {
				t.Fatal(err)
			}
			p := parse(t, m)
			if p.IrVersion != 8 || len(p.OpsetImport) != 1 || p.OpsetImport[0].Version != onnx.Opset || p.OpsetImport[0].Domain != "" {
				t.Errorf("IR %d, operators %v", p.IrVersion, p.OpsetImport)
			}
			known, used := map[string]bool{}, map[string]bool{}
			define := func(name string) {
				if known[name] || name == "" {
					t.Errorf("tensor %q has two sources, or no name", name)
				}
				known[name] = true
			}
			for _, in := range p.Graph.Input {
				define(in.Name)
			}
			for _, w := range p.Graph.Initializer {
				define(w.Name)
				size := bytesOf[w.DataType]
				for _, d := range w.Dims {
					size *= int(d)
				}
				if size == 0 || size != len(w.RawData) {
					t.Errorf("%s, %v of type %d, has %d bytes", w.Name, w.Dims, w.DataType, len(w.RawData))
				}
			}
			for _, n := range p.Graph.Node {
				for _, in := range n.Input {
					if used[in] = true; !known[in] {
						t.Errorf("%s %s reads %q before it is known", n.OpType, n.Name, in)
					}
				}
				define(n.Output[0])
			}
			for _, out := range p.Graph.Output {
				if used[out.Name] = true; !known[out.Name] {
					t.Errorf("output %q has no source", out.Name)
				}
			}
			for name := range known {
				if !used[name] {
					t.Errorf("%q is not used", name)
				}
			}
			if got := dims(p.Graph.Input[0]); got != fmt.Sprint(append([]any{"batch"}, anys(c.Shape)...)) || len(p.Graph.Input) != 1 {
				t.Errorf("the input is %s", got)
			}
			for i, want := range []string{"logits [batch 3]", "probabilities [batch 3]", "energy [batch]"} {
				if out := p.Graph.Output[i]; out.Name+" "+dims(out) != want {
					t.Errorf("output %s %s, want %s", out.Name, dims(out), want)
				}
			}
		})
	}
}

func anys(list []int) (out []any) {
	for _, v := range list {
		out = append(out, v)
	}
	return out
}

// dims are a tensor's sides.
func dims(v *onnxpb.ValueInfoProto) string {
	var sides []any
	for _, d := range v.GetType().GetTensorType().GetShape().Dim {
		if d.GetDimParam() != "" {
			sides = append(sides, d.GetDimParam())
		} else {
			sides = append(sides, d.GetDimValue())
		}
	}
	return fmt.Sprint(sides)
}

// The nodes of this project's networks, each layer one of them.
func TestNodes(t *testing.T) {
	const end = "Softmax probabilities <- logits\nReduceLogSumExp energy <- logits\n"
	for name, want := range map[string]string{
		"mlp-5": "Gemm fc0 <- input fc0/weight fc0/bias\nSigmoid Sigmoid <- fc0\nMul Mul <- fc0 Sigmoid\n" +
			"Gemm logits <- Mul fc1/weight fc1/bias\n" + end,
		"mlp-lrelu-5": "Gemm fc0 <- input fc0/weight fc0/bias\nLeakyRelu LeakyRelu <- fc0\n" +
			"Gemm logits <- LeakyRelu fc1/weight fc1/bias\n" + end,
		"convnet": "Transpose Transpose <- input\nConv conv0 <- Transpose conv0/weight conv0/bias\nLeakyRelu LeakyRelu <- conv0\n" +
			"Conv conv1 <- LeakyRelu conv1/weight conv1/bias\nLeakyRelu LeakyRelu_1 <- conv1\n" +
			"Conv conv2 <- LeakyRelu_1 conv2/weight conv2/bias\nLeakyRelu LeakyRelu_2 <- conv2\n" +
			"ReduceSum ReduceSum <- LeakyRelu_2 int64_2,3\nMul Mul <- ReduceSum float32_0.25\nGemm logits <- Mul linear/weight linear/bias\n" + end,
	} {
		net, err := nets.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		shape := []int{2}
		if name == "convnet" {
			shape = []int{8, 8, 1}
		}
		m, err := onnx.Export(classifier(t, net, shape...), onnx.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, n := range parse(t, m).Graph.Node {
			fmt.Fprintf(&got, "%s %s <- %s\n", n.OpType, n.Output[0], strings.Join(n.Input, " "))
		}
		if got.String() != want {
			t.Errorf("%s is\n%s\nwant\n%s", name, got.String(), want)
		}
	}
}

// Padding, strides and slope are the network's; a Wide ResNet transposes its input only.
func TestWideResNet(t *testing.T) {
	m, err := onnx.Export(classifier(t, nets.WideResNet{Depth: 16, Width: 2}, 8, 8, 3), onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, n := range parse(t, m).Graph.Node {
		count[n.OpType]++
		attributes := map[string][]int64{}
		for _, a := range n.Attribute {
			attributes[a.Name] = a.Ints
			if a.Name == "alpha" && a.F != .2 {
				t.Errorf("%s has the slope %v", n.Name, a.F)
			}
		}
		if n.OpType != "Conv" {
			continue
		}
		pad, stride := int64(1), int64(1)
		if strings.HasSuffix(n.Name, "shortcut") {
			pad = 0
		}
		if slices.Contains([]string{"layer2.0/conv2", "layer2.0/shortcut", "layer3.0/conv2", "layer3.0/shortcut"}, n.Name) {
			stride = 2
		}
		if !slices.Equal(attributes["pads"], []int64{pad, pad, pad, pad}) || !slices.Equal(attributes["strides"], []int64{stride, stride}) {
			t.Errorf("%s has the padding %v and the strides %v", n.Name, attributes["pads"], attributes["strides"])
		}
	}
	// A convolution at the start, 2 in each of 6 blocks, and 3 shortcuts.
	want := map[string]int{"Transpose": 1, "Conv": 16, "LeakyRelu": 13, "Add": 6, "ReduceSum": 1, "Mul": 1, "Gemm": 1, "Softmax": 1, "ReduceLogSumExp": 1}
	if fmt.Sprint(count) != fmt.Sprint(want) {
		t.Errorf("nodes %v, want %v", count, want)
	}
}

// Kernels are stored with channels first, everything else as it is.
func TestWeightsAreTheClassifiers(t *testing.T) {
	c := classifier(t, nets.ConvNet{Channels: []int{4, 5}}, 4, 4, 3)
	m, err := onnx.Export(c, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string][]byte{}
	for _, w := range parse(t, m).Graph.Initializer {
		stored[w.Name] = w.RawData
	}
	at := func(name string, i int) float32 {
		return math.Float32frombits(binary.LittleEndian.Uint32(stored[name][4*i:]))
	}
	err = c.Weights(func(name string, value *tensors.Tensor) error {
		flat, err := tensors.CopyFlatData[float32](value)
		s := value.Shape().Dimensions
		for i, v := range flat {
			to := i
			if len(s) == 4 { // [height, width, in, out] to [out, in, height, width]
				out, in, position := i%s[3], i/s[3]%s[2], i/s[3]/s[2]
				to = (out*s[2]+in)*s[0]*s[1] + position
			}
			if at(name, to) != v {
				t.Fatalf("%s[%d] is %v, want %v", name, i, at(name, to), v)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestMetadata(t *testing.T) {
	m, err := onnx.Export(classifier(t, nets.ConvNet{Channels: []int{4}}, 4, 4, 1), onnx.Options{Temperature: 1.5, Metadata: map[string]string{"run": "r-1"}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range parse(t, m).MetadataProps {
		got[p.Key] = p.Value
	}
	for name, want := range map[string]string{"classes": `["a","b","c"]`, "network": "convnet4", "layout": "NHWC", "input_range": "[-1,1]", "temperature": "1.5", "run": "r-1"} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

// Whoever runs the file can turn rows of a table into its inputs.
func TestEncoderIsInTheMetadata(t *testing.T) {
	c := classifier(t, nets.MLP{Hidden: []int{3}}, 1)
	c.Encoder = &tabular.Encoder{Label: "kind", Columns: []tabular.Column{{Name: "height", Mean: 3, Deviation: 2}}}
	m, err := onnx.Export(c, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"label":"kind","columns":[{"name":"height","mean":3,"deviation":2}]}`
	for _, p := range parse(t, m).MetadataProps {
		if p.Key == "encoder" && p.Value == want {
			return
		}
	}
	t.Errorf("the metadata lacks the encoder %s", want)
}

// Layers and weights may have the names of inputs and outputs, and one network may be used
// twice.
func TestNamesDoNotClash(t *testing.T) {
	net := own{"clash", func(scope *model.Scope, x *Node, classes int) *Node {
		y := nets.Dense(scope.In("input"), x, classes)
		y = nets.Dense(scope.In("energy"), y, classes)
		y = Add(y, nets.Uniform(scope, x.Graph(), "probabilities", x.DType(), 1, 1, classes))
		return nets.Dense(scope.In("logits"), nets.Dense(scope.Shared("energy"), y, classes), classes)
	}}
	m, err := onnx.Export(classifier(t, net, 2), onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{"input": true}
	p := parse(t, m)
	for _, w := range p.Graph.Initializer {
		if seen[w.Name] {
			t.Errorf("%q twice", w.Name)
		}
		seen[w.Name] = true
	}
	for _, n := range p.Graph.Node {
		if seen[n.Output[0]] {
			t.Errorf("%q twice", n.Output[0])
		}
		seen[n.Output[0]] = true
	}
	if len(p.Graph.Initializer) != 7 { // the second use has the weights of the first
		t.Errorf("%d tensors are stored, want 7", len(p.Graph.Initializer))
	}
}

// What cannot be written is named.
func TestExportRefuses(t *testing.T) {
	dense := func(scope *model.Scope, x *Node, classes int) *Node { return nets.Dense(scope.In("out"), x, classes) }
	for want, net := range map[string]own{
		"ArgMinMax cannot be written": {"largest", func(scope *model.Scope, x *Node, classes int) *Node {
			return dense(scope, Mul(x, ConvertDType(InsertAxes(ArgMax(x, 1), 1), x.DType())), classes)
		}},
		"RNGBitGenerator cannot be written": {"noise", func(scope *model.Scope, x *Node, classes int) *Node {
			return dense(scope, Add(x, scope.RandomNormal(x.Graph(), x.Shape())), classes)
		}},
		"a constant depends on the number of examples": {"batch mean", func(scope *model.Scope, x *Node, classes int) *Node {
			return dense(scope, Sub(x, ReduceAndKeep(x, ReduceMean, 0)), classes)
		}},
		"ReduceMax takes all examples of the batch": {"batch largest", func(scope *model.Scope, x *Node, classes int) *Node {
			return dense(scope, Sub(x, ReduceAndKeep(x, ReduceMax, 0)), classes)
		}},
		"Reverse turns the batch round": {"turned", func(scope *model.Scope, x *Node, classes int) *Node {
			return dense(scope, Sub(x, Reverse(x, 0)), classes)
		}},
		"values of type BFloat16 are not written": {"short", func(scope *model.Scope, x *Node, classes int) *Node {
			return dense(scope, ConvertDType(ConvertDType(x, dtypes.BFloat16), dtypes.Float32), classes)
		}},
		"Slice: 1 for 2 examples and 2 for 3 is not in proportion to the batch": {"first", func(scope *model.Scope, x *Node, classes int) *Node {
			return dense(scope, Sub(x, Slice(x, AxisRange(-1), AxisRange())), classes)
		}},
		"Slice takes a part of the batch": {"the first", func(scope *model.Scope, x *Node, classes int) *Node {
			return dense(scope, Sub(x, Slice(x, AxisRange(0, 1), AxisRange())), classes)
		}},
		"DotGeneral takes all examples of the batch": {"products", func(scope *model.Scope, x *Node, classes int) *Node {
			return dense(scope, MatMul(x, MatMul(Transpose(x, 0, 1), x)), classes)
		}},
		"Reshape mixes the batch with other axes": {"turned values", func(scope *model.Scope, x *Node, classes int) *Node {
			return dense(scope, Transpose(Reshape(x, 2, -1), 0, 1), classes)
		}},
		"Pad moves the batch": {"the next", func(scope *model.Scope, x *Node, classes int) *Node {
			x = Pad(x, ScalarZero(x.Graph(), x.DType()), PadAxis{Start: 1, End: -1}, PadAxis{})
			return dense(scope, x, classes)
		}},
		"ReduceWindow has windows of several examples": {"neighbors", func(scope *model.Scope, x *Node, classes int) *Node {
			x = MaxPool(InsertAxes(x, 0, -1)).WindowPerAxis(3, 1).Strides(1).PadSame().Done()
			return dense(scope, Reshape(x, -1, 2), classes)
		}},
		"a convolution has the batch among its channels, positions or kernels": {"a sequence", func(scope *model.Scope, x *Node, classes int) *Node {
			kernel := nets.Uniform(scope, x.Graph(), "weight", x.DType(), 1, 3, 2, 2)
			return dense(scope, Reshape(Convolve(InsertAxes(x, 0), kernel).PadSame().Done(), -1, 2), classes)
		}},
	} {
		_, err := onnx.Export(classifier(t, net, 2), onnx.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "onnx: "+net.name) {
			t.Errorf("%s: error %v, want %q", net.name, err, want)
		}
	}
	c := classifier(t, nets.MLP{Hidden: []int{3}}, 2)
	for want, o := range map[string]onnx.Options{
		"the temperature is -1":     {Temperature: -1},
		"the temperature is NaN":    {Temperature: math.NaN()},
		"the temperature is +Inf":   {Temperature: math.Inf(1)},
		"the temperature is 1e-60":  {Temperature: 1e-60},
		"the temperature is 1e+39":  {Temperature: 1e39},
		`the metadata has "energy"`: {Metadata: map[string]string{"energy": "x"}},
	} {
		if _, err := onnx.Export(c, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := new(onnx.Model).WriteTo(new(bytes.Buffer)); err == nil {
		t.Error("an empty model is written")
	}
}
