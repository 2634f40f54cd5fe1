package energy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/reference"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// readReference returns the arrays of a folder, linear weights as [in, out], and the terms.
func readReference(t *testing.T, dir string) (map[string]reference.Array, map[string]float64) {
	t.Helper()
	arrays := map[string]reference.Array{}
	for name, a := range reference.Read(t, filepath.Join(dir, "data.npz")) {
		name = strings.Replace(name, "__", "/", 1)
		if strings.HasSuffix(name, ".weight") {
			a = a.Transposed()
		}
		arrays[name] = a
	}
	var manifest struct{ Terms map[string]float64 }
	raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(raw, &manifest)
	}
	if err != nil {
		t.Fatal(err)
	}
	return arrays, manifest.Terms
}

// Every loss term, ∂E/∂x and the gradient of every term with respect to every parameter
// and the input equal PyTorch's (testdata/README.md).
func TestGradientsEqualPyTorch(t *testing.T) {
	parameters := []string{"fc0.weight", "fc0.bias", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}
	for _, c := range []struct {
		dir string
		net nets.Network
	}{
		{"mlp_silu", nets.MLP{Hidden: []int{128, 128}}},
		{"mlp_lrelu", nets.MLP{Hidden: []int{128, 128}, LeakyReLU: true}},
	} {
		want, wantTerms := readReference(t, filepath.Join("testdata", c.dir))
		for _, backend := range []string{"cpu", "go"} {
			for dtype, tolerance := range map[dtypes.DType]float64{dtypes.Float32: 1e-5, dtypes.Float64: 1e-10} {
				t.Run(c.dir+"/"+backend+"/"+dtype.String(), func(t *testing.T) {
					if testing.Short() && backend == "cpu" && (dtype != dtypes.Float32 || c.dir != "mlp_silu") {
						t.Skip("SKIPPED with -short: XLA compiles all gradients")
					}
					store := reference.Weights(t, want, "param/", parameters, dtype)
					var names []string
					exec, err := model.NewExec(testdevice.Open(t, backend), store, func(_ *model.Scope, x, labels *Node) []*Node {
						names = nil
						var out []*Node
						emit := func(name string, n *Node) { names, out = append(names, name), append(out, n) }
						f := func(x *Node) *Node { return c.net.Logits(store.RootScope().In("net"), x, 2) }
						logits := f(x)
						e := energy.LogSumExp(logits)
						emit("out/logits", logits)
						emit("out/energy", e)
						emit("out/dEdx", energy.InputGradient(e, x))
						terms := energy.NGEBM{Alpha: 1, Beta: 1, Gamma: 1}.Terms(energy.Inputs{Logits: f, X: x, Labels: labels})
						terms = append(terms, energy.Term{Name: "total", Weight: 1, Value: energy.Total(terms, nil)})
						wrt := []*Node{x}
						for _, p := range parameters {
							wrt = append(wrt, store.GetVariable("/net/"+strings.Replace(p, ".", "/", 1)).NodeValue(x.Graph()))
						}
						for i, key := range []string{"ce", "var", "grad", "total"} {
							emit("term/"+key, terms[i].Value)
							for j, g := range Gradient(terms[i].Value, wrt...) {
								emit("grad_"+key+"/"+append([]string{"x"}, parameters...)[j], g)
							}
						}
						return out
					})
					if err != nil {
						t.Fatal(err)
					}
					out, err := exec.Exec(want["in/x"].Tensor(dtype), want["in/y"].Labels())
					if err != nil {
						t.Fatal(err)
					}
					for key, v := range wantTerms {
						want["term/"+key] = reference.Array{Values: []float64{v}}
					}
					if len(names) != 3+4*8 {
						t.Fatalf("%d quantities, want %d", len(names), 3+4*8)
					}
					for i, name := range names {
						if ref, ok := want[name]; ok {
							reference.CheckClose(t, name, out[i], ref, tolerance)
						} else {
							t.Errorf("%s is not in the reference", name)
						}
					}
				})
			}
		}
	}
}
