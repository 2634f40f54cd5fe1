package attack_test

import (
	"context"
	"testing"

	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
)

// One Attacker attacks sets of many sizes, each of which is a graph of another shape.
func TestManySizes(t *testing.T) {
	m, d := referenceMLP(t, testdevice.Open(t, "cpu")), referenceDigits(t, 40)
	a := attacker(t, m, attack.Options{})
	for n := 1; n <= 40; n++ {
		set, err := d.Sample(n, 1)
		if n == d.Len() {
			set, err = d, nil
		}
		if err != nil {
			t.Fatal(err)
		}
		if curve, err := a.Run(context.Background(), set, attack.FGSM(attack.Linf), []float64{0}); err != nil || curve.N != n {
			t.Fatalf("%d examples: %v", n, err)
		}
	}
}
