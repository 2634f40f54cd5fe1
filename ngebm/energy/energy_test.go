package energy_test

import (
	"fmt"
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"ngebm/data/progress"
	"ngebm/ngebm/device"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/testdevice"
)

// The energy is the logarithm of the sum of the exponentials of the logits.
func ExampleLogSumExp() {
	dev, err := device.Open("go", progress.Discard{})
	if err != nil {
		fmt.Println(err)
		return
	}
	out := MustExecOnce(dev.Backend, func(logits *Node) *Node { return energy.LogSumExp(logits) }, [][]float32{{0, 0}, {3, 3}, {1000, 0}})
	for _, e := range out.Value().([]float32) {
		fmt.Printf("%.4f\n", e)
	}
	// Output:
	// 0.6931
	// 3.6931
	// 1000.0000
}

// At a point where ∂E/∂x = 0 the norm is 0, and its derivative is 0, not NaN.
func TestGradientNormAtZeroGradient(t *testing.T) {
	for _, backend := range []string{"cpu", "go"} {
		out := MustExecOnceN(testdevice.Open(t, backend), func(x *Node) []*Node {
			e := ReduceSum(Square(x), 1) // gradient 2x
			norm := energy.GradientNorm(e, x)
			return []*Node{norm, Gradient(ReduceAllSum(norm), x)[0]}
		}, [][]float64{{0, 0}, {3, 4}})
		norms, derivative := out[0].Value().([]float64), out[1].Value().([][]float64)
		if norms[0] != 0 || math.Abs(norms[1]-10) > 1e-12 {
			t.Errorf("%s: norms are %v, want 0 and 10", backend, norms)
		}
		// d(2‖x‖)/dx = 2x/‖x‖
		want := [][]float64{{0, 0}, {1.2, 1.6}}
		for i := range want {
			for j := range want[i] {
				if !(math.Abs(derivative[i][j]-want[i][j]) < 1e-12) {
					t.Errorf("%s: derivative is %v, want %v", backend, derivative, want)
				}
			}
		}
	}
}

// One example has no variance; equal logits have an energy of log(classes) above
// the logit; a term of weight 0 cannot put NaN into the loss.
func TestEdges(t *testing.T) {
	out := MustExecOnceN(testdevice.Open(t, "cpu"), func(logits, labels *Node) []*Node {
		terms := energy.NGEBM{Alpha: 1}.Terms(energy.Inputs{Logits: func(x *Node) *Node { return x }, X: logits, Labels: labels})
		nan := energy.Term{Name: "watched", Value: Log(AddScalar(terms[1].Value, -1))}
		return []*Node{energy.LogSumExp(logits), terms[0].Value, terms[1].Value, energy.Total(append(terms, nan), nil)}
	}, [][]float32{{2, 2, 2, 2}}, []int32{3})
	e := out[0].Value().([]float32)[0]
	if want := float32(2 + math.Log(4)); e != want {
		t.Errorf("energy is %v, want %v", e, want)
	}
	if ce := out[1].Value().(float32); math.Abs(float64(ce)-math.Log(4)) > 1e-6 {
		t.Errorf("cross-entropy is %v, want log 4", ce)
	}
	if v := out[2].Value().(float32); v != 0 {
		t.Errorf("variance of one example is %v, want 0", v)
	}
	if v := out[3].Value().(float32); math.IsNaN(float64(v)) {
		t.Error("a term of weight 0 made the loss NaN")
	}
}

// Label smoothing against its definition, computed in Go: the cross-entropy of
// (1-ε)·one-hot + ε/classes, which is the convention of PyTorch.
func TestLabelSmoothing(t *testing.T) {
	logits := [][]float64{{2, -1, .5}, {0, 3, -2}}
	labels := []int32{0, 2}
	for _, smoothing := range []float64{0, .1, .5} {
		want := 0.
		for i, f := range logits {
			e := math.Log(math.Exp(f[0]) + math.Exp(f[1]) + math.Exp(f[2]))
			for k := range f {
				target := smoothing / 3
				if k == int(labels[i]) {
					target += 1 - smoothing
				}
				want += target * (e - f[k]) / 2
			}
		}
		out := MustExecOnce(testdevice.Open(t, "cpu"), func(f, y *Node) *Node { return energy.CrossEntropy(f, y, smoothing) }, logits, labels)
		if got := out.Value().(float64); math.Abs(got-want) > 1e-12 {
			t.Errorf("smoothing %v: %v, want %v", smoothing, got, want)
		}
	}
}
