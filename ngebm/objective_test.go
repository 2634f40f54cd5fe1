package ngebm_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/reference"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// What a configuration minimizes, and its gradient with respect to every weight,
// against PyTorch 2.15.0 in float64 (jem/testdata/reference.py): label smoothing is
// F.cross_entropy's, the focal loss and mixup are as their papers have them, and the
// margin is Liu et al.'s in their sign.
func TestObjectives(t *testing.T) {
	want := reference.Read(t, "testdata/objectives.npz")
	parameters := reference.Names(want, "weight ")
	net := nets.MLP{Hidden: []int{16, 16}}
	for _, c := range []struct {
		name, set string
		ramp      float64
	}{
		{"smoothing", "label_smoothing=.1", 1},
		{"focal 1", "focal=1", 1},
		{"focal 2.5", "focal=2.5", 1},
		{"mixup", "augment.mixup=1", 1},
		{"mixup smoothing", "augment.mixup=1,label_smoothing=.1", 1},
		{"mixup focal", "augment.mixup=1,focal=2", 1},
		{"margin", "margin.outliers=far away,margin.in=3,margin.out=1", 1},
		{"per dimension", "beta=.1,gamma=.2,gamma_per_dimension=true", 1},
		{"ramp", "beta=.1,gamma=.2", .25},
	} {
		for _, backend := range []string{"cpu", "go"} {
			for dtype, tolerance := range map[dtypes.DType]float64{dtypes.Float32: 1e-5, dtypes.Float64: 1e-10} {
				t.Run(fmt.Sprint(c.name, "/", backend, "/", dtype), func(t *testing.T) {
					if testing.Short() && backend == "cpu" && dtype == dtypes.Float64 {
						t.Skip("SKIPPED with -short: XLA compiles every objective; float32 does, too")
					}
					cfg := ngebm.DefaultConfig("moons", "mlp-16-16")
					if err := cfg.Set(c.set); err != nil {
						t.Fatal(err)
					}
					objective := cfg.Objective([]int{2})
					store := reference.Weights(t, want, "weight ", parameters, dtype)
					exec, err := model.NewExec(testdevice.Open(t, backend), store, func(_ *model.Scope, in []*Node) []*Node {
						inputs := energy.Inputs{
							Logits: func(x *Node) *Node { return net.Logits(store.RootScope().In("net"), x, 3) },
							X:      in[0], Labels: in[1], Others: in[2], OtherLabels: in[1],
						}
						if cfg.Augment.Mixup > 0 {
							inputs.Partner, inputs.Share = in[3], in[4]
						}
						loss := energy.Total(objective.Terms(inputs), in[5])
						var weights []*Node
						for _, p := range parameters {
							weights = append(weights, store.GetVariable("/net/"+strings.Replace(p, ".", "/", 1)).NodeValue(in[0].Graph()))
						}
						return append([]*Node{loss}, Gradient(loss, weights...)...)
					})
					if err != nil {
						t.Fatal(err)
					}
					ramp := reference.Array{Values: []float64{c.ramp}}
					out, err := exec.Exec(want["x"].Tensor(dtype), want["y"].Labels(), want["others"].Tensor(dtype), want["partner"].Labels(), want["share"].Tensor(dtype), ramp.Tensor(dtype))
					if err != nil {
						t.Fatal(err)
					}
					for i, name := range append([]string{"total"}, parameters...) {
						if i > 0 {
							name = "grad " + name
						}
						ref, ok := want[c.name+":"+name]
						if !ok {
							t.Fatalf("the reference has no %s of %s", name, c.name)
						}
						reference.CheckClose(t, name, out[i], ref, tolerance)
					}
				})
			}
		}
	}
}

// Where the softmax is sure, of the label or of another class, the focal loss and its
// gradient are PyTorch's and finite; beyond what float32 can tell from 1 too, and there the
// derivative of the gradient's norm as well.
func TestFocalLossWhereSure(t *testing.T) {
	want := reference.Read(t, "testdata/objectives.npz")
	for _, gamma := range []float64{1, 1.5, 2, 3} {
		of := func(backend string, logits *tensors.Tensor, labels []int32) []*tensors.Tensor {
			return MustExecOnceN(testdevice.Open(t, backend), func(f, y *Node) []*Node {
				loss := energy.FocalLoss(f, y, gamma)
				norm := energy.InputGradientNorm(loss, f)
				return []*Node{loss, Gradient(loss, f)[0], norm, Gradient(norm, f)[0]}
			}, logits, labels)
		}
		for _, backend := range []string{"cpu", "go"} {
			for dtype, tolerance := range map[dtypes.DType]float64{dtypes.Float32: 1e-5, dtypes.Float64: 1e-10} {
				out := of(backend, want["sure"].Tensor(dtype), make([]int32, want["sure"].Shape[0]))
				name := fmt.Sprintf("sure %g", gamma)
				reference.CheckClose(t, fmt.Sprint(name, " ", backend, dtype), out[0], want[name+":total"], tolerance)
				reference.CheckClose(t, fmt.Sprint(name, " gradient ", backend, dtype), out[1], want[name+":grad"], tolerance)
			}
			for _, margin := range []float64{20, 1e3, -1e3, 1e30} {
				logits := reference.Array{Values: []float64{margin, 0}, Shape: []int{1, 2}}
				for _, x := range of(backend, logits.Tensor(dtypes.Float32), []int32{0}) {
					for _, v := range reference.Values(t, x) {
						if math.IsNaN(v) || math.IsInf(v, 0) {
							t.Errorf("γ = %g, logits %v, %s: %v", gamma, logits.Values, backend, x)
						}
					}
				}
			}
		}
	}
}
