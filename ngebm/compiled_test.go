package ngebm_test

import (
	"sync/atomic"
	"testing"

	"github.com/gomlx/compute"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/attack"
)

// counting is a backend that counts the graphs that are compiled on it.
type counting struct {
	compute.Backend
	graphs atomic.Int64
}

func (c *counting) Builder(name string) compute.Builder {
	c.graphs.Add(1)
	return c.Backend.Builder(name)
}

// What a classifier is asked and how it is attacked is compiled at the first question,
// and never again, however many examples there are and however few the last batch has.
func TestCompiledOnce(t *testing.T) {
	backend := &counting{Backend: open(t, "cpu")}
	run, err := ngebm.Train(t.Context(), backend, small(), ngebm.Options{Runs: t.TempDir()})
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
		if _, err := c.Logits(d); err != nil {
			t.Fatal(err)
		}
		if _, err := c.GradientNorms(d); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Energies(d); err != nil {
			t.Fatal(err)
		}
		if _, err := c.LogitsAt([]float32{.5, .5}); err != nil {
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
	ask(part(30))
	assault(part(30), .1)
	if n := backend.graphs.Load(); n == 0 {
		t.Fatal("the backend counts nothing")
	}
	before := backend.graphs.Load()
	for _, n := range []int{1, 17, 40, 30} {
		ask(part(n))
	}
	assault(part(30), .05, .2, .4)
	assault(part(29), .1, .3)
	if n := backend.graphs.Load() - before; n != 0 {
		t.Errorf("%d graphs were compiled again", n)
	}
}
