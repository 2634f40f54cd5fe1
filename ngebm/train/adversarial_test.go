package train

import (
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/innerloop"
	"ngebm/ngebm/internal/reference"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// From given starts, six steps of the search in either norm end where PyTorch's do
// (jem/testdata/reference.py; the steps are those of torchattacks' PGD and PGDL2), and
// raise the loss.
func TestAdversarialReference(t *testing.T) {
	want := reference.Read(t, "testdata/pgd.npz")
	for _, c := range []struct {
		set      string
		net      nets.Network
		classes  int
		images   bool
		backends []string
	}{
		{"points", nets.MLP{Hidden: []int{16, 16}}, 3, false, []string{"cpu", "go"}},
		{"images", nets.ConvNet{Channels: []int{4, 6}}, 4, true, []string{"cpu"}},
	} {
		for _, kind := range c.backends {
			backend := testdevice.Open(t, kind)
			// A store for each: weights live on one device.
			store := reference.Weights(t, want, c.set+":weight ", reference.Names(want, c.set+":weight "), dtypes.Float32)
			logits := func(x *Node) *Node { return c.net.Logits(store.RootScope().In("net"), x, c.classes) }
			for _, norm := range []string{"linf", "l2"} {
				t.Run(c.set+"/"+kind+"/"+norm, func(t *testing.T) {
					of := func(what string) reference.Array { return want[c.set+" "+norm+":"+what] }
					a := ngebm.Adversarial{Epsilon: of("epsilon").Values[0], Steps: 6, Step: of("step").Values[0], Norm: norm}
					search, err := newAdversary(innerloop.Model{Backend: backend, Store: store, Scope: "net", Logits: logits}, a, c.images, 0)
					if err != nil {
						t.Fatal(err)
					}
					defer search.close()
					clean, labels := want[c.set+":x"].Tensor(dtypes.Float32), want[c.set+":y"].Labels()
					end, _, err := search.loop.Run(of("start").Tensor(dtypes.Float32), nil, clean, tensors.FromFlatDataAndDimensions(labels, len(labels)))
					if err != nil {
						t.Fatal(err)
					}
					reference.CheckClose(t, "end", end, of("end"), 1e-5)
					exec, err := model.NewExec(backend, store, func(_ *model.Scope, x, y *Node) *Node { return energy.CrossEntropy(logits(x), y, 0) })
					if err != nil {
						t.Fatal(err)
					}
					for what, x := range map[string]*tensors.Tensor{"loss": end, "clean loss": clean} {
						out, err := exec.Exec(x, labels)
						if err != nil {
							t.Fatal(err)
						}
						reference.CheckClose(t, what, out[0], of(what), 1e-5)
					}
					if !(of("loss").Values[0] > 1.1*of("clean loss").Values[0]) {
						t.Error("the search did not raise the loss")
					}
				})
			}
		}
	}
}
