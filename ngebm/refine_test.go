package ngebm_test

import (
	"math"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/jem"
	"ngebm/ngebm/train"
)

// A refined classifier is the classifier without steps, gives an attack the logits
// that it gives a dataset, and is the same in every process.
func TestRefined(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: XLA compiles the refinement with many settings")
	}
	backend := testdevice.Open(t, "cpu")
	run, err := train.Run(t.Context(), backend, small(), train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := run.Classifier.Logits(t.Context(), run.Test)
	if err != nil {
		t.Fatal(err)
	}
	logits := func(c *ngebm.Classifier, r jem.Refinement) [][]float64 {
		t.Helper()
		m, err := c.Refine(r)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		f, err := m.Logits(t.Context(), run.Test)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if f := logits(run.Classifier, jem.Refinement{}); !slices.EqualFunc(f, plain, slices.Equal) {
		t.Error("no steps are not the plain pass")
	}
	r := jem.Refinement{Steps: 3, Step: .05, Noise: .02, Seed: 1}
	f := logits(run.Classifier, r)
	again, err := ngebm.Load(t.Context(), backend, run.Dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if g := logits(again.Classifier, r); !slices.EqualFunc(f, g, slices.Equal) {
		t.Error("loaded, the classifier refines otherwise")
	}

	m, err := run.Classifier.Refine(r)
	if err != nil {
		t.Fatal(err)
	}
	exec, err := m.NewExec(func(logits func(*Node) *Node, in []*Node) []*Node {
		f := logits(in[0])
		return []*Node{f, Gradient(ReduceAllSum(f), in[0])[0]}
	})
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 2)
	run.Test.Example(7, x)
	out := exec.MustExec([][]float32{x})
	for k, v := range out[0].Value().([][]float32)[0] {
		if math.Abs(float64(v)-f[7][k]) > 1e-5 {
			t.Errorf("class %d: an attack sees %v, the dataset has %v", k, v, f[7][k])
		}
	}

	attacker, err := attack.New(m, attack.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer attacker.Close()
	curve, err := attacker.Run(t.Context(), run.Test, attack.PGD{Norm: attack.L2, Steps: 5, Step: .4}, []float64{.1, 1})
	if err != nil {
		t.Fatal(err)
	}
	if p := curve.Points; p[1].Accuracy >= curve.Clean.Accuracy || p[1].Accuracy > p[0].Accuracy {
		t.Errorf("attacks through the refinement leave %v of %v", p, curve.Clean)
	}
	if _, err := run.Classifier.Refine(jem.Refinement{Steps: 1, Step: -1}); err == nil {
		t.Error("a step of -1 is taken")
	}
}
