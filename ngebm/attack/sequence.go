package attack

import (
	"errors"
	"fmt"
	"strings"
)

// Sequence runs attacks of one norm in turn, each on the images that those
// before did not break: an image survives only if it survives them all. Cheap
// attacks first save time and change nothing else.
type Sequence []Attack

// String implements [Attack].
func (q Sequence) String() string {
	names := make([]string, len(q))
	for i, a := range q {
		names[i] = fmt.Sprint(a)
	}
	return "worst case of " + strings.Join(names, "; ")
}

func (q Sequence) norm() Norm {
	if len(q) == 0 || q[0] == nil {
		return Linf // check says what is wrong
	}
	return q[0].norm()
}

func (q Sequence) check(classes int) error {
	if len(q) == 0 {
		return errors.New("attack: the sequence of attacks is empty: put at least one into it")
	}
	for i, a := range q {
		if a == nil {
			return fmt.Errorf("attack: attack %d of the sequence is nil: leave it out", i)
		}
		if a.norm() != q[0].norm() {
			return fmt.Errorf("attack: the sequence mixes norms, %s and %s: run one sequence for each", q[0].norm(), a.norm())
		}
		if err := a.check(classes); err != nil {
			return err
		}
	}
	return nil
}

func (q Sequence) passes() []pass {
	var passes []pass
	for _, a := range q {
		passes = append(passes, a.passes()...)
	}
	return passes
}
