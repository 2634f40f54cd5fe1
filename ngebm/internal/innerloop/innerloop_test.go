package innerloop_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/innerloop"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// network returns an MLP of three classes in the plane with the weights of seed 1.
func network(t testing.TB, backend compute.Backend) innerloop.Model {
	t.Helper()
	store := model.NewStore()
	nets.Seed(store, 1)
	m := innerloop.Model{Backend: backend, Store: store, Scope: "net", Logits: func(x *Node) *Node {
		return nets.MLP{Hidden: []int{16, 16}}.Logits(store.RootScope().In("net"), x, 3)
	}}
	exec, err := model.NewExec(backend, store, func(_ *model.Scope, x *Node) *Node { return m.Logits(x) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.Exec(points()); err != nil { // makes the weights
		t.Fatal(err)
	}
	return m
}

func points() *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions([]float32{1, -1, .5, 2, 0, 0}, 3, 2)
}

func floats(t testing.TB, x *tensors.Tensor) []float32 {
	t.Helper()
	v, err := tensors.CopyFlatData[float32](x)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// uphill is a step along ∂E/∂x with noise; its watch is the slope.
func uphill(m innerloop.Model) innerloop.Step {
	return func(x, own *Node, same []*Node) (next, watch *Node) {
		g := energy.InputGradient(energy.LogSumExp(m.Logits(x)), x)
		next = Add(x, Mul(g, same[0]))
		if own != nil {
			next = Add(next, MulScalar(own, .01))
		}
		return next, energy.Norm(g)
	}
}

// Each step sees its own input, in order, all steps are taken, no more, and the
// watched values are the last step's: x ← 2x + own, from 1 with 1, 10, 100 … .
func TestSteps(t *testing.T) {
	for _, backend := range []string{"cpu", "go"} {
		for _, steps := range []int{1, 2, 5} {
			m := network(t, testdevice.Open(t, backend))
			loop, err := innerloop.New(m, steps, true, func(x, own *Node, same []*Node) (next, watch *Node) {
				return Add(Mul(x, same[0]), own), ReduceSum(x, 1)
			})
			if err != nil {
				t.Fatal(err)
			}
			own := make([]float32, steps*2)
			want, before := float32(1), float32(0)
			for s := range steps {
				own[2*s], own[2*s+1] = float32(math.Pow10(s)), float32(math.Pow10(s))
				want, before = 2*want+own[2*s], want
			}
			x := tensors.FromFlatDataAndDimensions([]float32{1, 1}, 1, 2)
			for range 2 { // the second time it is compiled already
				end, watch, err := loop.Run(x, own, tensors.FromScalar(float32(2)))
				if err != nil {
					t.Fatal(err)
				}
				if got := floats(t, end); got[0] != want || got[1] != want {
					t.Errorf("%s: %d steps end at %v, want %v", backend, steps, got, want)
				}
				if got := floats(t, watch); got[0] != 2*before {
					t.Errorf("%s: the last of %d steps watched %v, want %v", backend, steps, got, 2*before)
				}
			}
			if got := floats(t, x); got[0] != 1 {
				t.Errorf("%s: the start became %v", backend, got)
			}
			loop.Close()
		}
	}
}

// A loop on the device and one on the host agree to float32's rounding, with inputs of
// the steps' own and without; and the weights stay as they were, in the store and for
// graphs built later.
func TestDeviceAndHostAgree(t *testing.T) {
	const steps = 20
	own := make([]float32, steps*6)
	for i := range own {
		own[i] = float32(math.Sin(float64(i)))
	}
	for _, owns := range []bool{true, false} {
		var ends, slopes [2][]float32
		for i, backend := range []string{"cpu", "go"} {
			m := network(t, testdevice.Open(t, backend))
			all := func() (values [][]float32) {
				for v := range m.Store.IterVariables() {
					if value := v.MustValue(); strings.HasPrefix(v.Path(), "/net/") {
						values = append(values, floats(t, value))
					}
				}
				return values
			}
			logits := func() []float32 {
				exec, err := model.NewExec(m.Backend, m.Store, func(_ *model.Scope, x *Node) *Node { return m.Logits(x) })
				if err != nil {
					t.Fatal(err)
				}
				out, err := exec.Exec(points())
				if err != nil {
					t.Fatal(err)
				}
				return floats(t, out[0])
			}
			weights, before := all(), logits()
			loop, err := innerloop.New(m, steps, owns, uphill(m))
			if err != nil {
				t.Fatal(err)
			}
			noise := own
			if !owns {
				noise = nil
			}
			end, watch, err := loop.Run(points(), noise, tensors.FromScalar(float32(.5)))
			if err != nil {
				t.Fatal(err)
			}
			ends[i], slopes[i] = floats(t, end), floats(t, watch)
			loop.Close()
			if !slices.EqualFunc(weights, all(), slices.Equal) {
				t.Errorf("%s: the weights changed", backend)
			}
			if !slices.Equal(before, logits()) {
				t.Errorf("%s: the logits changed", backend)
			}
		}
		for k, v := range append(ends[0], slopes[0]...) {
			if w := append(slices.Clone(ends[1]), slopes[1]...)[k]; math.Abs(float64(v-w)) > 1e-5*max(1, math.Abs(float64(w))) {
				t.Errorf("own inputs %v: value %d is %v on XLA and %v in pure Go", owns, k, v, w)
			}
		}
	}
}

// Loops on one network may be built and run at once, and beside other graphs.
func TestAtOnce(t *testing.T) {
	m := network(t, testdevice.Open(t, "cpu"))
	run := func() ([]float32, error) {
		loop, err := innerloop.New(m, 3, false, uphill(m))
		if err != nil {
			return nil, err
		}
		defer loop.Close()
		end, _, err := loop.Run(points(), nil, tensors.FromScalar(float32(.5)))
		if err != nil {
			return nil, err
		}
		return tensors.CopyFlatData[float32](end)
	}
	want, err := run()
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wait.Go(func() {
			got, err := run()
			if err == nil && !slices.Equal(got, want) {
				err = errors.New("another end than alone")
			}
			errs[i] = err
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

// A step that cannot be built is an error, and what is built afterwards is right.
func TestStepThatPanics(t *testing.T) {
	for _, backend := range []string{"cpu", "go"} {
		m := network(t, testdevice.Open(t, backend))
		loop, err := innerloop.New(m, 3, false, func(x, _ *Node, _ []*Node) (next, watch *Node) {
			m.Logits(x)
			exceptions.Panicf("no such step")
			return nil, nil
		})
		if err == nil {
			_, _, err = loop.Run(points(), nil)
		}
		if err == nil || !strings.Contains(err.Error(), "no such step") {
			t.Errorf("%s: error %v", backend, err)
		}
		loop, err = innerloop.New(m, 1, false, uphill(m))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := loop.Run(points(), nil, tensors.FromScalar(float32(.5))); err != nil {
			t.Errorf("%s: the next loop: %v", backend, err)
		}
	}
}
