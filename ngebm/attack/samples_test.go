package attack_test

import (
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
)

// With one sample APGD is what it is without. On a network whose gradient is mostly noise,
// gradients over more samples break more.
func TestAPGDSamples(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	d := referenceDigits(t, 60)
	for _, of := range []func(samples int) attack.Attack{
		func(samples int) attack.Attack { return attack.APGD{Norm: attack.Linf, Steps: 10, Samples: samples} },
		func(samples int) attack.Attack {
			return attack.TargetedAPGD{Norm: attack.Linf, Steps: 10, Targets: 1, Samples: samples}
		},
	} {
		a := attacker(t, referenceMLP(t, backend), attack.Options{Seed: 1})
		none, one, same := run(t, a, d, of(0), .08), run(t, a, d, of(1), .08), run(t, a, d, of(4), .08)
		if none.Points[0] != one.Points[0] || none.Attack != one.Attack || !slices.Equal(none.Broken, one.Broken) {
			t.Errorf("%s: one sample leaves %d, without %d", one.Attack, one.Points[0].Surviving, none.Points[0].Surviving)
		}
		if difference := same.Points[0].Surviving - one.Points[0].Surviving; difference < -1 || difference > 1 {
			t.Errorf("%s leaves %d of a network that is not random, want %d", same.Attack, same.Points[0].Surviving, one.Points[0].Surviving)
		}
	}
	random := referenceMLP(t, backend)
	if err := random.store.SetRNGStateFromSeed(1); err != nil { // else each process draws its own
		t.Fatal(err)
	}
	inner := random.logits
	random.logits = func(scope *model.Scope, x *Node) *Node {
		f := inner(scope, x)
		noise := ReduceSum(Mul(random.store.RandomNormal(x.Graph(), x.Shape()), x), 1, 2, 3)
		noise = MulScalar(Sub(noise, StopGradient(noise)), 100) // 0, and its gradient is not
		return Add(f, Mul(InsertAxes(noise, -1), Const(x.Graph(), [][]float32{{1, -1, 1, -1, 1, -1, 1, -1, 1, -1}})))
	}
	a := attacker(t, random, attack.Options{Seed: 1})
	defer a.Close()
	apgd := attack.APGD{Norm: attack.Linf, Steps: 10}
	single := run(t, a, d, apgd, .1).Points[0].Surviving
	apgd.Samples = 30
	many := run(t, a, d, apgd, .1).Points[0].Surviving
	t.Logf("%d of %d survive gradients of one sample, %d those over 30", single, d.Len(), many)
	if many+3 > single {
		t.Errorf("gradients over 30 samples leave %d, of one %d", many, single)
	}
}

// Examples that a network's own attack finds break it; a network that hides its gradients
// falls to those of another; and what is no transfer is refused.
func TestTransfer(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	d := referenceDigits(t, 60)
	mlp := referenceMLP(t, backend)
	pgd := attack.PGD{Norm: attack.Linf, Steps: 20, Step: .1}
	own := run(t, attacker(t, mlp, attack.Options{Seed: 1}), d, pgd, .08, .12)
	same := run(t, attacker(t, mlp, attack.Options{Seed: 1}), d, attack.Transfer{From: mlp, Name: "itself", Attack: pgd}, .08, .12)
	if !slices.Equal(own.Points, same.Points) {
		t.Errorf("the attack leaves %v, its transfer to the same network %v", own.Points, same.Points)
	}
	hidden := referenceMLP(t, backend)
	inner := hidden.logits
	hidden.logits = func(scope *model.Scope, x *Node) *Node { return StopGradient(inner(scope, x)) }
	a := attacker(t, hidden, attack.Options{Seed: 1})
	white, moved := run(t, a, d, pgd, .12).Points[0], run(t, a, d, attack.Transfer{From: mlp, Name: "MLP", Attack: pgd}, .12).Points[0]
	if white.Surviving <= moved.Surviving || moved.Surviving != own.Points[1].Surviving {
		t.Errorf("PGD leaves %d of a network without gradients, a transfer %d, want %d", white.Surviving, moved.Surviving, own.Points[1].Surviving)
	}
	conv := run(t, attacker(t, referenceConv(t, backend), attack.Options{Seed: 1}), d, attack.Transfer{From: mlp, Name: "MLP", Attack: pgd}, .12).Points[0]
	t.Logf("of %d digits %d survive on the MLP, its examples leave %d on the convolutional network", d.Len(), own.Points[1].Surviving, conv.Surviving)
	if conv.Surviving <= own.Points[1].Surviving || conv.Surviving >= d.Len() {
		t.Errorf("examples of another network leave %d of %d", conv.Surviving, d.Len())
	}
}
