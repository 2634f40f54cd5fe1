package onnx_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/floats"

	"ngebm/data/testdisk"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/reference"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/internal/testpython"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/onnx"
	"ngebm/ngebm/torchweights"
)

// runtimeRun is what testdata/run.py reads, and its result.
type runtimeRun struct {
	Model string    `json:"model"`
	Shape []int     `json:"shape"`
	Input []float32 `json:"input"`

	result runtimeResult
}

type runtimeResult struct {
	Names    []string          `json:"names"`
	Shapes   [][]int           `json:"shapes"`
	Values   [][]float64       `json:"values"`
	Metadata map[string]string `json:"metadata"`
}

// runtimeResults runs files in one process.
func runtimeResults(t *testing.T, runs []*runtimeRun) {
	t.Helper()
	in, err := json.Marshal(runs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(testpython.With(t, "numpy", "onnxruntime"), "testdata/run.py")
	cmd.Stdin = bytes.NewReader(in)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, errors.String())
	}
	var results []runtimeResult
	if err := json.Unmarshal(out, &results); err != nil || len(results) != len(runs) {
		t.Fatalf("%d results for %d runs (%v)", len(results), len(runs), err)
	}
	for i, r := range results {
		runs[i].result = r
	}
}

// own is a network of a person's own.
type own struct {
	name  string
	build func(scope *model.Scope, x *Node, classes int) *Node
}

func (o own) String() string { return o.name }

func (o own) Logits(scope *model.Scope, x *Node, classes int) *Node {
	return o.build(scope, x, classes)
}

// ownNetworks have what package nets has, GoMLX's activations, pooling and reductions.
func ownNetworks() []own {
	dense := func(scope *model.Scope, x *Node, classes int) *Node {
		return nets.Dense(scope.In("out"), Reshape(x, x.Shape().Dimensions[0], -1), classes)
	}
	conv := func(scope *model.Scope, x *Node) *Node { return nets.Conv(scope.In("conv"), x, 4, 3, 1) }
	return []own{
		{"halving", func(scope *model.Scope, x *Node, classes int) *Node { // notebooks/08
			x = nets.SiLU(nets.Conv(scope.In("edges"), x, 4, 3, 2))
			x = nets.SiLU(nets.Conv(scope.In("parts"), x, 8, 3, 2))
			return dense(scope, x, classes)
		}},
		{"normalized", func(scope *model.Scope, x *Node, classes int) *Node {
			x = nets.GELU(nets.GroupNorm(scope.In("group"), conv(scope, x), 2))
			x = nets.SiLU(nets.ActNorm(scope.In("act"), nets.AvgPool2D(x, 2)))
			x = nets.Dropout(scope, nets.BatchNorm(scope.In("batch"), nets.InstanceNorm(scope.In("instance"), x), .1), .5)
			return dense(scope, nets.LayerNorm(scope.In("layer"), x), classes)
		}},
		{"max-pool", func(scope *model.Scope, x *Node, classes int) *Node {
			return dense(scope, nets.MaxPool2D(nets.LeakyReLU(conv(scope, x)), 2), classes)
		}},
		{"gomlx-pool", func(scope *model.Scope, x *Node, classes int) *Node {
			x = conv(scope, x)
			a, b := MaxPool(x).Window(2).Done(), MeanPool(x).Window(2).Done()
			return dense(scope, Concatenate([]*Node{a, b}, -1), classes)
		}},
		{"padded-pool", func(scope *model.Scope, x *Node, classes int) *Node {
			x = conv(scope, x)
			return dense(scope, Add(MaxPool(x).Window(3).Strides(1).PadSame().Done(), MeanPool(x).Window(3).Strides(1).PadSame().Done()), classes)
		}},
		{"activations", func(scope *model.Scope, x *Node, classes int) *Node {
			x = conv(scope, x)
			y := Add(Max(x, ScalarZero(x.Graph(), x.DType())), Tanh(x))
			y = Add(y, Mul(Sqrt(AddScalar(Square(x), 1)), Exp(Neg(Abs(x)))))
			y = Add(y, Log1P(Exp(ClipScalar(x, -2, 2))))
			y = Add(y, Div(Erf(x), AddScalar(Cos(x), 3)))
			y = Where(LessOrEqual(x, Ones(x.Graph(), x.Shape())), y, Sign(x))
			return dense(scope, y, classes)
		}},
		{"residual", func(scope *model.Scope, x *Node, classes int) *Node {
			x = conv(scope, x)
			y := nets.Conv(scope.In("second"), nets.LeakyReLU(x), 4, 1, 1)
			x = Add(x, y) // y has no other use, and x has two
			x = Add(x, Mul(ReduceAndKeep(x, ReduceMean, 1, 2), x))
			return dense(scope, ReduceMax(x, 2), classes)
		}},
		{"normed", func(scope *model.Scope, x *Node, classes int) *Node { // a layer norm over channels
			x = conv(scope, x)
			x = Sub(x, ReduceAndKeep(x, ReduceMean, -1))
			x = Mul(x, Rsqrt(AddScalar(ReduceAndKeep(Square(x), ReduceMean, -1), 1e-5)))
			scale := nets.Uniform(scope.In("scale"), x.Graph(), "weight", x.DType(), 4, 4)
			x = Mul(x, ExpandLeftToRank(scale, 4))
			return dense(scope, Softmax(x, -1), classes)
		}},
		{"moved", func(scope *model.Scope, x *Node, classes int) *Node {
			x = TransposeAllDims(conv(scope, x), 0, 2, 1, 3)
			x = Pad(x, ScalarZero(x.Graph(), x.DType()), PadAxis{}, PadAxis{Start: 1}, PadAxis{End: 2}, PadAxis{})
			x = Slice(Reverse(x, 1), AxisRange(), AxisRange(1), AxisRange(0, 6).Stride(2), AxisRange())
			return dense(scope, x, classes)
		}},
		{"gomlx-activations", func(scope *model.Scope, x *Node, classes int) *Node {
			x = activation.LeakyRelu(conv(scope, x))
			x = Add(activation.Gelu(x), Add(activation.HardSwish(x), activation.Selu(x)))
			return dense(scope, Add(activation.Swish(x), activation.Relu(x)), classes)
		}},
		{"folded", func(scope *model.Scope, x *Node, classes int) *Node { // positions as examples, and back
			x = conv(scope, x)
			each := nets.Dense(scope.In("each"), Reshape(x, -1, 4), 4)
			return dense(scope, Reshape(each, x.Shape().Dimensions...), classes)
		}},
		{"attention", func(scope *model.Scope, x *Node, classes int) *Node {
			x = Reshape(conv(scope, x), x.Shape().Dimensions[0], -1, 4) // [batch, positions, channels]
			scores := Softmax(Einsum("bic,bjc->bij", x, x), -1)
			return dense(scope, Einsum("bij,bjc->bic", scores, x), classes)
		}},
	}
}

// exported is a classifier's file, and the classifier.
type exported struct {
	*ngebm.Classifier
	file string
}

const temperature = 1.7

func export(t *testing.T, c *ngebm.Classifier) exported {
	t.Helper()
	m, err := onnx.Export(c, onnx.Options{Temperature: temperature, Metadata: map[string]string{"run": "x"}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "model.onnx")
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return exported{c, file}
}

// run is a run of the first n examples of inputs.
func (e exported) run(inputs []float32, n int) *runtimeRun {
	size := n
	for _, d := range e.Shape {
		size *= d
	}
	return &runtimeRun{Model: e.file, Shape: append([]int{n}, e.Shape...), Input: inputs[:size]}
}

// same compares the three outputs of a run with logits.
func (r *runtimeRun) same(t *testing.T, logits [][]float64) {
	t.Helper()
	var probabilities, energies []float64
	for _, row := range logits {
		energies = append(energies, floats.LogSumExp(row))
		scaled := make([]float64, len(row))
		floats.ScaleTo(scaled, 1/temperature, row)
		e := floats.LogSumExp(scaled)
		for _, f := range scaled {
			probabilities = append(probabilities, math.Exp(f-e))
		}
	}
	if !slices.Equal(r.result.Names, []string{"logits", "probabilities", "energy"}) || r.result.Metadata["run"] != "x" {
		t.Errorf("outputs %v, metadata %v", r.result.Names, r.result.Metadata)
	}
	for k, want := range [][]float64{slices.Concat(logits...), probabilities, energies} {
		if got := r.result.Values[k]; len(got) != len(want) || !(floats.Distance(got, want, math.Inf(1)) <= 1e-5) {
			t.Errorf("%s of %v: ONNX Runtime has\n%v, want\n%v", r.result.Names[k], r.Shape, got, want)
		}
	}
}

// random are n numbers in [-1,1].
func random(n int) []float32 {
	rng := rand.New(rand.NewPCG(1, 2))
	numbers := make([]float32, n)
	for i := range numbers {
		numbers[i] = 2*rng.Float32() - 1
	}
	return numbers
}

// classifiers are untrained ones of this project's networks and of a person's own.
func classifiers(t *testing.T) (all []*ngebm.Classifier) {
	t.Helper()
	backend := testdevice.Open(t, "go")
	add := func(net nets.Network, shape ...int) {
		c, err := ngebm.NewClassifier(backend, net, 3, shape, []string{"a", "b", "c"})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	for name, shape := range map[string][]int{"mlp-7-5": {2}, "mlp-lrelu-6": {4, 3, 2}, "convnet": {5, 4, 1}, "wrn-16-1": {9, 7, 3},
		"mlp-5+gauge-exact": {4}, "mlp-5+gauge-logits": {4}, "wrn-10-1+group+silu": {9, 7, 3}, "resnet-18-8": {9, 7, 3}} {
		net, err := nets.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		add(net, shape...)
	}
	for _, net := range ownNetworks() {
		add(net, 6, 6, 2)
	}
	return all
}

// The outputs of ONNX Runtime are this program's within 1e-5, for one example and for seven.
func TestEqualsONNXRuntime(t *testing.T) {
	testpython.With(t, "numpy", "onnxruntime")
	testdisk.Inputs(t, "testdata")
	var runs []*runtimeRun
	all, inputs := classifiers(t), random(7*9*7*3)
	for _, c := range all {
		e := export(t, c)
		runs = append(runs, e.run(inputs, 1), e.run(inputs, 7))
	}
	runtimeResults(t, runs)
	for i, run := range runs {
		t.Run(all[i/2].Network.String(), func(t *testing.T) {
			logits, err := all[i/2].LogitsAt(t.Context(), run.Input)
			if err != nil {
				t.Fatal(err)
			}
			run.same(t, logits)
		})
	}
}

// The authors' network has PyTorch's logits (torchweights/testdata/reference.py).
func TestEqualsPyTorch(t *testing.T) {
	testpython.With(t, "numpy", "onnxruntime")
	testdisk.Inputs(t, "testdata", "../torchweights/testdata")
	c, err := torchweights.Load(testdevice.Open(t, "go"), "../torchweights/testdata/wrn-10-1.npz", []int{32, 32, 3}, strings.Split("abcdefghij", ""))
	if err != nil {
		t.Fatal(err)
	}
	want := reference.Read(t, "../torchweights/testdata/logits.npz")
	run := export(t, c).run(want["x"].Float32(), 2)
	runtimeResults(t, []*runtimeRun{run})
	run.same(t, slices.Collect(slices.Chunk(want["logits"].Values, 10)))
}
