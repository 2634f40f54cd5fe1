package attack

import (
	"encoding/json"
	"strings"
)

// Kind is the algorithm of an attack, without its parameters.
type Kind string

// The kinds of attacks.
const (
	KindPGD      Kind = "PGD"        // [PGD] and [FGSM]
	KindAPGD     Kind = "APGD"       // [APGD] on cross-entropy
	KindTargeted Kind = "APGD-T"     // [TargetedAPGD]
	KindFAB      Kind = "FAB-T"      // [TargetedFAB]
	KindSquare   Kind = "Square"     // [Square]
	KindTransfer Kind = "transfer"   // [Transfer]
	KindEnsemble Kind = "ensemble"   // [Ensemble], and curves of [WorstOf]
	KindStandard Kind = "AutoAttack" // [Standard]
)

// IsEnsemble reports whether an image counts as robust only if it survives several attacks.
func (k Kind) IsEnsemble() bool { return k == KindEnsemble || k == KindStandard }

// UnmarshalJSON reads a curve. Files written before curves had a Kind get it from the
// attack's description.
func (c *Curve) UnmarshalJSON(b []byte) error {
	type plain Curve // without this method
	if err := json.Unmarshal(b, (*plain)(c)); err != nil {
		return err
	}
	if c.Kind == "" {
		c.Kind = kindOf(c.Attack)
	}
	return nil
}

// kindOf returns the kind of an attack by how descriptions began before [Kind] existed,
// "" for a description of something else.
func kindOf(description string) Kind {
	for _, known := range []struct {
		begin string
		kind  Kind
	}{
		{"worst ", KindEnsemble}, {"FG", KindPGD}, {"PGD ", KindPGD}, {"APGD-CE ", KindAPGD},
		{"APGD-DLR ", KindTargeted}, {"Square ", KindSquare}, {"FAB-T ", KindFAB},
	} {
		if strings.HasPrefix(description, known.begin) {
			return known.kind
		}
	}
	return ""
}
