package nets_test

import (
	"math"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/internal/reference"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// A name of parts in any order, or of what the network has anyway, is brought to one form.
func TestPartsHaveOneForm(t *testing.T) {
	for name, want := range map[string]string{
		"wrn-10-2+dropout0.30+SiLU+group": "wrn-10-2+group+silu+dropout.3",
		"convnet+none+lrelu":              "convnet",
		"resnet-18-64+relu+batch":         "resnet-18",
		"resnet-18-8+none":                "resnet-18-8+none",
		"convnet+layer+gauge-logits":      "convnet+layer+gauge-logits",
	} {
		net, err := nets.Parse(name)
		if err != nil || net.String() != want {
			t.Errorf("%s is %v (%v), want %s", name, net, err, want)
		}
	}
}

// Dropout zeroes the given share of values and scales the others in training, with other
// zeros at each step; elsewhere it is the identity. A gradient is taken under the zeros of
// its values.
func TestDropout(t *testing.T) {
	backend, store := testdevice.Open(t, "go"), model.NewStore()
	if err := store.SetRNGStateFromSeed(1); err != nil {
		t.Fatal(err)
	}
	run := func(training bool) (y, gradient []float64) {
		exec, err := model.NewExec(backend, store, func(_ *model.Scope, x *Node) []*Node {
			store.SetTraining(x.Graph(), training)
			y := nets.Dropout(store.RootScope(), x, .3)
			return []*Node{y, Gradient(ReduceAllSum(y), x)[0]}
		})
		if err != nil {
			t.Fatal(err)
		}
		ones := make([][]float32, 100)
		for i := range ones {
			ones[i] = make([]float32, 100)
			for j := range ones[i] {
				ones[i][j] = 1
			}
		}
		out, err := exec.Exec(ones)
		if err != nil {
			t.Fatal(err)
		}
		return reference.Values(t, out[0]), reference.Values(t, out[1])
	}
	first, gradient := run(true)
	second, _ := run(true)
	zeros, same := 0, 0
	for i, v := range first {
		if v != 0 && math.Abs(v-1/.7) > 1e-6 || v != gradient[i] {
			t.Fatalf("1 becomes %v with the derivative %v", v, gradient[i])
		}
		if v == 0 {
			zeros++
		}
		if v == second[i] {
			same++
		}
	}
	// Binomial: 4 deviations of 46 and 49.
	if math.Abs(float64(zeros)-3000) > 184 || math.Abs(float64(same)-5800) > 200 {
		t.Errorf("of 10000 values %d are 0 and %d equal in two steps, want about 3000 and 5800", zeros, same)
	}
	if kept, _ := run(false); kept[0] != 1 || kept[9999] != 1 {
		t.Error("values are dropped in evaluation")
	}
}

// The mean of each window, as torch.nn.functional.avg_pool2d(arange(16).view(1,1,4,4), 2)
// of PyTorch 2.15.0 gives it, and a gradient of a quarter for each of its values.
func TestAvgPool2D(t *testing.T) {
	x := make([]float64, 16)
	for i := range x {
		x[i] = float64(i)
	}
	out := MustExecOnceN(testdevice.Open(t, "go"), func(x *Node) []*Node {
		y := nets.AvgPool2D(Reshape(x, 1, 4, 4, 1), 2)
		return []*Node{y, Gradient(ReduceAllSum(y), x)[0]}
	}, x)
	for i, want := range []float64{2.5, 4.5, 10.5, 12.5} {
		if got := reference.Values(t, out[0])[i]; got != want {
			t.Errorf("mean %d is %v, want %v", i, got, want)
		}
	}
	for i, got := range reference.Values(t, out[1]) {
		if got != .25 {
			t.Errorf("derivative %d is %v", i, got)
		}
	}
}

// What cannot be normalized says what to do.
func TestNormsRefuse(t *testing.T) {
	for want, layer := range map[string]func(*model.Scope, *Node) *Node{
		"choose a divisor":        func(s *model.Scope, x *Node) *Node { return nets.GroupNorm(s, x, 3) },
		"or LayerNorm":            func(s *model.Scope, x *Node) *Node { return nets.InstanceNorm(s, x) },
		"below 1":                 func(s *model.Scope, x *Node) *Node { return nets.Dropout(s, x, 1) },
		"takes images":            func(s *model.Scope, x *Node) *Node { return nets.AvgPool2D(Reshape(x, 2, 4), 1) },
		"that divides both sides": func(s *model.Scope, x *Node) *Node { return nets.AvgPool2D(x, 2) },
	} {
		exec, err := model.NewExec(testdevice.Open(t, "go"), model.NewStore(), layer)
		if err == nil {
			_, err = exec.Exec([][][][]float32{{{{1, 2, 3, 4}}}, {{{1, 2, 3, 4}}}})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
