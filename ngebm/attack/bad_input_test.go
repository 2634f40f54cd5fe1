package attack_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
)

// One line, with the value and the remedy.
func TestBadInput(t *testing.T) {
	m, d := referenceMLP(t, testdevice.Open(t, "cpu")), referenceDigits(t, 10)
	broken := func(change func(f, x *Node) *Node) *stored {
		b := referenceMLP(t, m.backend)
		logits := b.logits
		b.logits = func(scope *model.Scope, x *Node) *Node { return change(logits(scope, x), x) }
		return b
	}
	labeled := *d
	labeled.Labels = slices.Clone(d.Labels)
	labeled.Labels[3] = 12
	ones := *d
	ones.Labels = make([]int32, d.Len())
	zeros := *d
	zeros.Labels = make([]int32, d.Len())
	black := *d
	black.Pixels = make([]uint8, len(d.Pixels))
	noisy, err := black.WithNoise(.03, 1)
	if err != nil {
		t.Fatal(err)
	}
	cut := *d
	cut.Pixels = d.Pixels[:100]
	pgd := attack.PGD{Norm: attack.Linf, Steps: 2, Step: .5}
	with := func(change func(p *attack.PGD)) attack.PGD { p := pgd; change(&p); return p }
	for _, c := range []struct {
		name    string
		model   attack.Model
		d       *data.Dataset
		attack  attack.Attack
		epsilon []float64
		want    []string // in the error
	}{
		{"negative ε", m, d, pgd, []float64{.1, -.1}, []string{"-0.1", "8./255"}},
		{"NaN ε", m, d, pgd, []float64{math.NaN()}, []string{"NaN"}},
		{"infinite ε", m, d, pgd, []float64{math.Inf(1)}, []string{"+Inf"}},
		{"no ε", m, d, pgd, nil, []string{"empty"}},
		{"no attack", m, d, nil, []float64{.1}, []string{"attack.FGSM"}},
		{"no steps", m, d, attack.PGD{Norm: attack.Linf, Step: .1}, []float64{.1}, []string{"0 steps", "40"}},
		{"no step size", m, d, with(func(p *attack.PGD) { p.Step = math.NaN() }), []float64{.1}, []string{"NaN", ".1 is usual"}},
		{"restarts alike", m, d, with(func(p *attack.PGD) { p.Restarts = 3 }), []float64{.1}, []string{"3", "RandomStart"}},
		{"negative restarts", m, d, with(func(p *attack.PGD) { p.Restarts = -3 }), []float64{.1}, []string{"-3"}},
		{"samples without noise", m, d, with(func(p *attack.PGD) { p.Samples = 3 }), []float64{.1}, []string{"Noise"}},
		{"APGD without steps", m, d, attack.APGD{Norm: attack.L2}, []float64{.1}, []string{"0 steps", "100"}},
		{"too many targets", m, d, attack.TargetedAPGD{Norm: attack.L2, Steps: 2, Targets: 10}, []float64{.1}, []string{"10 target", "at most 9"}},
		{"FAB without steps", m, d, attack.TargetedFAB{Norm: attack.L2}, []float64{.1}, []string{"0 steps", "100"}},
		{"FAB with too many targets", m, d, attack.TargetedFAB{Norm: attack.L2, Steps: 2, Targets: 10}, []float64{.1}, []string{"10 target", "at most 9"}},
		{"negative samples", m, d, attack.APGD{Norm: attack.L2, Steps: 2, Samples: -1}, []float64{.1}, []string{"-1 samples"}},
		{"AutoAttack without a norm", m, d, attack.Standard(""), []float64{.1}, []string{`""`, "attack.Linf"}},
		{"AutoAttack on two classes", broken(func(f, _ *Node) *Node { return Slice(f, AxisRange(), AxisRange(0, 2)) }), &ones, attack.Standard(attack.L2), []float64{.1}, []string{"4 classes", "has 2"}},
		{"no source", m, d, attack.Transfer{Attack: pgd}, []float64{.1}, []string{"set From"}},
		{"no attack on the source", m, d, attack.Transfer{From: m}, []float64{.1}, []string{"set Attack"}},
		{"negative schedule", m, d, attack.Square{Norm: attack.Linf, Queries: 3, Schedule: -2}, []float64{.1}, []string{"-2"}},
		{"no queries", m, d, attack.Square{Norm: attack.Linf}, []float64{.1}, []string{"0 queries"}},
		{"large windows", m, d, attack.Square{Norm: attack.Linf, Queries: 3, P: 2}, []float64{.1}, []string{"P above 0"}},
		{"no norm", m, d, attack.Square{Queries: 3}, []float64{.1}, []string{`""`, "attack.Linf"}},
		{"unknown norm", m, d, attack.FGSM("L1"), []float64{.1}, []string{`"L1"`, "attack.L2"}},
		{"empty sequence", m, d, attack.Ensemble{}, []float64{.1}, []string{"empty"}},
		{"mixed sequence", m, d, attack.Ensemble{pgd, attack.FGSM(attack.L2)}, []float64{.1}, []string{"mixes", "Linf", "L2"}},
		{"hole in a sequence", m, d, attack.Ensemble{pgd, nil}, []float64{.1}, []string{"attack 1"}},
		{"bad part of a sequence", m, d, attack.Ensemble{pgd, attack.APGD{Norm: attack.Linf}}, []float64{.1}, []string{"0 steps"}},
		{"no data", m, nil, pgd, []float64{.1}, []string{"empty"}},
		{"label out of range", m, &labeled, pgd, []float64{.1}, []string{"example 3", "12", "0 to 9"}},
		{"too few pixels", m, &cut, pgd, []float64{.1}, []string{"100", "640"}},
		{"another shape", m, noise(t, 3), pgd, []float64{.1}, []string{"[6 5 3]", "trained on"}},
		{"NaN logits", broken(func(f, _ *Node) *Node { return MulScalar(f, math.NaN()) }), d, pgd, []float64{.1}, []string{"example 0", "NaN", "diverged"}},
		{"NaN gradients", broken(func(f, x *Node) *Node {
			zero := Sqrt(MulScalar(AddScalar(ReduceSum(x, 1, 2, 3), 100), 0))
			return Add(f, InsertAxes(zero, -1))
		}), d, pgd, []float64{.1}, []string{"example 0", "not finite"}},
		{"NaN gradients of FAB", broken(func(f, x *Node) *Node {
			zero := Sqrt(MulScalar(AddScalar(ReduceSum(x, 1, 2, 3), 100), 0))
			return Add(f, Mul(f, InsertAxes(zero, -1)))
		}), d, attack.TargetedFAB{Norm: attack.Linf, Steps: 2}, []float64{.1}, []string{"example 0", "not finite"}},
		{"NaN gradients of APGD", broken(func(f, x *Node) *Node {
			zero := Sqrt(MulScalar(AddScalar(ReduceSum(x, 1, 2, 3), 100), 0))
			return Add(f, Mul(f, InsertAxes(zero, -1)))
		}), &zeros, attack.APGD{Norm: attack.Linf, Steps: 2}, []float64{.1}, []string{"example", "not finite"}}, // class 0 is the first of NaN
		{"noise on the images", m, noisy, pgd, []float64{.01}, []string{"example 0", "[-1,1]", "without noise"}},
		{"logits of another rank", broken(func(f, _ *Node) *Node { return ReduceSum(f, -1) }), d, pgd, []float64{.1}, []string{"[batch, classes]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := attacker(t, c.model, attack.Options{}).Run(context.Background(), c.d, c.attack, c.epsilon)
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
	if _, err := attack.New(nil, attack.Options{}); err == nil {
		t.Error("no model, no error")
	}
	if _, err := attack.New(m, attack.Options{Batch: -1}); err == nil {
		t.Error("batch -1, no error")
	}
	if err := attack.Check(attack.Standard(attack.Linf), []float64{.1}, 10); err != nil {
		t.Error(err)
	}
	if err := attack.Check(attack.Standard(attack.Linf), []float64{.1}, 2); err == nil || !strings.Contains(err.Error(), "4 classes") {
		t.Errorf("AutoAttack on two classes: %v", err)
	}
	for _, c := range []struct {
		attack attack.Attack
		want   string // in the error; empty: none
	}{
		{attack.Transfer{From: m, Name: "itself", Attack: pgd}, ""},
		{attack.Transfer{From: m, Attack: attack.PGD{Norm: attack.Linf}}, "0 steps"},
		{attack.Transfer{From: m, Attack: attack.TargetedAPGD{Norm: attack.Linf, Steps: 2, Targets: 10}}, "at most 9"},
		{attack.Transfer{From: m, Attack: attack.Ensemble{nil}}, "attack 0"},
		{attack.Ensemble{pgd, attack.Transfer{From: m, Attack: attack.APGD{Norm: attack.Linf}}}, "0 steps"},
	} {
		err := attack.Check(c.attack, []float64{.1}, 10)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: error %v, want %q", c.attack, err, c.want)
		}
	}
	if _, err := attack.WorstOf(nil, nil); err == nil || !strings.Contains(err.Error(), "curve 0") {
		t.Errorf("no curve: %v", err)
	}
}
