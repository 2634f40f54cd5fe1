package nets_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// images are random in [-1,1]; where rounded, they have three values, so that many
// windows have more than one largest pixel.
func images(rounded bool, dims ...int) *tensors.Tensor {
	rng := rand.New(rand.NewPCG(1, 2))
	n := 1
	for _, d := range dims {
		n *= d
	}
	values := make([]float64, n)
	for i := range values {
		if values[i] = 2*rng.Float64() - 1; rounded {
			values[i] = math.Round(values[i])
		}
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

func flat(t *testing.T, x *tensors.Tensor) []float64 {
	t.Helper()
	values, err := tensors.CopyFlatData[float64](x)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// Values and first gradients are graph.MaxPool's to the last bit, ties among them.
func TestMaxPool2D(t *testing.T) {
	for _, name := range []string{"cpu", "go"} {
		backend := testdevice.Open(t, name)
		for _, c := range []struct {
			rounded bool
			size    int
			dims    []int
		}{
			{false, 2, []int{3, 4, 6, 2}},
			{true, 2, []int{3, 8, 4, 3}},
			{true, 3, []int{2, 6, 9, 1}},
			{false, 1, []int{1, 3, 5, 2}},
			{true, 4, []int{2, 4, 4, 5}},
		} {
			out := MustExecOnceN(backend, func(x *Node) []*Node {
				var both []*Node
				for _, y := range []*Node{nets.MaxPool2D(x, c.size), MaxPool(x).Window(c.size).Done()} {
					// Weights tell windows apart.
					weights := Sin(IotaFull(x.Graph(), y.Shape()))
					both = append(both, y, Gradient(ReduceAllSum(Mul(y, weights)), x)[0])
				}
				return both
			}, images(c.rounded, c.dims...))
			for i, what := range []string{"values", "gradients"} {
				ours, theirs := flat(t, out[i]), flat(t, out[i+2])
				for k := range theirs {
					if len(ours) != len(theirs) || ours[k] != theirs[k] {
						t.Errorf("%s, %v in windows of %d: %s are\n%v, graph.MaxPool's\n%v", name, c.dims, c.size, what, ours, theirs)
						break
					}
				}
			}
		}
	}
}

// The gradient of ‖∂E/∂x‖ through two convolutions with the pooling between them, by
// central differences.
func TestMaxPoolTwice(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	x, w := images(false, 1, 6, 6, 1), images(false, 3, 3, 1, 2)
	exec, err := NewExec(backend, func(x, w *Node) []*Node {
		y := nets.MaxPool2D(nets.SiLU(Convolve(x, w).PadSame().Done()), 2)
		logits := Reshape(nets.SiLU(y), 1, -1)
		norm := ReduceAllSum(energy.GradientNorm(energy.LogSumExp(logits), x))
		return append([]*Node{norm}, Gradient(norm, x, w)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	norm := func(x, w []float64) float64 {
		return flat(t, exec.MustExec(tensors.FromFlatDataAndDimensions(x, 1, 6, 6, 1), tensors.FromFlatDataAndDimensions(w, 3, 3, 1, 2))[0])[0]
	}
	at := [2][]float64{flat(t, x), flat(t, w)}
	out := exec.MustExec(x, w)
	const h = 1e-5
	for of, name := range []string{"x", "w"} {
		for i, got := range flat(t, out[1+of]) {
			value := at[of][i]
			at[of][i] = value + h
			above := norm(at[0], at[1])
			at[of][i] = value - h
			below := norm(at[0], at[1])
			at[of][i] = value
			if want := (above - below) / (2 * h); math.Abs(got-want) > 1e-7 {
				t.Errorf("derivative by %s[%d] is %v, by differences %v", name, i, got, want)
			}
		}
	}
}

// layer is the scope of a layer of that name.
type layer func(name string) *model.Scope

// try builds a network of layers on images.
func try(t *testing.T, network func(l layer, x *Node) *Node, dims ...int) error {
	t.Helper()
	backend := testdevice.Open(t, "cpu")
	store := model.NewStore()
	exec, err := model.NewExec(backend, store, func(scope *model.Scope, x *Node) *Node {
		return network(func(name string) *model.Scope { return scope.In("%s", name) }, x)
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = exec.Compile(shapes.Make(dtypes.Float32, dims...))
	return err
}

// What cannot be built says what to do.
func TestLayersRefuse(t *testing.T) {
	for _, c := range []struct {
		want  string
		build func(l layer, x *Node) *Node
	}{
		{"do not divide images of 6x6", func(_ layer, x *Node) *Node { return nets.MaxPool2D(x, 4) }},
		{"MaxPool2D takes images", func(_ layer, x *Node) *Node { return nets.MaxPool2D(Reshape(x, 2, -1), 2) }},
		{"windows of 0 pixels", func(_ layer, x *Node) *Node { return nets.MaxPool2D(x, 0) }},
		{"flatten it first", func(l layer, x *Node) *Node { return nets.Dense(l("a"), x, 3) }},
		{"Conv takes images", func(l layer, x *Node) *Node { return nets.Conv(l("a"), Reshape(x, 2, -1), 3, 3, 1) }},
		{"two layers share a scope name", func(l layer, x *Node) *Node {
			scope := l("a")
			return nets.Dense(scope, nets.Dense(scope, Reshape(x, 2, -1), 5), 3)
		}},
		{"two layers share a scope name", func(l layer, x *Node) *Node {
			scope := l("a")
			return nets.Conv(scope, nets.Conv(scope, x, 4, 3, 1), 4, 3, 1)
		}},
	} {
		err := try(t, c.build, 2, 6, 6, 1)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %.300v, want %q", err, c.want)
		}
	}
}
