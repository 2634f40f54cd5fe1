package attack_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// stored is a model with its weights in a store, as ngebm.Classifier is one.
type stored struct {
	backend compute.Backend
	store   *model.Store
	logits  func(scope *model.Scope, x *Node) *Node
	builds  atomic.Int64 // graphs that were built
}

func (m *stored) NewExec(build func(logits func(x *Node) *Node, inputs []*Node) []*Node) (*model.Exec, error) {
	return model.NewExec(m.backend, m.store, func(_ *model.Scope, inputs []*Node) []*Node {
		m.builds.Add(1)
		return build(func(x *Node) *Node { return m.logits(m.store.RootScope().In("net"), x) }, inputs)
	})
}

func records(t testing.TB, name string) [][]string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// storedWeight is a weight of testdata, as PyTorch shapes it.
type storedWeight struct {
	Shape []int
	Data  []float32
}

func referenceWeights(t testing.TB, name string) (weights map[string]storedWeight) {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &weights); err != nil {
		t.Fatal(err)
	}
	return weights
}

// referenceMLP is the network of testdata. It was trained on pixels in [0,1].
func referenceMLP(t testing.TB, backend compute.Backend) *stored {
	t.Helper()
	weights := referenceWeights(t, "mlp_weights.json")
	store := model.NewStore()
	for _, layer := range []string{"fc0", "fc1", "fc2"} {
		w, b := weights[layer+".weight"], weights[layer+".bias"]
		out, in := w.Shape[0], w.Shape[1]
		transposed := make([]float32, len(w.Data))
		for i := range in {
			for o := range out {
				transposed[i*out+o] = w.Data[o*in+i]
			}
		}
		scope := store.RootScope().In("net").In("%s", layer)
		scope.VariableWithValue("weight", tensors.FromFlatDataAndDimensions(transposed, in, out))
		scope.VariableWithValue("bias", tensors.FromFlatDataAndDimensions(b.Data, out))
	}
	net := nets.MLP{Hidden: []int{128, 64}}
	return &stored{backend: backend, store: store, logits: func(scope *model.Scope, x *Node) *Node {
		return net.Logits(scope, MulScalar(AddScalar(x, 1), .5), 10)
	}}
}

// referenceDigits are the first n images of testdata.
func referenceDigits(t testing.TB, n int) *data.Dataset {
	t.Helper()
	d := data.Dataset{
		Info:  data.Info{Name: "UCI digits", Split: "test", Classes: []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}},
		Shape: []int{8, 8, 1}, MaxPixel: 16,
	}
	labels := records(t, "test_labels.csv")
	for i, row := range records(t, "test_images.csv")[:n] {
		for _, v := range row {
			d.Pixels = append(d.Pixels, uint8(math.Round(16*number(t, v))))
		}
		d.Labels = append(d.Labels, int32(number(t, labels[i][0])))
	}
	set, err := data.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// The network is the one of testdata: its logits are, within float32's rounding.
func TestReferenceNetwork(t *testing.T) {
	m, d := referenceMLP(t, testdevice.Open(t, "cpu")), referenceDigits(t, 597)
	exec, err := m.NewExec(func(logits func(x *Node) *Node, in []*Node) []*Node { return []*Node{logits(in[0])} })
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, len(d.Pixels))
	for i := range d.Len() {
		d.Example(i, x[i*64:(i+1)*64])
	}
	out, err := exec.Exec1(tensors.FromFlatDataAndDimensions(x, 597, 8, 8, 1))
	if err != nil {
		t.Fatal(err)
	}
	got := tensors.MustCopyFlatData[float32](out)
	for i, row := range records(t, "mlp_test_logits.csv") {
		for k, want := range row {
			if math.Abs(float64(got[i*10+k])-number(t, want)) > 2e-5 {
				t.Fatalf("logit %d of image %d is %v, want %s", k, i, got[i*10+k], want)
			}
		}
	}
}

// mendedSquare is what Square of fra31/auto-attack (commit a392200, PyTorch 2.15.0; 2,000
// queries, its schedule rescaled to them, first 100 digits) leaves at each ε if its windows
// reach the last row and column (random_int(0, h−s+1), see Square's doc), with seeds 1 and 2
// alike. As it is, it leaves 91, 68 to 71, 53 and 14 to 17.
var mendedSquare = map[string]int{"0.04": 90, "0.08": 58, "0.1": 36, "0.15": 5}

// The rows of testdata/results.csv, by attack; TestAutoAttack has AutoAttack's. Without a
// random start the number of surviving images is the packages' within 2; with one it is so
// within three standard errors, and for APGD and the targeted DLR loss no more than that
// above. Square is within 4 of mendedSquare.
func TestReference(t *testing.T) {
	const third = 1. / 30 // foolbox's default, .01/.3
	a, err := attack.New(referenceMLP(t, testdevice.Open(t, "cpu")), attack.Options{Seed: 1, Batch: 200})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, c := range []struct {
		name string // in results.csv

		attack        attack.Attack
		random, upper bool // has random choices; is bounded from above only
	}{
		{name: "FGSM", attack: attack.FGSM(attack.Linf)},
		{name: "FGM (L2)", attack: attack.FGSM(attack.L2)},
		{name: "LinfPGD steps=40 no random start", attack: attack.PGD{Norm: attack.Linf, Steps: 40, Step: third}},
		{name: "LinfPGD steps=40 random start", attack: attack.PGD{Norm: attack.Linf, Steps: 40, Step: third, RandomStart: true}, random: true},
		{name: "L2PGD steps=50 no random start", attack: attack.PGD{Norm: attack.L2, Steps: 50, Step: .025}},
		{name: "L2PGD steps=50 random start", attack: attack.PGD{Norm: attack.L2, Steps: 50, Step: .025, RandomStart: true}, random: true},
		{name: "PGD", attack: attack.PGD{Norm: attack.Linf, Steps: 40, Step: .1, RandomStart: true}, random: true},
		{name: "PGDL2", attack: attack.PGD{Norm: attack.L2, Steps: 40, Step: .1, RandomStart: true}, random: true},
		{name: "APGD-CE", attack: attack.APGD{Norm: attack.Linf, Steps: 100}, random: true, upper: true},
		{name: "APGD-CE L2", attack: attack.APGD{Norm: attack.L2, Steps: 100}, random: true, upper: true},
		{name: "APGDT", attack: attack.TargetedAPGD{Norm: attack.Linf, Steps: 100, Targets: 9}, random: true, upper: true},
		{name: "Square", attack: attack.Square{Norm: attack.Linf, Queries: 2000}, random: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && c.name != "FGSM" && c.name != "PGD" && c.name != "PGDL2" {
				t.Skip("SKIPPED with -short: many steps at many ε")
			}
			want, n := map[float64]int{}, 0
			var epsilons []float64
			for _, row := range records(t, "results.csv") {
				if row[2] == c.name {
					epsilons = append(epsilons, number(t, row[4]))
					n = int(number(t, row[5]))
					want[epsilons[len(epsilons)-1]] = int(number(t, row[6]))
					if c.name == "Square" {
						n, want[epsilons[len(epsilons)-1]] = 100, mendedSquare[row[4]]
					}
				}
			}
			d := referenceDigits(t, n)
			curve, err := a.Run(context.Background(), d, c.attack, epsilons)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range curve.Points {
				// Each ε alone, as the packages measured it, so that no image
				// counts as broken for what a smaller ε did.
				alone := p.Surviving
				if !c.random {
					single, err := a.Run(context.Background(), d, c.attack, []float64{p.Epsilon})
					if err != nil {
						t.Fatal(err)
					}
					alone = single.Points[0].Surviving
				}
				tolerance := 2.
				if c.random {
					q := float64(want[p.Epsilon]) / float64(n)
					tolerance = max(tolerance, 3*math.Sqrt(q*(1-q)*float64(n)))
				}
				if c.name == "Square" { // both seeds of the package agree
					tolerance = 4
				}
				difference := float64(alone - want[p.Epsilon])
				t.Logf("ε %-5v %3d of %d survive, %3d in the table (curve: %d)", p.Epsilon, alone, n, want[p.Epsilon], p.Surviving)
				if difference > tolerance || (!c.upper && difference < -tolerance) {
					t.Errorf("ε %v: %d of %d images survive, want %d within %.1f", p.Epsilon, alone, n, want[p.Epsilon], tolerance)
				}
				if p.Surviving > alone {
					t.Errorf("ε %v: the curve says %d", p.Epsilon, p.Surviving)
				}
			}
			if !slices.IsSortedFunc(curve.Points, func(a, b attack.Point) int { return b.Surviving - a.Surviving }) {
				t.Errorf("robust accuracy rises with ε: %v", curve.Points)
			}
		})
	}
}
