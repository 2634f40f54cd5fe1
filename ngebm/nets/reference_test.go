package nets_test

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/reference"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// networkReference is a case of testdata/networks.json; networks.py next to it says what
// it holds.
type networkReference struct {
	Logits, Slopes, Evaluated []float64
	Loss                      float64
	Gradients, Running, After map[string][2]float64
}

func wave(phase float64, n int) []float64 {
	values := make([]float64, n)
	for k := range values {
		i := float64(k)
		values[k] = math.Sin(phase + 1.7*i + .013*i*i)
	}
	return values
}

// setWaves gives a network's weights the values of networks.py.
func setWaves(t *testing.T, store *model.Store, first bool) {
	t.Helper()
	for v := range store.RootScope().At("net").IterVariables() {
		name, phase := strings.TrimPrefix(v.Path(), "/net/"), 0.
		for _, b := range []byte(name) {
			phase += float64(b)
		}
		dims := v.Shape().Dimensions
		values := wave(phase, v.Shape().Size())
		last := name[strings.LastIndexByte(name, '/')+1:]
		for i := range values {
			switch {
			case len(dims) > 1:
				values[i] *= 1.5 / math.Sqrt(float64(len(values)/dims[len(dims)-1]))
			case last == "weight" || last == "scale" || last == "running_var":
				values[i] = 1 + .3*values[i]
			case last == "initialized" && !first:
				values[i] = 1
			case last == "initialized":
				values[i] = 0
			default:
				values[i] *= .3
			}
		}
		if err := v.SetValue(tensors.FromFlatDataAndDimensions(values, dims...)); err != nil {
			t.Fatal(err)
		}
	}
}

// networkOf is the network of a case; those of convnet have 16 and 16 channels.
func networkOf(t *testing.T, name string) nets.Network {
	t.Helper()
	net, err := nets.Parse(strings.TrimSuffix(name, " first"))
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := net.(nets.ConvNet); ok {
		c.Channels = []int{16, 16}
		return c
	}
	return net
}

// Logits, ‖∂E/∂x‖, and the gradient of cross-entropy and both terms with respect to every
// weight equal PyTorch's in float64, for every normalization and activation; one network on XLA.
func TestNetworksEqualPyTorch(t *testing.T) {
	raw, err := os.ReadFile("testdata/networks.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases map[string]networkReference }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	onXLA := "convnet+group+gelu"
	if !testing.Short() {
		file.Cases[onXLA+" on XLA"] = file.Cases[onXLA]
	}
	for name, want := range file.Cases {
		name, device := strings.TrimSuffix(name, " on XLA"), map[bool]string{true: "cpu", false: "go"}[strings.HasSuffix(name, " on XLA")]
		t.Run(name+" "+device, func(t *testing.T) {
			images := tensors.FromFlatDataAndDimensions(wave(7, 4*8*8*3), 4, 8, 8, 3)
			net, weight := networkOf(t, name), .1
			if want.Running != nil {
				weight = 0
			}
			backend, store := testdevice.Open(t, device), model.NewStore()
			logits := func(x *Node) *Node { return net.Logits(store.RootScope().In("net"), x, 3) }
			g := NewGraph(backend, "weights")
			logits(Parameter(g, "x", shapes.Make(dtypes.Float64, 4, 8, 8, 3)))
			g.Finalize()
			setWaves(t, store, want.After != nil)
			var weights []*model.Variable
			step, err := model.NewExec(backend, store, func(_ *model.Scope, x, labels *Node) []*Node {
				store.SetTraining(x.Graph(), true)
				f := logits(x)
				terms := energy.NGEBM{Alpha: 1, Beta: weight, Gamma: weight}.TermsOf(f, energy.Inputs{X: x, Labels: labels})
				out := []*Node{f, energy.GradientNorm(energy.LogSumExp(f), x), energy.Total(terms, nil)}
				weights = nil
				var nodes []*Node
				for v := range store.RootScope().At("net").IterVariables() {
					if v.Trainable {
						weights, nodes = append(weights, v), append(nodes, v.NodeValue(x.Graph()))
					}
				}
				return append(out, Gradient(out[2], nodes...)...)
			})
			if err != nil {
				t.Fatal(err)
			}
			out, err := step.Exec(images, []int32{0, 1, 2, 0})
			if err != nil {
				t.Fatal(err)
			}
			near := func(what string, got, want, scale float64) {
				t.Helper()
				if !(math.Abs(got-want) <= 1e-9*max(scale, 1e-3)) {
					t.Errorf("%s is %.12g, PyTorch's %.12g", what, got, want)
				}
			}
			all := func(what string, got, want []float64) {
				t.Helper()
				if len(got) != len(want) {
					t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
				}
				for i := range got {
					near(what, got[i], want[i], 1)
				}
			}
			measured := func(what string, got []float64, want [2]float64) {
				t.Helper()
				largest, product := 0., 0.
				for i, p := range wave(.5, len(got)) {
					largest, product = max(largest, math.Abs(got[i])), product+p*got[i]
				}
				near(what+", its largest,", largest, want[0], want[0])
				near(what+", its product,", product, want[1], want[0]*float64(len(got)))
			}
			all("a logit", reference.Values(t, out[0]), want.Logits)
			all("a slope", reference.Values(t, out[1]), want.Slopes)
			near("the loss", reference.Values(t, out[2])[0], want.Loss, 1)
			if len(weights) != len(want.Gradients) {
				t.Errorf("%d weights, PyTorch has %d", len(weights), len(want.Gradients))
			}
			for i, v := range weights {
				measured("the gradient of "+v.Path(), reference.Values(t, out[3+i]), want.Gradients[strings.TrimPrefix(v.Path(), "/net/")])
			}
			for _, kept := range []map[string][2]float64{want.Running, want.After} {
				for path, w := range kept {
					measured(path, reference.Values(t, store.GetVariable("/net/"+path).MustValue()), w)
				}
			}
			if want.Evaluated != nil {
				exec, err := model.NewExec(backend, store, func(_ *model.Scope, x *Node) *Node { return logits(x) })
				if err != nil {
					t.Fatal(err)
				}
				out, err := exec.Exec(images)
				if err != nil {
					t.Fatal(err)
				}
				all("a logit in evaluation", reference.Values(t, out[0]), want.Evaluated)
			}
		})
	}
	if n := len(file.Cases); n < 12 {
		t.Errorf("%d cases", n)
	}
}
