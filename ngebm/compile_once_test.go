package ngebm_test

import (
	"sync/atomic"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/train"
)

// counting is a network that counts how often it is built into a graph.
type counting struct {
	nets.MLP
	built atomic.Int64
}

func (c *counting) Logits(scope *model.Scope, x *Node, classes int) *Node {
	c.built.Add(1)
	return c.MLP.Logits(scope, x, classes)
}

// What a classifier is asked and how it is attacked is compiled at the first question, once
// for each of a few batch sizes, and never again, however many examples there are and
// however few the last batch has.
func TestCompiledOnce(t *testing.T) {
	net := &counting{MLP: nets.MLP{Hidden: []int{16}}}
	run, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), small(), train.Options{Runs: t.TempDir(), Network: net})
	if err != nil {
		t.Fatal(err)
	}
	part := func(n int) *data.Dataset {
		indices := make([]int, n)
		for i := range indices {
			indices[i] = i
		}
		d, err := run.Test.Subset("part", indices)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	attacker, err := attack.New(run.Classifier, attack.Options{Batch: 16})
	if err != nil {
		t.Fatal(err)
	}
	defer attacker.Close()
	ask := func(d *data.Dataset) {
		t.Helper()
		c := run.Classifier
		if _, err := c.Logits(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if _, err := c.GradientNorms(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Energies(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if _, err := c.LogitsAt(t.Context(), []float32{.5, .5}); err != nil {
			t.Fatal(err)
		}
	}
	assault := func(d *data.Dataset, epsilons ...float64) {
		t.Helper()
		for _, norm := range []attack.Norm{attack.Linf, attack.L2} {
			if _, err := attacker.Run(t.Context(), d, attack.PGD{Norm: norm, Steps: 10, Step: .1, RandomStart: true, Restarts: 2}, epsilons); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, n := range []int{1, 8, 30, 40} { // an executable for one, for 8, for 32, and for all
		ask(part(n))
	}
	assault(part(30), .1)
	before := net.built.Load()
	for _, n := range []int{1, 3, 5, 17, 31, 40, 30} {
		ask(part(n))
	}
	assault(part(30), .05, .2, .4)
	assault(part(29), .1, .3)
	if n := net.built.Load() - before; n != 0 {
		t.Errorf("%d graphs were compiled again", n)
	}
	assault(part(5), .1) // smaller batches, to see that the count works
	if net.built.Load() == before {
		t.Error("nothing is counted")
	}
}
