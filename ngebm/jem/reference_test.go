package jem_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/reference"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/jem"
	"ngebm/ngebm/nets"
)

// modelOf is a network with the weights of a store.
func modelOf(backend compute.Backend, store *model.Store, net nets.Network, classes int) jem.Model {
	return jem.Model{Backend: backend, Store: store, Scope: "net", Logits: func(x *Node) *Node {
		return net.Logits(store.RootScope().In("net"), x, classes)
	}}
}

// TestReference holds one training step of JEM against PyTorch's in float64, from the
// same weights, data, starts and noise (testdata/reference.py): the chains' ends and
// slopes, every term, the loss and its gradient with respect to every weight, to
// max|a-b| ≤ tolerance·max|b| for each. PyTorch's own float32 is 1.2e-6 away. Chains
// run in float32; in float64 the loss is that of PyTorch's samples. The pure-Go
// backend, on which convolutions are slow, has the MLP. XLA takes long to compile the
// convolutions: each objective has one type there, the one with second derivatives float64.
func TestReference(t *testing.T) {
	want := reference.Read(t, "testdata/jem.npz")
	for _, c := range []struct {
		net      string
		network  nets.Network
		classes  int
		backends []string
	}{
		{"mlp", nets.MLP{Hidden: []int{32, 32}}, 3, []string{"cpu", "go"}},
		{"conv", nets.ConvNet{Channels: []int{4, 6, 8}}, 4, []string{"cpu"}},
	} {
		parameters := reference.Names(want, c.net+":weight ")
		for name, objective := range map[string]jem.Objective{
			"plain":  {NGEBM: energy.NGEBM{Alpha: 1}, Settings: jem.Settings{Weight: 1}},
			"joint":  {NGEBM: energy.NGEBM{Alpha: 1}, Settings: jem.Settings{Weight: 1, Joint: .5, Conditional: true}},
			"square": {NGEBM: energy.NGEBM{Alpha: 1, Beta: .1, Gamma: .1}, Settings: jem.Settings{Weight: 1, EnergyL2: .05}},
		} {
			for _, backend := range c.backends {
				for dtype, tolerance := range map[dtypes.DType]float64{dtypes.Float32: 1e-5, dtypes.Float64: 1e-10} {
					if c.net == "conv" && (name == "square") != (dtype == dtypes.Float64) {
						continue
					}
					t.Run(strings.Join([]string{c.net, name, backend, dtype.String()}, "/"), func(t *testing.T) {
						if testing.Short() && c.net == "conv" {
							t.Skip("SKIPPED with -short: XLA compiles convolutions")
						}
						t.Parallel()
						of := func(what string) reference.Array {
							a, ok := want[c.net+" "+name+":"+what]
							if !ok {
								t.Fatalf("the reference has no %s", what)
							}
							return a
						}
						m := modelOf(testdevice.Open(t, backend), reference.Weights(t, want, c.net+":weight ", parameters, dtype), c.network, c.classes)
						others := want[c.net+":others"].Labels()
						samples := of("end").Tensor(dtype)
						if dtype == dtypes.Float32 {
							settings := objective.Settings.WithDefaults()
							chain, err := jem.NewChain(m, want[c.net+":noise"].Shape[0], settings.Conditional)
							if err != nil {
								t.Fatal(err)
							}
							defer chain.Close()
							end, slopes, err := chain.Run(want[c.net+":start"].Tensor(dtype), settings.Step, settings.Noise, want[c.net+":noise"].Float32(), others)
							if err != nil {
								t.Fatal(err)
							}
							reference.CheckClose(t, "end", end, of("end"), tolerance)
							reference.CheckClose(t, "slope", slopes, of("slope"), tolerance)
							samples = end
						}
						var terms []energy.Term
						exec, err := model.NewExec(m.Backend, m.Store, func(_ *model.Scope, in []*Node) []*Node {
							terms = objective.Terms(energy.Inputs{Logits: m.Logits, X: in[0], Labels: in[1], Others: in[2], OtherLabels: in[3]})
							loss := energy.Total(terms, nil)
							var weights, out []*Node
							for _, p := range parameters {
								weights = append(weights, m.Store.GetVariable("/net/"+strings.Replace(p, ".", "/", 1)).NodeValue(in[0].Graph()))
							}
							for _, term := range terms {
								out = append(out, term.Value)
							}
							return append(append(out, loss), Gradient(loss, weights...)...)
						})
						if err != nil {
							t.Fatal(err)
						}
						out, err := exec.Exec(want[c.net+":x"].Tensor(dtype), want[c.net+":y"].Labels(), samples, others)
						if err != nil {
							t.Fatal(err)
						}
						names := []string{}
						for _, term := range terms {
							names = append(names, "term "+term.Name)
						}
						names = append(names, "term total")
						for _, p := range parameters {
							names = append(names, "grad "+p)
						}
						if wanted := reference.Names(want, c.net+" "+name+":"); len(names) != len(wanted)-2 { // end and slope
							t.Errorf("%d quantities %q, the reference has %q", len(names), names, wanted)
						}
						for i, n := range names {
							reference.CheckClose(t, n, out[i], of(n), tolerance)
						}
					})
				}
			}
		}
	}
}

// values copies a tensor's.
func values(t *testing.T, x *tensors.Tensor) []float32 {
	t.Helper()
	v, err := tensors.CopyFlatData[float32](x)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(v)
}
