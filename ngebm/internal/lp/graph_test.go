package lp

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/ngebm/internal/testdevice"
)

// One step from x = clean + d along g and its projection, in [-1,1]², ε = .2 (in the
// network's units) and step .1, computed by hand. Attacks and training agree up to rounding.
func TestStepAndProjection(t *testing.T) {
	backend := testdevice.Open(t, "go")
	root2 := math.Sqrt(2)
	for _, c := range []struct {
		name           string
		norm           Norm
		clean, d, g    []float32
		want           []float64
		trainingDiffer bool // the gradient is too small for training's arithmetic
	}{
		{"along the sign", Linf, []float32{0, 0}, []float32{0, 0}, []float32{5, -1e-3}, []float64{.1, -.1}, false},
		{"zero gradient", Linf, []float32{.3, 0}, []float32{.1, 0}, []float32{0, 0}, []float64{.4, 0}, false},
		{"cut at ε", Linf, []float32{0, 0}, []float32{.15, -.05}, []float32{1, 1}, []float64{.2, .05}, false},
		{"cut at the range", Linf, []float32{.95, -1}, []float32{0, 0}, []float32{1, -1}, []float64{1, -1}, false},
		{"along the gradient", L2, []float32{0, 0}, []float32{0, 0}, []float32{3, -4}, []float64{.06, -.08}, false},
		{"zero gradient", L2, []float32{.3, 0}, []float32{.1, 0}, []float32{0, 0}, []float64{.4, 0}, false},
		{"shrunk to ε", L2, []float32{0, 0}, []float32{.2, 0}, []float32{0, 2}, []float64{.4 / math.Sqrt(5), .2 / math.Sqrt(5)}, false},
		{"cut at the range", L2, []float32{.98, 0}, []float32{0, 0}, []float32{1, 1}, []float64{1, .1 / root2}, false},
		{"tiny gradient", L2, []float32{0, 0}, []float32{0, 0}, []float32{3e-30, -4e-30}, []float64{.06, -.08}, true},
	} {
		t.Run(string(c.norm)+"/"+c.name, func(t *testing.T) {
			threat := New(c.norm, .1, true)
			x, lower, upper := make([]float32, 2), make([]float32, 2), make([]float32, 2)
			for j := range x {
				x[j] = c.clean[j] + c.d[j]
			}
			threat.Bounds(c.clean, lower, upper)
			attack := graph.MustExecOnce(backend, func(in []*graph.Node) *graph.Node {
				x, clean, g, lower, upper, radius := in[0], in[1], in[2], in[3], in[4], in[5]
				return c.norm.Project(graph.Add(x, graph.MulScalar(c.norm.Direction(g), .1)), clean, lower, upper, radius)
			}, row(x), row(c.clean), row(c.g), row(lower), row(upper), tensors.FromScalar(threat.Radius))
			training := graph.MustExecOnce(backend, func(in []*graph.Node) *graph.Node {
				next, _ := threat.TrainingStep(in[0], in[2], in[1], .1)
				return next
			}, row(x), row(c.clean), row(c.g))
			for name, y := range map[string]*tensors.Tensor{"attack": attack, "training": training} {
				got := tensors.MustCopyFlatData[float32](y)
				near := true
				for j := range got {
					near = near && math.Abs(float64(got[j])-c.want[j]) < 1e-6
				}
				if near == (name == "training" && c.trainingDiffer) {
					t.Errorf("%s: %v, want %v", name, got, c.want)
				}
			}
		})
	}
}

// An attack's projection keeps NaN, so that a faulty gradient is seen.
func TestProjectKeepsNaN(t *testing.T) {
	nan := float32(math.NaN())
	for _, norm := range []Norm{Linf, L2} {
		y := graph.MustExecOnce(testdevice.Open(t, "go"), func(in []*graph.Node) *graph.Node {
			return norm.Project(in[0], in[1], in[2], in[3], in[4])
		}, row([]float32{nan, 0}), row([]float32{0, 0}), row([]float32{-1, -1}), row([]float32{1, 1}), tensors.FromScalar(float32(.1)))
		if got := tensors.MustCopyFlatData[float32](y); !math.IsNaN(float64(got[0])) {
			t.Errorf("%s: %v, want NaN first", norm, got)
		}
	}
}

// row is a batch of one example.
func row(x []float32) *tensors.Tensor { return tensors.FromFlatDataAndDimensions(x, 1, len(x)) }

func TestParse(t *testing.T) {
	for name, want := range map[string]Norm{"linf": Linf, "l2": L2} {
		if got, err := Parse(name); got != want || err != nil || !got.Valid() {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := Parse("l1"); err == nil || got.Valid() {
		t.Errorf("l1 is the norm %q", got)
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		epsilon float64
		images  bool
		want    float32
		hi      float32
	}{
		{.5, true, 1, 1},
		{.5, false, .5, float32(math.Inf(1))},
		{.05, false, math.Nextafter32(.05, 0), float32(math.Inf(1))}, // float32(.05) is above .05
	} {
		threat := New(L2, c.epsilon, c.images)
		if threat.Radius != c.want || threat.Epsilon != c.epsilon*Scale(c.images) || threat.Hi != c.hi || threat.Lo != -c.hi {
			t.Errorf("ε %v, images %v: %+v, want the radius %v", c.epsilon, c.images, threat, c.want)
		}
	}
}
