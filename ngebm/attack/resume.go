package attack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ngebm/data"
)

// State is how far an attack has come, from which [Attacker.Resume] resumes it. It turns into
// JSON, and does not hold adversarial examples.
type State struct {
	Epsilons int       `json:"epsilons"`        // how many are done
	Passes   int       `json:"passes"`          // of the current ε that are done: restarts, targets, attacks of an ensemble
	Tried    []int     `json:"tried,omitempty"` // images on which the current pass is done
	Found    int       `json:"found,omitempty"` // images that the current pass broke
	Broken   []int     `json:"broken"`          // as Curve.Broken, of all images
	Warnings []Warning `json:"warnings,omitempty"`
	// ZeroGradients counts, for the current ε, the starts at which a gradient is zero.
	ZeroGradients int `json:"zero_gradients,omitempty"`
}

// ErrState is in the error of [Attacker.Resume] for a State that cannot be of the attack.
var ErrState = errors.New("the state to resume from is not of this attack, model and set")

// keepEvery is the time between two states that are kept. To keep one takes milliseconds.
const keepEvery = 20 * time.Second

// Resume is [Attacker.Run] for attacks that take long: it calls keep with the State every 20
// seconds, when it is interrupted, and at the end if it took a second, unless keep is nil, and it begins
// where from was, which is nil at first. Interruptions change what is found by no more than
// rounding does, as [Options.Batch], and [Curve.Adversarial] gives no examples of before them. from
// must be of the same model, dataset, attack, list of ε and seed; a State that cannot be gives
// [ErrState]. An interruption loses the batch that was being attacked.
func (a *Attacker) Resume(ctx context.Context, d *data.Dataset, attack Attack, epsilons []float64, from *State, keep func(*State)) (*Curve, error) {
	epsilons, err := checkPlan(attack, epsilons)
	if err != nil {
		return nil, err
	}
	s, err := a.newSearch(ctx, d, attack.String())
	if err != nil {
		return nil, err
	}
	s.keep = keep
	return s.run(attack, epsilons, from)
}

// begin enters the State at the start of a run.
func (s *search) begin(attack Attack, epsilons int, from *State) error {
	s.kept = time.Now()
	s.Broken = make([]int, s.d.Len())
	for i := range s.Broken {
		s.Broken[i] = epsilons
		if s.broken[i] {
			s.Broken[i] = -1
		}
	}
	if from == nil {
		return nil
	}
	if err := from.check(s.Broken, epsilons, len(attack.passes())); err != nil {
		return fmt.Errorf("attack: %w: it %w", ErrState, err)
	}
	s.State = *from
	s.Broken, s.Tried, s.Warnings = slices.Clone(from.Broken), slices.Clone(from.Tried), slices.Clone(from.Warnings)
	for i, j := range s.Broken {
		s.broken[i] = j < epsilons
	}
	return nil
}

// check returns what is wrong with a State; before is Broken before anything is attacked.
func (st *State) check(before []int, epsilons, passes int) error {
	if len(st.Broken) != len(before) {
		return fmt.Errorf("is of %d examples, not %d", len(st.Broken), len(before))
	}
	if st.Epsilons < 0 || st.Epsilons > epsilons || st.Passes < 0 || st.Passes >= passes || st.Epsilons == epsilons && st.Passes > 0 {
		return fmt.Errorf("has done %d of %d ε and %d of %d passes", st.Epsilons, epsilons, st.Passes, passes)
	}
	for i, j := range st.Broken {
		switch {
		case (j == -1) != (before[i] == -1):
			return fmt.Errorf("has example %d broken at ε number %d, which without a perturbation is otherwise", i, j)
		case j < -1 || j > st.Epsilons && j != epsilons:
			return fmt.Errorf("has example %d broken at ε number %d, when %d are done", i, j, st.Epsilons)
		}
	}
	for _, i := range st.Tried {
		if i < 0 || i >= len(before) {
			return fmt.Errorf("has tried example %d of %d", i, len(before))
		}
	}
	if st.Found < 0 || st.Found > len(before) || st.ZeroGradients < 0 {
		return fmt.Errorf("has found %d, and %d gradients of zero", st.Found, st.ZeroGradients)
	}
	return nil
}

// left lists the images that are not broken, on which the current pass is not done yet.
func (s *search) left() []int {
	tried := make([]bool, s.d.Len())
	for _, i := range s.Tried {
		tried[i] = true
	}
	return slices.DeleteFunc(s.surviving(), func(i int) bool { return tried[i] })
}

// tried notes that the current pass is done on these images.
func (s *search) tried(images ...int) {
	s.Tried = append(s.Tried, images...)
	if s.keep != nil && time.Since(s.kept) >= keepEvery {
		s.save()
	}
}

// save gives the State to who keeps it.
func (s *search) save() {
	if s.keep == nil {
		return
	}
	st := s.State
	st.Broken, st.Tried, st.Warnings = slices.Clone(s.Broken), slices.Clone(s.Tried), slices.Clone(s.Warnings)
	s.keep(&st)
	s.kept = time.Now()
}
