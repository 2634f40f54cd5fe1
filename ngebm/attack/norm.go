package attack

import (
	"fmt"

	"ngebm/data"
	"ngebm/ngebm/internal/lp"
)

// Norm says how large a perturbation is: [Linf] or [L2]. In JSON it is a string, "Linf" or
// "L2".
type Norm = lp.Norm

// The norms over all values of an example.
const (
	Linf = lp.Linf // the largest change of a value
	L2   = lp.L2   // the Euclidean length of the change
)

func checkNorm(n Norm) error {
	if !n.Valid() {
		return fmt.Errorf("attack: norm %q is not known: use attack.Linf or attack.L2", string(n))
	}
	return nil
}

// newThreatModel converts ε to the units that the network sees.
func newThreatModel(d *data.Dataset, norm Norm, epsilon float64) lp.ThreatModel {
	return lp.New(norm, epsilon, d.IsImages())
}
