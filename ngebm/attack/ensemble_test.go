package attack_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
)

// The worst case of curves and the sequence of their attacks.
func TestWorstOfEqualsEnsemble(t *testing.T) {
	m, d := referenceMLP(t, testdevice.Open(t, "cpu")), referenceDigits(t, 100)
	a := attacker(t, m, attack.Options{Seed: 5})
	attacks := attack.Ensemble{attack.PGD{Norm: attack.Linf, Steps: 5, Step: .3}, attack.Square{Norm: attack.Linf, Queries: 200}}
	var curves []*attack.Curve
	for _, what := range attacks {
		curves = append(curves, run(t, a, d, what, .04, .08, .1))
	}
	worst, err := attack.WorstOf(curves...)
	if err != nil {
		t.Fatal(err)
	}
	sequence := run(t, a, d, attacks, .04, .08, .1)
	if !slices.Equal(worst.Broken, sequence.Broken) {
		t.Errorf("worst case %v, sequence %v", worst.Points, sequence.Points)
	}
	for j, p := range worst.Points {
		if p.Surviving > min(curves[0].Points[j].Surviving, curves[1].Points[j].Surviving) {
			t.Errorf("ε %v: the worst case has %d survivors", p.Epsilon, p.Surviving)
		}
	}
	for i, at := range worst.Broken {
		if _, ok := worst.Adversarial(i); ok != (at >= 0 && at < 3) {
			t.Errorf("image %d, broken at %d: adversarial example %v", i, at, ok)
		}
	}
	if _, err := attack.WorstOf(curves[0], run(t, a, d, attacks[1], .04)); err == nil {
		t.Error("curves of different ε were combined")
	}
	again := attacker(t, m, attack.Options{Seed: 6})
	if _, err := attack.WorstOf(curves[0], run(t, again, d, attacks[1], .04, .08, .1)); err == nil || !strings.Contains(err.Error(), "one seed") {
		t.Errorf("curves of two seeds: %v", err)
	}
	if _, err := attack.WorstOf(); err == nil {
		t.Error("no curves were combined")
	}
	text, err := json.Marshal(worst)
	if err != nil {
		t.Fatal(err)
	}
	var read attack.Curve
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(read.Points, worst.Points) || read.N != 100 || read.Seed != 5 {
		t.Errorf("read %+v from %s", read, text)
	}
}
