package nets_test

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
)

// A head moves all logits of an example by one number: p(y|x) is that of the network
// alone with the same weights, and E is another. With the head "exact" E is 0.
func TestGaugeChangesOnlyTheEnergy(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	x := [][]float32{{.3, -1.2, .7}, {2, .1, -.4}}
	evaluate := func(name string) (probabilities [][]float32, energies []float32) {
		net, err := nets.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		store := model.NewStore()
		nets.Seed(store, 1)
		exec, err := model.NewExec(backend, store, func(scope *model.Scope, x *Node) (*Node, *Node) {
			f := net.Logits(scope.In("net"), x, 4)
			return Softmax(f), energy.LogSumExp(f)
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Exec(x)
		if err != nil {
			t.Fatal(err)
		}
		return out[0].Value().([][]float32), tensors.MustCopyFlatData[float32](out[1])
	}
	want, alone := evaluate("mlp-8")
	for _, head := range nets.Heads() {
		t.Run(head[0], func(t *testing.T) {
			got, energies := evaluate("mlp-8+gauge-" + head[0])
			for i := range want {
				for k := range want[i] {
					if math.Abs(float64(got[i][k]-want[i][k])) > 1e-6 {
						t.Errorf("p(%d|x%d) is %g, without the head %g", k, i, got[i][k], want[i][k])
					}
				}
				switch zero := math.Abs(float64(energies[i])) < 1e-6; {
				case head[0] == "exact" && !zero:
					t.Errorf("E(x%d) is %g", i, energies[i])
				case head[0] != "exact" && math.Abs(float64(energies[i]-alone[i])) < 1e-3:
					t.Errorf("E(x%d) is %g with and without the head", i, energies[i])
				}
			}
		})
	}
}
