package nets_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// build builds a network's graph, which makes its weights, without compiling it.
func build(t *testing.T, name string, seed uint64, classes int, dtype dtypes.DType, shape ...int) (*model.Store, shapes.Shape) {
	t.Helper()
	backend := testdevice.Open(t, "cpu")
	net, err := nets.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	if net.String() != name {
		t.Errorf("%q calls itself %q", name, net)
	}
	store := model.NewStore()
	nets.Seed(store, seed)
	g := NewGraph(backend, name)
	defer g.Finalize()
	return store, net.Logits(store.RootScope().In("net"), Parameter(g, "x", shapes.Make(dtype, shape...)), classes).Shape()
}

// Numbers of weights. Those of wrn-10-2 and wrn-16-4 are of the authors' network
// with 10 classes and RGB images (PyTorch, counted by sum(p.numel())); the rest
// follows from the layers: an MLP of widths a-b-c has ab+b+bc+c.
func TestParameters(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape []int
		want  int
	}{
		{"wrn-10-2", []int{2, 32, 32, 3}, 303466},
		{"wrn-16-4", []int{2, 32, 32, 3}, 2747530},
		{"convnet", []int{2, 8, 8, 1}, 9*16 + 16 + 9*16*32 + 32 + 9*32*64 + 64 + 64*10 + 10},
		{"mlp-128-128", []int{2, 2}, 2*128 + 128 + 128*128 + 128 + 128*10 + 10},
		{"mlp-lrelu-5", []int{2, 4, 4, 1}, 16*5 + 5 + 5*10 + 10},
		{"resnet-18", []int{2, 32, 32, 3}, 11173962 + 2*4800}, // the running averages of 4,800 channels are variables, too
		{"convnet+instance+silu", []int{2, 8, 8, 1}, 23946 + 2*(16+32+64)},
		{"wrn-10-2+act+dropout.3", []int{2, 32, 32, 3}, 303466 + 7 + 2*(16+32+32+64+64+128+128)},
		{"mlp-5+gauge-exact", []int{2, 4, 4, 1}, 16*5 + 5 + 5*10 + 10},
		{"mlp-5+gauge-logits", []int{2, 4, 4, 1}, 16*5 + 5 + 5*10 + 10 + 10*64 + 64 + 64*64 + 64 + 64 + 1},
		{"mlp-5+gauge-mlp", []int{2, 4, 4, 1}, 16*5 + 5 + 5*10 + 10 + 16*64 + 64 + 64*64 + 64 + 64 + 1},
		{"mlp-5+gauge-network", []int{2, 4, 4, 1}, 2*(16*5+5) + 5*10 + 10 + 5 + 1},
	} {
		store, out := build(t, c.name, 1, 10, dtypes.Float32, c.shape...)
		if got := store.NumParameters(); got != c.want {
			t.Errorf("%s has %d weights, want %d", c.name, got, c.want)
		}
		if out.Dimensions[0] != 2 || out.Dimensions[1] != 10 {
			t.Errorf("%s gives logits of shape %s", c.name, out)
		}
	}
}

// Weights are uniform in ±1/√fan_in, follow from seed and path, and are the same
// numbers in float32 and float64.
func TestInitialWeights(t *testing.T) {
	values := func(store *model.Store, path string) []float64 {
		v := store.GetVariable(path)
		if v == nil {
			t.Fatalf("no weight %s", path)
		}
		var out []float64
		v.MustValue().MustConstFlatData(func(flat any) {
			switch f := flat.(type) {
			case []float64:
				out = append(out, f...)
			case []float32:
				for _, x := range f {
					out = append(out, float64(x))
				}
			}
		})
		return out
	}
	const conv, bias = "/net/layer2.0/conv1/weight", "/net/layer2.0/conv1/bias"
	a, _ := build(t, "wrn-10-2", 1, 10, dtypes.Float32, 1, 32, 32, 3)
	b, _ := build(t, "wrn-10-2", 2, 10, dtypes.Float32, 1, 32, 32, 3)
	c, _ := build(t, "wrn-10-2", 1, 10, dtypes.Float64, 1, 32, 32, 3)
	bound := 1 / math.Sqrt(9*32) // 32 channels in, 3×3
	for _, path := range []string{conv, bias} {
		w, other, double := values(a, path), values(b, path), values(c, path)
		var mean, square, top float64
		for i, v := range w {
			mean += v / float64(len(w))
			square += v * v / float64(len(w))
			top = max(top, math.Abs(v))
			if float32(double[i]) != float32(v) {
				t.Fatalf("%s[%d] is %v in float32, %v in float64", path, i, v, double[i])
			}
		}
		if top > bound || top < .9*bound {
			t.Errorf("%s reaches %v, want just below %v", path, top, bound)
		}
		if path == conv { // enough values for the moments of U(-b, b): 0 and b²/3
			if math.Abs(mean) > .03*bound || math.Abs(square/(bound*bound/3)-1) > .03 {
				t.Errorf("%s has mean %v and mean square %v", path, mean, square)
			}
		}
		if w[0] == other[0] {
			t.Errorf("%s is the same for seeds 1 and 2", path)
		}
	}
}

// An odd-sized image goes through strides and shortcuts alike.
func TestOddSizes(t *testing.T) {
	for _, side := range []int{4, 7, 9, 28} {
		if _, out := build(t, "wrn-10-1", 1, 3, dtypes.Float32, 1, side, side, 1); out.Dimensions[1] != 3 {
			t.Errorf("%d pixels: %s", side, out)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, want := range map[string]string{
		"":           "convnet",
		"vgg":        `"vgg"`,
		"wrn-10":     "wrn-DEPTH-WIDTH",
		"wrn-12-2":   "6n+4",
		"wrn-10-0":   "wrn-DEPTH-WIDTH",
		"mlp":        "mlp-128-128",
		"mlp-1x":     "mlp-128-128",
		"convnet-3":  "known are",
		"mlp--3":     "mlp-128-128",
		"mlp-100000": "mlp-128-128",
	} {
		if net, err := nets.Parse(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) gives %v, %v; want an error that says %q", name, net, err, want)
		}
	}
}

// LeakyReLU and SiLU against their definitions.
func TestActivations(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	x := []float64{-2, -.5, 0, .5, 2}
	out := MustExecOnceN(backend, func(x *Node) []*Node { return []*Node{nets.LeakyReLU(x), nets.SiLU(x)} }, tensors.FromFlatDataAndDimensions(x, len(x)))
	leaky, silu := out[0].Value().([]float64), out[1].Value().([]float64)
	for i, v := range x {
		if want := max(v, .2*v); math.Abs(leaky[i]-want) > 1e-12 {
			t.Errorf("LeakyReLU(%v) = %v, want %v", v, leaky[i], want)
		}
		if want := v / (1 + math.Exp(-v)); math.Abs(silu[i]-want) > 1e-12 {
			t.Errorf("SiLU(%v) = %v, want %v", v, silu[i], want)
		}
	}
}
