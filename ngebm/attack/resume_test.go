package attack_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data/progress"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
)

// stopper interrupts an attack after a number of reports.
type stopper struct {
	left  int
	stop  func()
	start int64
}

func (s *stopper) Report(r progress.Report) {
	s.start = r.Start
	if s.left--; s.left == 0 {
		s.stop()
	}
}

// An attack that is interrupted again and again ends with the curve of one that is not, warnings
// included.
func TestResume(t *testing.T) {
	backend, d := testdevice.Open(t, "cpu"), referenceDigits(t, 12)
	masked := referenceMLP(t, backend)
	inner := masked.logits
	masked.logits = func(scope *model.Scope, x *Node) *Node { return StopGradient(inner(scope, x)) }
	short := attack.Ensemble{attack.PGD{Norm: attack.Linf, Steps: 3, Step: .5, RandomStart: true, Restarts: 2}, attack.Square{Norm: attack.Linf, Queries: 60}}
	for _, c := range []struct {
		name     string
		model    *stored
		attack   attack.Attack
		epsilons []float64
		after    []int // so many reports it is interrupted, from the last number on always
		warnings int
	}{
		{"ensemble", referenceMLP(t, backend), short, []float64{.02, .05, .1}, []int{10, 30, 90}, 0},
		{"L2", referenceMLP(t, backend), attack.Ensemble(all(attack.L2)), []float64{.2, .4}, []int{50, 170}, 0},
		{"gradients of zero", masked, attack.Standard(attack.Linf), []float64{.1}, []int{500, 505, 1300, 1300, 1300, 5300}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, err := attacker(t, c.model, attack.Options{Seed: 3, Batch: 5}).Run(t.Context(), d, c.attack, c.epsilons)
			if err != nil {
				t.Fatal(err)
			}
			if len(want.Warnings) != c.warnings {
				t.Errorf("warnings %v", want.Warnings)
			}
			var state *attack.State
			interruptions, reporter := 0, &stopper{}
			for {
				ctx, stop := context.WithCancel(t.Context())
				*reporter = stopper{left: c.after[min(interruptions, len(c.after)-1)], stop: stop}
				a := attacker(t, c.model, attack.Options{Seed: 3, Batch: 5, Report: reporter})
				got, err := a.Resume(ctx, d, c.attack, c.epsilons, state, func(s *attack.State) { state = reread(t, s) })
				stop()
				if err == nil {
					if !reflect.DeepEqual(got.Broken, want.Broken) || !reflect.DeepEqual(got.Warnings, want.Warnings) || !reflect.DeepEqual(got.Points, want.Points) {
						t.Errorf("after %d interruptions: %+v, want %+v", interruptions, got, want)
					}
					break
				}
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				if interruptions++; interruptions > 100 {
					t.Fatalf("it does not get on: %+v", state)
				}
			}
			if interruptions < 3 || reporter.start == 0 {
				t.Errorf("%d interruptions, the last part from %d", interruptions, reporter.start)
			}
		})
	}
}

// reread is what a file of the State gives.
func reread(t *testing.T, s *attack.State) *attack.State {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var read attack.State
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	return &read
}

// A finished attack is not made again; a State of something else is refused.
func TestResumeFrom(t *testing.T) {
	m, d := referenceMLP(t, testdevice.Open(t, "cpu")), referenceDigits(t, 8)
	a, fgsm := attacker(t, m, attack.Options{}), attack.FGSM(attack.Linf)
	want := run(t, a, d, fgsm, .05, .1)
	state := func() *attack.State { return &attack.State{Epsilons: 2, Broken: append([]int(nil), want.Broken...)} }
	got, err := a.Resume(t.Context(), d, fgsm, []float64{.05, .1}, state(), nil)
	if err != nil || !reflect.DeepEqual(got.Points, want.Points) {
		t.Errorf("a finished attack gives %+v (%v)", got, err)
	}
	wrong := append([]int(nil), want.Broken...)
	for i, j := range wrong { // of a network that answers otherwise
		wrong[i] = -1
		if j == -1 {
			wrong[i] = 0
		}
	}
	for text, s := range map[string]*attack.State{
		"is of 0 examples, not 8":                   {Epsilons: 2},
		"is of 2 examples, not 8":                   {Epsilons: 2, Broken: wrong[:2]},
		"which without a perturbation is otherwise": {Epsilons: 2, Broken: wrong},
		"has done 3 of 2 ε":                         {Epsilons: 3, Broken: want.Broken},
		"and 1 of 1 passes":                         {Passes: 1, Broken: want.Broken},
		"and -1 of 1 passes":                        {Passes: -1, Broken: want.Broken},
		"has tried example 8 of 8":                  {Broken: unbroken(want, 2), Tried: []int{8}},
		"has found -1":                              {Broken: unbroken(want, 2), Found: -1},
		"broken at ε number 1, when 0 are done":     {Broken: unbroken(want, 1)},
	} {
		if _, err := a.Resume(t.Context(), d, fgsm, []float64{.05, .1}, s, nil); !errors.Is(err, attack.ErrState) || !strings.Contains(err.Error(), text) {
			t.Errorf("%+v gives %v, not %q", s, err, text)
		}
	}
}

// unbroken has j for each example that the classifier answers right.
func unbroken(c *attack.Curve, j int) []int {
	broken := append([]int(nil), c.Broken...)
	for i := range broken {
		if broken[i] >= 0 {
			broken[i] = j
		}
	}
	return broken
}
