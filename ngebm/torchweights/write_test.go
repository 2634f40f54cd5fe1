package torchweights_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data/testdisk"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/reference"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/internal/testpython"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/torchweights"
)

// written writes a classifier's weights to a file.
func written(t *testing.T, c *ngebm.Classifier) string {
	t.Helper()
	var b bytes.Buffer
	if err := torchweights.Write(&b, c, map[string]string{"run": "r"}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// weightsOf are a classifier's weights by name.
func weightsOf(t *testing.T, c *ngebm.Classifier) map[string][]float32 {
	t.Helper()
	all := map[string][]float32{}
	if err := c.Weights(func(name string, value *tensors.Tensor) (err error) {
		all[name], err = tensors.CopyFlatData[float32](value)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// A Wide ResNet that was written is read with the same bits.
func TestRoundTrip(t *testing.T) {
	backend := testdevice.Open(t, "go")
	for _, net := range []nets.WideResNet{{Depth: 10, Width: 1}, {Depth: 16, Width: 2}, {Depth: 10, Width: 1, Style: nets.Style{Activation: "silu", Dropout: .1}}} {
		c, err := ngebm.NewClassifier(backend, net, 5, []int{8, 8, 3}, classes)
		if err != nil {
			t.Fatal(err)
		}
		path := written(t, c)
		again, err := torchweights.Load(backend, path, []int{8, 8, 3}, classes)
		if err != nil {
			t.Fatal(err)
		}
		want, got := weightsOf(t, c), weightsOf(t, again)
		for name := range want {
			same := func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }
			if !slices.EqualFunc(want[name], got[name], same) {
				t.Errorf("%s: %s differs", net, name)
			}
		}
		if len(got) != len(want) || again.Network != nets.Network(net) {
			t.Errorf("%s: %d weights of %s, want %d", net, len(got), again.Network, len(want))
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if header := int(file[0]) | int(file[1])<<8; header%8 != 0 || !bytes.Contains(file[:header], []byte(`"__metadata__":{"format":"pt","network":"`+net.String()+`","run":"r"}`)) {
			t.Errorf("the header of %d bytes is %.300s", header, file[8:])
		}
	}
}

// A gauge head changes the energy and leaves the weights' names: such a file is not of the plain network.
// Its shortcuts are named as in PyTorch.
func TestGaugeIsNotPlain(t *testing.T) {
	backend, net := testdevice.Open(t, "go"), nets.Gauge{Net: nets.WideResNet{Depth: 10, Width: 1}, Head: "exact"}
	c, err := ngebm.NewClassifier(backend, net, 5, []int{8, 8, 3}, classes)
	if err != nil {
		t.Fatal(err)
	}
	path := written(t, c)
	_, err = torchweights.Load(backend, path, []int{8, 8, 3}, classes)
	testerror.Want(t, err, "those of wrn-10-1", "names the network wrn-10-1+gauge-exact")
	arrays, err := torchweights.Read(path)
	if err != nil || arrays["layer2.0.shortcut.0.weight"] == nil {
		t.Errorf("the names are %q (%v)", slices.Sorted(maps.Keys(arrays)), err)
	}
}

// Shortcuts of a ResNet are named as in PyTorch, where a projection and its norm are a sequence.
func TestNamesOfShortcuts(t *testing.T) {
	network, err := nets.Parse("resnet-18-8")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ngebm.NewClassifier(testdevice.Open(t, "go"), network, 5, []int{8, 8, 3}, classes)
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := torchweights.Read(written(t, c))
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range []string{"layer2", "layer3", "layer4"} {
		for _, name := range []string{"0.weight", "1.weight", "1.bias", "1.running_mean", "1.running_var"} {
			if full := layer + ".0.shortcut." + name; arrays[full] == nil {
				t.Errorf("no %s", full)
			}
		}
	}
	for name := range arrays {
		if strings.Count(name, "shortcut") == 1 && strings.Contains(name, "shortcut.0.1") {
			t.Errorf("%s", name)
		}
	}
}

// PyTorch's logits of the files, loaded strictly (testdata/load.py), are this program's
// within 1e-5; those of the authors' network are the stored ones.
func TestPyTorchLoads(t *testing.T) {
	python := testpython.With(t, "torch", "safetensors")
	testdisk.Inputs(t, "testdata")
	backend := testdevice.Open(t, "go")
	stored := reference.Read(t, "testdata/logits.npz")
	authors, err := torchweights.Load(backend, "testdata/wrn-10-1.npz", []int{32, 32, 3}, classes)
	if err != nil {
		t.Fatal(err)
	}
	type file struct {
		Network string    `json:"network"`
		Weights string    `json:"weights"`
		Shape   []int     `json:"shape"`
		Input   []float32 `json:"input"`

		want []float64
	}
	files := []file{{"wrn-10-1", written(t, authors), []int{2, 32, 32, 3}, stored["x"].Float32(), stored["logits"].Values}}
	for name, shape := range map[string][]int{"mlp-7-5": {4, 3, 2}, "convnet": {8, 8, 1}} {
		net, err := nets.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := ngebm.NewClassifier(backend, net, 5, shape, classes)
		if err != nil {
			t.Fatal(err)
		}
		x := stored["x"].Float32()[:2*shape[0]*shape[1]*shape[2]]
		logits, err := c.LogitsAt(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file{name, written(t, c), append([]int{2}, shape...), x, slices.Concat(logits...)})
	}
	in, err := json.Marshal(files)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-B", "load.py")
	cmd.Dir, cmd.Stdin = "testdata", bytes.NewReader(in)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var logits [][]float64
	if err := json.Unmarshal(out, &logits); err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		worst := 0.
		for k, v := range f.want {
			worst = max(worst, math.Abs(v-logits[i][k]))
		}
		if !(worst <= 1e-5) || len(logits[i]) != len(f.want) {
			t.Errorf("%s: %d logits, PyTorch's are %.2g away", f.Network, len(logits[i]), worst)
		}
	}
}

// Weights of other names keep their layout; two that PyTorch could not tell apart are
// refused.
func TestOwnNetworks(t *testing.T) {
	backend := testdevice.Open(t, "go")
	make := func(build func(scope *model.Scope, x *graph.Node, classes int) *graph.Node) *ngebm.Classifier {
		c, err := ngebm.NewClassifier(backend, own(build), 5, []int{2}, classes)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := make(func(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
		return graph.Dot(x, nets.Uniform(scope.In("head"), x.Graph(), "table", x.DType(), 2, 2, classes)).Product()
	})
	arrays, err := torchweights.Read(written(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if a := arrays["head.table"]; len(arrays) != 1 || a == nil || !slices.Equal(a.Shape, []int{2, 10}) || !slices.EqualFunc(a.Floats(), weightsOf(t, c)["head/table"], func(a float64, b float32) bool { return a == float64(b) }) {
		t.Errorf("arrays %v", arrays)
	}
	c = make(func(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
		return nets.Dense(scope.In("a").In("b"), nets.Dense(scope.In("a.b"), x, 2), classes)
	})
	if err := torchweights.Write(new(bytes.Buffer), c, nil); err == nil || !strings.Contains(err.Error(), "have the name a.b.") {
		t.Errorf("error %v", err)
	}
}

type own func(scope *model.Scope, x *graph.Node, classes int) *graph.Node

func (own) String() string { return "own" }

func (o own) Logits(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
	return o(scope, x, classes)
}
