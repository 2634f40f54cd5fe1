package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/ckpt"
	"ngebm/ngebm/internal/explain"
	"ngebm/ngebm/jem"
)

// attempt is how often the run has been rolled back.
func (t *trainer) attempt() int { return t.run.History.Rollbacks }

// shrink is the factor on the steps of this attempt.
func (t *trainer) shrink() float64 {
	return math.Pow(t.run.Config.Rollback.Shrink, float64(t.attempt()))
}

// checkStep checks what the step just taken recorded.
func (t *trainer) checkStep() error {
	h := t.run.History
	last := h.Steps() - 1
	for i, name := range h.Terms {
		v := float64(h.Values[i][last])
		switch limit := t.run.Config.JEM.MaxGap; {
		case name == jem.NameSlope && !(v <= ngebm.MaxLoss):
			return t.diverged(fmt.Sprintf("SGLD chains diverged (gradient norm %.3g)", v))
		case name == jem.NameGap && math.Abs(v) > limit:
			return t.diverged(fmt.Sprintf("the mean energies of samples and data differ by %.3g, beyond jem.max_gap = %g,", v, limit))
		}
	}
	return t.check("loss", float64(h.Loss[last]))
}

// checkWeights checks the weights and what else the store has, so that no checkpoint is
// replaced by one of which nothing can come: a loss is computed before its step changes
// the weights, and may be the last that is a number.
func (t *trainer) checkWeights() error {
	for v := range t.store.IterVariables() {
		if !v.HasValue() {
			continue
		}
		value, err := v.Value()
		finite := false
		if err == nil {
			finite, err = ckpt.IsFinite(value)
		}
		if err != nil {
			return fmt.Errorf("ngebm: variable %s cannot be read: %w", v.Path(), err)
		}
		if !finite {
			return t.diverged("weight " + v.Path() + " is NaN or infinite")
		}
	}
	return nil
}

// check notes why the run cannot continue, if it cannot.
func (t *trainer) check(name string, loss float64) error {
	switch {
	case math.IsNaN(loss):
		return t.diverged(name + " is NaN")
	case math.Abs(loss) > ngebm.MaxLoss:
		return t.diverged(fmt.Sprintf("%s is %.3g, beyond %.0e", name, loss, ngebm.MaxLoss))
	}
	return nil
}

// diverged notes the reason.
func (t *trainer) diverged(reason string) error {
	h := t.run.History
	h.Stopped = fmt.Sprintf("%s at step %d", reason, h.Steps())
	h.Events = append(h.Events, ngebm.Event{Step: h.Steps(), What: "diverged: " + h.Stopped})
	advice := "lower learning_rate, beta or gamma"
	if t.run.Config.JEM.Enabled() {
		advice = "lower jem.step or learning_rate"
	}
	if n := t.attempt(); n > 0 {
		advice = fmt.Sprintf("it was rolled back %d times already; %s", n, advice)
	} else if t.run.Config.Rollback.Times == 0 {
		advice += ", or let it try again with recover.times=3"
	}
	return fmt.Errorf("ngebm: the run %w: %s; %s", ErrDiverged, h.Stopped, advice)
}

// saveRollbackIfDue saves the state to roll back to, where the configuration allows that: at
// the start and every EvalEvery epochs. Where that is depends on steps, not on time, so that
// a run that was killed is rolled back to the same state as one left alone.
func (t *trainer) saveRollbackIfDue() error {
	h := t.run.History
	if t.run.Config.Rollback.Times == 0 || h.Steps()%(t.run.Config.EvalEvery*h.StepsPerEpoch) != 0 {
		return nil
	}
	return t.saveAs(ngebm.RollbackCheckpoint)
}

// rollback takes a run that diverged to the last state that was saved for it, from where it
// resumes with other random numbers and smaller steps.
func (t *trainer) rollback() error {
	r, reached := t.run, *t.run.History
	switch found, err := r.RestoreFrom(context.Background(), ngebm.RollbackCheckpoint); {
	case err != nil:
		return fmt.Errorf("%w; delete the folder to restart training", err)
	case !found:
		return fmt.Errorf("ngebm: %s, to roll back to, is gone from %s; delete the folder to restart training", ngebm.RollbackCheckpoint, r.Dir)
	}
	if err := errors.Join(t.restoreAuxiliary(ngebm.RollbackCheckpoint), t.fitHistory(ngebm.RollbackCheckpoint)); err != nil {
		return err
	}
	// The optimizer's moments, which a state from before the first step does not have.
	if err := t.store.InitializeVariables(t.backend, nil); err != nil {
		return fmt.Errorf("ngebm: %w", explain.Error(err))
	}
	h := r.History
	h.Rollbacks = reached.Rollbacks + 1
	what := "learning rate"
	if r.Config.JEM.Enabled() {
		what = "SGLD step"
	}
	text := fmt.Sprintf("rolled back to step %d, attempt %d with the %s times %.3g", h.Steps(), h.Rollbacks+1, what, t.shrink())
	h.Events = append(slices.Clone(reached.Events), ngebm.Event{Step: h.Steps(), What: text})
	t.opts.Progress.Report(progress.Report{Task: reached.Stopped + ": " + text, Finished: true})
	var err error
	if t.batches, err = newBatches(r.Train, r.Config, h.Rollbacks); err != nil {
		return err
	}
	return t.save()
}

// backToCheckpoint ends a run that cannot continue. The last good checkpoint stays
// and the classifier goes back to it, or is nil if there is none; the history on the way to the
// end is written for people to look at.
func (t *trainer) backToCheckpoint() error {
	reached := *t.run.History
	found, err := t.run.RestoreFrom(context.Background(), ngebm.LastCheckpoint)
	if !found {
		t.run.Close()
		t.run.Classifier = nil
	}
	*t.run.History = reached
	return errors.Join(err, t.run.WriteHistory())
}
