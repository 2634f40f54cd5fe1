package jem_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"ngebm/data/progress"
	"ngebm/ngebm/device"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/jem"
)

// Ten steps up an energy of -‖x‖²/2 halve x ten times: what is classified has moved to
// where the model finds it likely.
func ExampleRefinement() {
	dev, err := device.Open("go", progress.Discard{})
	if err != nil {
		fmt.Println(err)
		return
	}
	// One class only, so that the energy is its logit.
	plain := func(x *Node) *Node { return MulScalar(ReduceAndKeep(Square(x), ReduceSum, -1), -.5) }
	r := jem.Refinement{Steps: 10, Step: .5, Noise: 1e-6, Spread: 1e-6}
	out := MustExecOnceN(dev.Backend, func(x *Node) []*Node {
		return []*Node{plain(x), r.Logits(plain, x)}
	}, [][]float32{{3, 4}})
	fmt.Println(r)
	fmt.Printf("%.4f to %.4f\n", out[0].Value().([][]float32)[0][0], out[1].Value().([][]float32)[0][0])
	// Output:
	// 10 SGLD steps of 0.5 with noise 1e-06, mean of 5 copies with noise 1e-06
	// -12.5000 to -0.0000
}

// mlp is a network of three inputs, four hidden values and three classes.
func mlp(x *Node) *Node {
	g := x.Graph()
	weights := func(rows, columns int, from float64) *Node {
		w := make([][]float64, rows)
		for i := range w {
			for j := range columns {
				w[i] = append(w[i], 2*math.Sin(from+float64(7*i+3*j)))
			}
		}
		return Const(g, w)
	}
	return Dot(Tanh(Dot(x, weights(3, 4, 1)).Product()), weights(4, 3, 2)).Product()
}

// Gradients go through the steps of the refinement and all copies: they are the
// central differences of the refined loss (float64, h = 1e-6; their error falls with h², and is 1.4e-8 here).
func TestRefinementGradient(t *testing.T) {
	r := jem.Refinement{Steps: 3, Step: .3, Noise: .05, Spread: .1, Copies: 4, Seed: 7}
	at := [][]float64{{.3, -.2, .5}, {-1, .4, .1}}
	for _, backend := range []string{"cpu", "go"} {
		opened := testdevice.Open(t, backend)
		loss := func(x *Node) *Node {
			return energy.CrossEntropy(r.Logits(mlp, x), Const(x.Graph(), []int32{2, 0}), 0)
		}
		exec := MustNewExec(opened, func(x *Node) []*Node {
			l := loss(x)
			return []*Node{l, Gradient(l, x)[0], Gradient(energy.CrossEntropy(mlp(x), Const(x.Graph(), []int32{2, 0}), 0), x)[0]}
		})
		out := exec.MustExec(at)
		got, plain := out[1].Value().([][]float64), out[2].Value().([][]float64)
		const h = 1e-6
		different := false
		for i := range at {
			for j := range at[i] {
				value := func(shift float64) float64 {
					moved := [][]float64{slices.Clone(at[0]), slices.Clone(at[1])}
					moved[i][j] += shift
					return exec.MustExec(moved)[0].Value().(float64)
				}
				want := (value(h) - value(-h)) / (2 * h)
				if math.Abs(got[i][j]-want) > 1e-7 {
					t.Errorf("%s: ∂/∂x[%d][%d] is %v, differences give %v", backend, i, j, got[i][j], want)
				}
				different = different || math.Abs(got[i][j]-plain[i][j]) > .01
			}
		}
		if !different {
			t.Errorf("%s: the gradient is that of the plain pass, so the steps changed nothing", backend)
		}
	}
}

func refined(t *testing.T, r jem.Refinement, x [][]float64) [][]float64 {
	t.Helper()
	opened := testdevice.Open(t, "cpu")
	return MustExecOnce(opened, func(x *Node) *Node { return r.Logits(mlp, x) }, x).Value().([][]float64)
}

// No steps are the plain pass to the bit. With steps, an example's logits follow from
// it and the seed alone, not from its place or its neighbors, in any call.
func TestRefinementIsAFunction(t *testing.T) {
	x := [][]float64{{.3, -.2, .5}, {-1, .4, .1}, {0, 0, 2}}
	opened := testdevice.Open(t, "cpu")
	plain := MustExecOnce(opened, mlp, x).Value().([][]float64)
	if got := refined(t, jem.Refinement{Seed: 3}, x); !slices.EqualFunc(got, plain, slices.Equal) {
		t.Errorf("without steps %v, the plain pass gives %v", got, plain)
	}
	r := jem.Refinement{Steps: 2, Step: .2, Seed: 3}
	a := refined(t, r, x)
	b := refined(t, r, [][]float64{x[2], x[0]})
	for k := range a[0] {
		if math.Abs(a[2][k]-b[0][k]) > 1e-12 || math.Abs(a[0][k]-b[1][k]) > 1e-12 {
			t.Errorf("logits depend on the batch: %v and %v", a, b)
		}
	}
	r.Seed = 4
	if c := refined(t, r, x); math.Abs(c[0][0]-a[0][0]) < 1e-6 {
		t.Error("another seed gives the same noise")
	}
}

func TestRefinementRefuses(t *testing.T) {
	for want, r := range map[string]jem.Refinement{
		"-1 steps":     {Steps: -1},
		"-2 copies":    {Steps: 1, Copies: -2},
		"step -1":      {Steps: 1, Step: -1},
		"noise NaN":    {Steps: 1, Noise: math.NaN()},
		"spread +Inf":  {Steps: 1, Spread: math.Inf(1)},
		"spread -0.03": {Steps: 1, Spread: -.03},
	} {
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v gives %v, want an error with %q", r, err, want)
		}
	}
}
