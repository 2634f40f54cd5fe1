package attack

import (
	"errors"
	"fmt"
	"strings"
)

// Ensemble runs attacks of one norm in turn, each on the images that the ones before
// did not break: an image is robust only if it survives them all (AutoAttack, Croce
// and Hein 2020). Cheap attacks first save time and do not change the result.
type Ensemble []Attack

// String implements [Attack].
func (e Ensemble) String() string {
	names := make([]string, len(e))
	for i, a := range e {
		names[i] = fmt.Sprint(a)
	}
	return "worst case of " + strings.Join(names, "; ")
}

func (e Ensemble) kind() Kind { return KindEnsemble }

func (e Ensemble) norm() Norm {
	if len(e) == 0 || e[0] == nil {
		return Linf // check reports what is wrong
	}
	return e[0].norm()
}

func (e Ensemble) check(classes int) error {
	if len(e) == 0 {
		return errors.New("attack: the ensemble is empty: add at least one attack")
	}
	for i, a := range e {
		if a == nil {
			return fmt.Errorf("attack: attack %d of the ensemble is nil: remove it", i)
		}
		if a.norm() != e[0].norm() {
			return fmt.Errorf("attack: the ensemble mixes norms, %s and %s: run one ensemble for each", e[0].norm(), a.norm())
		}
		if err := a.check(classes); err != nil {
			return err
		}
	}
	return nil
}

func (e Ensemble) passes() []pass {
	var passes []pass
	for _, a := range e {
		passes = append(passes, a.passes()...)
	}
	return passes
}
