package energy_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/sbinet/npyio/npz"

	"ngebm/data/progress"
	"ngebm/ngebm/device"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/reference"
	"ngebm/ngebm/nets"
)

func open(t testing.TB, spec string) compute.Backend {
	t.Helper()
	d, err := device.Open(spec, progress.Discard{})
	if err != nil {
		t.Fatal(err)
	}
	return d.Backend
}

// array is one array of a reference file.
type array struct {
	values []float64
	shape  []int
}

func readReference(t *testing.T, dir string) (map[string]array, map[string]float64) {
	t.Helper()
	f, err := npz.Open(filepath.Join(dir, "data.npz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	arrays := map[string]array{}
	for _, key := range f.Keys() {
		h := f.Header(key)
		a := array{shape: h.Descr.Shape}
		if strings.Contains(h.Descr.Type, "i8") {
			var labels []int64
			err = f.Read(key, &labels)
			for _, v := range labels {
				a.values = append(a.values, float64(v))
			}
		} else {
			err = f.Read(key, &a.values)
		}
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		name := strings.TrimSuffix(strings.Replace(key, "__", "/", 1), ".npy")
		if strings.HasSuffix(name, ".weight") { // [out, in] to [in, out]
			a = transpose(a)
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

func transpose(a array) array {
	rows, cols := a.shape[0], a.shape[1]
	out := array{make([]float64, len(a.values)), []int{cols, rows}}
	for i := range rows {
		for j := range cols {
			out.values[j*rows+i] = a.values[i*cols+j]
		}
	}
	return out
}

func (a array) tensor(dtype dtypes.DType) *tensors.Tensor {
	if dtype == dtypes.Float64 {
		return tensors.FromFlatDataAndDimensions(a.values, a.shape...)
	}
	single := make([]float32, len(a.values))
	for i, v := range a.values {
		single[i] = float32(v)
	}
	return tensors.FromFlatDataAndDimensions(single, a.shape...)
}

// TestReference holds every loss term, ∂E/∂x and the gradient of every term with
// respect to every parameter and the input against PyTorch's (testdata/README.md):
// max|a-b| ≤ tolerance·max|b| a tensor.
func TestReference(t *testing.T) {
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
					store := model.NewStore()
					for _, p := range parameters {
						if _, err := store.CreateVariable("/net/"+strings.Replace(p, ".", "/", 1), want["param/"+p].tensor(dtype)); err != nil {
							t.Fatal(err)
						}
					}
					var names []string
					exec, err := model.NewExec(open(t, backend), store, func(_ *model.Scope, x, labels *Node) []*Node {
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
					labels := make([]int32, len(want["in/y"].values))
					for i, v := range want["in/y"].values {
						labels[i] = int32(v)
					}
					out, err := exec.Exec(want["in/x"].tensor(dtype), labels)
					if err != nil {
						t.Fatal(err)
					}
					for key, v := range wantTerms {
						want["term/"+key] = array{values: []float64{v}}
					}
					if len(names) != 3+4*8 {
						t.Fatalf("%d quantities, want %d", len(names), 3+4*8)
					}
					for i, name := range names {
						ref, ok := want[name]
						if !ok {
							t.Errorf("%s is not in the reference", name)
							continue
						}
						worst, scale := 0., 0.
						for k, v := range reference.Values(t, out[i]) {
							worst, scale = max(worst, math.Abs(v-ref.values[k])), max(scale, math.Abs(ref.values[k]))
						}
						if !(worst <= tolerance*scale) {
							t.Errorf("%s: max|a-b| is %.3g, more than %.0e of max|b| = %.3g", name, worst, tolerance, scale)
						}
					}
				})
			}
		}
	}
}
