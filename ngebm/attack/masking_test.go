package attack_test

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
)

// Classifiers that hide their gradients in the ways that the warnings name, and
// one that does not.
func TestMasking(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	reference := func(change func(m *stored, logits func(x *Node) *Node, x *Node) *Node) *stored {
		m := referenceMLP(t, backend)
		inner := m.logits
		m.logits = func(scope *model.Scope, x *Node) *Node {
			return change(m, func(x *Node) *Node { return inner(scope, x) }, x)
		}
		return m
	}
	// pixel is the first pixel of each image, from -1, [batch].
	pixel := func(x *Node) *Node {
		return Squeeze(Slice(x, AxisRange(), AxisElem(0), AxisElem(0), AxisElem(0)), 1, 2, 3)
	}
	digits, few, halves := referenceDigits(t, 100), referenceDigits(t, 50), twoHalves(t)
	both := []attack.Norm{attack.Linf, attack.L2}
	for _, c := range []struct {
		name  string
		model *stored
		d     *data.Dataset
		norms []attack.Norm
		want  []string
		exact bool // no other warnings
	}{
		{"an ordinary network", referenceMLP(t, backend), digits, both, nil, true},
		{"no gradient", reference(func(_ *stored, logits func(*Node) *Node, x *Node) *Node {
			return logits(StopGradient(x))
		}), few, both, []string{attack.BlackBoxWins, attack.ZeroGradients}, false},
		{"a saturated softmax", saturated(t, referenceMLP(t, backend)), few, both[:1], []string{attack.WeakPGD, attack.ZeroGradients}, false},
		{"random logits", reference(func(m *stored, logits func(*Node) *Node, x *Node) *Node {
			f := logits(x)
			return Add(f, MulScalar(m.store.RandomNormal(x.Graph(), f.Shape()), .01))
		}), digits, both[:1], []string{attack.ForwardDiffers}, true},
		// The gradient is there only where the first pixel, which the logits do
		// not see, lies in some bands: for a third of the starts.
		{"luck with the start", reference(func(_ *stored, logits func(*Node) *Node, x *Node) *Node {
			seen := logits(Mul(x, Const(x.Graph(), [][][][]float32{slices.Concat([][][]float32{slices.Concat([][]float32{{0}}, repeat(7))}, rows(7))})))
			phase := Sin(MulScalar(StopGradient(pixel(x)), 500))
			open := BroadcastToDims(InsertAxes(GreaterThan(phase, Scalar(x.Graph(), x.DType(), .5)), -1), seen.Shape().Dimensions...)
			return Where(open, seen, StopGradient(seen))
		}), few, both[:1], []string{attack.RestartsHelp}, false},
		// The other class is a band so narrow that steps of ε/10 jump over it.
		{"a narrow valley", &stored{backend: backend, store: model.NewStore(), logits: func(_ *model.Scope, x *Node) *Node {
			f := MulScalar(AddScalar(Abs(pixel(x)), -.002), 10)
			return Stack([]*Node{f, Neg(f)}, -1)
		}}, halves, both[:1], []string{attack.MoreStepsHelp}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && c.name != "a narrow valley" {
				t.Skip("SKIPPED with -short: six attacks a norm")
			}
			a := attacker(t, c.model, attack.Options{Seed: 2})
			for _, norm := range c.norms {
				epsilon := map[attack.Norm]float64{attack.Linf: .1, attack.L2: .6}[norm]
				m, err := a.CheckMasking(context.Background(), c.d, norm, epsilon)
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, w := range m.Warnings {
					names = append(names, w.Name)
				}
				t.Logf("%+v", m)
				for _, want := range c.want {
					if !slices.Contains(names, want) {
						t.Errorf("no warning %q", want)
					}
				}
				if c.exact && len(names) != len(c.want) {
					t.Errorf("warnings %q, want %q", names, c.want)
				}
				if m.MoreSteps > m.WhiteBox || m.Restarts > m.WhiteBox || m.WhiteBox > m.Clean || m.Best > m.WhiteBox || m.N != c.d.Len() {
					t.Errorf("the counts make no sense")
				}
				if text, err := json.Marshal(m); err != nil || !strings.Contains(string(text), `"warnings":[`) {
					t.Errorf("JSON %s, %v", text, err)
				}
			}
		})
	}
	a := attacker(t, referenceMLP(t, backend), attack.Options{})
	if _, err := a.CheckMasking(context.Background(), digits, "L0", .1); err == nil {
		t.Error("norm L0, no error")
	}
	if _, err := a.CheckMasking(context.Background(), digits, attack.L2, math.NaN()); err == nil {
		t.Error("ε NaN, no error")
	}
}

// saturated scales a network's last layer, so that the softmax of its logits is
// 0 or 1 in float32.
func saturated(t *testing.T, m *stored) *stored {
	for _, name := range []string{"weight", "bias"} {
		v := m.store.RootScope().In("net").In("fc2").GetVariable(name)
		err := v.MustValue().MutableFlatData(func(flat any) {
			for i := range flat.([]float32) {
				flat.([]float32)[i] *= 1e4
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// repeat and rows are ones, for a mask.
func repeat(n int) [][]float32 { return slices.Repeat([][]float32{{1}}, n) }
func rows(n int) [][][]float32 { return slices.Repeat([][][]float32{repeat(8)}, n) }

// twoHalves are images of one class, whose first pixels lie a little above and
// below the middle.
func twoHalves(t *testing.T) *data.Dataset {
	d := data.Dataset{Info: data.Info{Name: "halves", Classes: []string{"outside", "inside"}}, Shape: []int{1, 1, 1}, MaxPixel: 255}
	for i := range 20 {
		d.Pixels = append(d.Pixels, uint8(125-i/2), uint8(130+i/2))
		d.Labels = append(d.Labels, 0, 0)
	}
	set, err := data.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return set
}
