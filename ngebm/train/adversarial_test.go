package train

import (
	"math"
	"math/rand/v2"
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

// From given starts, six steps of the search in either ball end where PyTorch's do
// (jem/testdata/reference.py; the steps are those of torchattacks' PGD and PGDL2), and
// raise the loss.
func TestBallReference(t *testing.T) {
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
					b := lpBallOf(ngebm.Adversarial{Epsilon: of("epsilon").Values[0], Step: of("step").Values[0], Norm: norm}, c.images)
					loop, err := innerloop.New(innerloop.Model{Backend: backend, Store: store, Scope: "net", Logits: logits}, 6, false, b.step(logits))
					if err != nil {
						t.Fatal(err)
					}
					defer loop.Close()
					clean, labels := want[c.set+":x"].Tensor(dtypes.Float32), want[c.set+":y"].Labels()
					end, _, err := loop.Run(of("start").Tensor(dtypes.Float32), nil, clean, tensors.FromFlatDataAndDimensions(labels, len(labels)))
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

// Starts are uniform in the ball: in L∞ each value is, and in L2 the radius to the
// power of the dimensions is; images stay images. With n = 4,000 draws the mean of a
// uniform value is ½ ± .0046, of which the test allows four.
func TestBallStart(t *testing.T) {
	const n, dims = 4000, 5
	rng := rand.New(rand.NewPCG(1, 2))
	for _, norm := range []string{"linf", "l2"} {
		b := lpBallOf(ngebm.Adversarial{Epsilon: .5, Norm: norm}, false)
		var mean, signed float64
		for range n {
			x := []float32{1, 2, 3, 4, 5}
			b.start(rng, x)
			var square, top float64
			for j := range x {
				d := float64(x[j]) - float64(j+1)
				square, top = square+d*d, max(top, math.Abs(d))
			}
			u := math.Pow(math.Sqrt(square)/.5, dims)
			if norm == "linf" {
				u = math.Abs(float64(x[2])-3) / .5
			} else {
				top = math.Sqrt(square)
			}
			if top > .5*(1+1e-6) {
				t.Fatalf("%s: a start is %v away", norm, top)
			}
			mean += u / n
			signed += (float64(x[4]) - 5) / n
		}
		if math.Abs(mean-.5) > 4*.0046 || math.Abs(signed) > 4*.5/math.Sqrt(3*n) {
			t.Errorf("%s: mean %v, want .5; mean of a coordinate %v, want 0", norm, mean, signed)
		}
	}
	b, edge := lpBallOf(ngebm.Adversarial{Epsilon: .5, Norm: "linf"}, true), make([]float32, 100)
	for j := range edge {
		edge[j] = 1
	}
	if b.radius != 1 {
		t.Errorf("half the pixel range is %v in the network's units, want 1", b.radius)
	}
	b.start(rng, edge)
	for _, v := range edge {
		if v < -1 || v > 1 {
			t.Fatalf("a start has the pixel %v, outside of [-1,1]", v)
		}
	}
}
