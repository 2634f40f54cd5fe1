package attack_test

import (
	"encoding/json"
	"testing"

	"ngebm/ngebm/attack"
)

// Curves stored before the kind was a field have it when they are read.
func TestStoredCurvesHaveTheirKind(t *testing.T) {
	for description, want := range map[string]attack.Kind{
		"PGD Linf, 40 steps of 0.1ε, random start": attack.KindPGD,
		"FGSM Linf":                                    attack.KindPGD,
		"FGM L2":                                       attack.KindPGD,
		"APGD-CE L2, 40 steps":                         attack.KindAPGD,
		"APGD-DLR targeted Linf, 20 steps":             attack.KindTargeted,
		"Square Linf, 5000 queries, p 0.8":             attack.KindSquare,
		"worst case of PGD Linf, 40 steps; Square":     attack.KindEnsemble,
		"worst of PGD Linf, 40 steps; APGD-CE, 40":     attack.KindEnsemble,
		"FAB-T Linf, 100 steps":                        attack.KindFAB,
		"an attack of a version that is not known yet": "",
	} {
		text, err := json.Marshal(map[string]string{"attack": description})
		if err != nil {
			t.Fatal(err)
		}
		var c attack.Curve
		if err := json.Unmarshal(text, &c); err != nil || c.Kind != want || c.Attack != description {
			t.Errorf("%s: kind %q, want %q (%v)", description, c.Kind, want, err)
		}
	}
}
