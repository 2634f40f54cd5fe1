package attack_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
)

// referenceConv is the network of testdata/conv_weights.json: two 3×3 convolutions with 8 and
// 16 channels and ReLU, 2×2 average pooling, 10 logits; trained with PyTorch 2.15.0 on the
// digits that are not in test_images.csv, pixels in [0,1].
func referenceConv(t testing.TB, backend compute.Backend) *stored {
	t.Helper()
	weights := referenceWeights(t, "conv_weights.json")
	return &stored{backend: backend, store: model.NewStore(), logits: func(_ *model.Scope, x *Node) *Node {
		constant := func(name string) *Node {
			return Const(x.Graph(), tensors.FromFlatDataAndDimensions(weights[name].Data, weights[name].Shape...))
		}
		x = MulScalar(AddScalar(x, 1), .5)
		for _, layer := range []string{"c1", "c2"} {
			x = Add(Convolve(x, constant(layer+".weight")).PadSame().Done(), ExpandLeftToRank(constant(layer+".bias"), 4))
			x = MaxScalar(x, 0)
		}
		dims := x.Shape().Dimensions
		x = ReduceMean(Reshape(x, dims[0], dims[1]/2, 2, dims[2]/2, 2, dims[3]), 2, 4)
		return Add(MatMul(Reshape(x, dims[0], -1), constant("d.weight")), ExpandLeftToRank(constant("d.bias"), 2))
	}}
}

// Survivors of the first n digits under fra31/auto-attack (commit a392200, PyTorch 2.15.0, one
// batch; run as its README says, version "standard"). asItIs is the result
// with seed 1; mended is what is left if Square's windows reach the last row and column,
// which its random_int(0, h−s) never lets them (see Square's doc). FAB-T draws nothing.
func TestAutoAttack(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	for _, c := range []struct {
		name                   string
		model                  *stored
		norm                   attack.Norm
		epsilon                float64
		n, fab, asItIs, mended int
	}{
		{"MLP", referenceMLP(t, backend), attack.Linf, .1, 100, 29, 29, 29},
		{"MLP", referenceMLP(t, backend), attack.L2, .4, 40, 23, 21, 21},
		{"ConvNet", referenceConv(t, backend), attack.Linf, .1, 30, 13, 12, 12},
		{"ConvNet", referenceConv(t, backend), attack.Linf, .07, 30, 16, 16, 16},
		{"ConvNet", referenceConv(t, backend), attack.L2, .4, 30, 16, 15, 15},
	} {
		t.Run(fmt.Sprintf("%s %s %g", c.name, c.norm, c.epsilon), func(t *testing.T) {
			if testing.Short() {
				t.Skip("SKIPPED with -short: 5,000 queries")
			}
			a := attacker(t, c.model, attack.Options{Seed: 1, Batch: c.n})
			defer a.Close()
			d := referenceDigits(t, c.n)
			fab := run(t, a, d, attack.TargetedFAB{Norm: c.norm, Steps: 100}, c.epsilon).Points[0].Surviving
			curve := run(t, a, d, attack.Standard(c.norm), c.epsilon)
			got := curve.Points[0].Surviving
			t.Logf("FAB-T leaves %d (the package %d), all four %d (%d, with its windows mended %d); warnings %v", fab, c.fab, got, c.asItIs, c.mended, curve.Warnings)
			if fab < c.fab-2 || fab > c.fab+2 {
				t.Errorf("FAB-T leaves %d, want %d within 2", fab, c.fab)
			}
			if got < c.mended-2 || got > c.mended+2 || got > c.asItIs {
				t.Errorf("%d survive, want %d within 2 and at most %d", got, c.mended, c.asItIs)
			}
			if len(curve.Warnings) > 0 {
				t.Errorf("an ordinary network has the warnings %v", curve.Warnings)
			}
			if curve.Kind != attack.KindStandard || !strings.HasPrefix(curve.Attack, "AutoAttack standard") {
				t.Errorf("the curve is called %s, %s", curve.Kind, curve.Attack)
			}
		})
	}
}

// The checks that AutoAttack makes, on networks that they are made for; TestAutoAttack has
// those that get no warning. A few images and a large ε make it quick.
func TestAutoAttackWarns(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	changed := func(change func(m *stored, f, x *Node) *Node) *stored {
		m := referenceMLP(t, backend)
		inner := m.logits
		m.logits = func(scope *model.Scope, x *Node) *Node { return change(m, inner(scope, x), x) }
		return m
	}
	d := referenceDigits(t, 5)
	five, err := d.Subset(d.Split, []int{0, 1, 2, 3, 4})
	if err != nil {
		t.Fatal(err)
	}
	for i := range five.Labels {
		five.Labels[i] %= 5
	}
	if five, err = data.New(*five); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		model   *stored
		d       *data.Dataset
		epsilon float64
		want    []string
	}{
		{"random logits", changed(func(m *stored, f, x *Node) *Node {
			return Add(f, MulScalar(m.store.RandomNormal(x.Graph(), f.Shape()), .01))
		}), d, .5, []string{attack.ForwardDiffers}},
		{"probabilities", changed(func(_ *stored, f, _ *Node) *Node { return Softmax(f, -1) }), d, .5, []string{attack.Probabilities}},
		{"no gradient", changed(func(_ *stored, f, _ *Node) *Node { return StopGradient(f) }), d, .2, []string{attack.BlackBoxWins, attack.ZeroGradients}},
		{"five classes", changed(func(_ *stored, f, _ *Node) *Node {
			return ReduceMax(Reshape(f, f.Shape().Dimensions[0], 2, 5), 1)
		}), five, .5, []string{attack.FewClasses}},
	} {
		t.Run(c.name, func(t *testing.T) {
			curve := run(t, attacker(t, c.model, attack.Options{}), c.d, attack.Standard(attack.Linf), c.epsilon)
			var names []string
			for _, w := range curve.Warnings {
				names = append(names, w.Name)
			}
			slices.Sort(names)
			if !slices.Equal(names, c.want) {
				t.Errorf("warnings %q, want %q", curve.Warnings, c.want)
			}
		})
	}
}
