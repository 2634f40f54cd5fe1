package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/cputime"
)

// trainer takes a run from the step it is at to its end.
type trainer struct {
	run      *ngebm.Run
	backend  compute.Backend
	store    *model.Store
	outliers *data.Dataset // what Config.Margin names, or nil
	batches  *data.Batches
	total    int // steps
	opts     Options

	step         *model.Exec   // one step, or several: inputs to (loss, terms…), for each
	stepsPerCall int           // at most; 0 is what compile finds good
	terms        []energy.Term // their names and weights, and what the auxiliary inputs record
	sharding     *sharding     // nil where one device takes a step
	auxiliary    inputSource   // nil where a step needs nothing besides its batch

	began    time.Time     // of this process
	process  float64       // processor time of this process at its beginning, in seconds
	prepared time.Duration // since then, when the first step was done
	spent    ngebm.Cost    // by processes before
	waited   time.Duration // for batches, by this process
	first    int           // steps done before this process
	lastSave time.Time     // when the last checkpoint was begun
	saveTook time.Duration // how long it took
}

// trainOrLoad trains what the run's folder does not have yet.
func (t *trainer) trainOrLoad(ctx context.Context) (*ngebm.Run, error) {
	r, waited := t.run, false
	waiting := func() {
		waited = true
		t.opts.Progress.Report(progress.Report{Task: "wait for another process that is training " + filepath.Base(r.Dir)})
	}
	stopped := func(err error) error { // or could not lock the folder
		switch {
		case ctx.Err() == nil:
			return err
		case waited:
			return fmt.Errorf("ngebm: %w while waiting for another process that is training %q", ErrStopped, r.Dir)
		}
		return fmt.Errorf("ngebm: %w before a step of %q was taken", ErrStopped, r.Dir)
	}
	// A run that was begun may have evaluations that take less room.
	if t.opts.Fresh || !r.HasCheckpoint() {
		if err := t.checkEvaluations(); err != nil {
			return nil, err
		}
	}
	if t.opts.Fresh {
		if err := r.Discard(ctx, waiting); err != nil {
			return nil, stopped(err)
		}
	}
	// A run that has a checkpoint resumes from there, wherever it once started from.
	parent := ""
	if hash := r.Config.InitFrom; hash != "" && !r.HasCheckpoint() {
		var err error
		if parent, err = initFrom(t.store, t.opts.Runs, hash, r.Config.Seed); err != nil {
			return nil, err
		}
	}
	// Loading needs no lock, nor a folder that can be written.
	if complete, err := t.load(ctx); err != nil {
		return nil, err
	} else if complete {
		return r, nil
	}
	unlock, err := r.Lock(ctx, waiting)
	if err != nil {
		return nil, stopped(err)
	}
	defer unlock()
	// Another process may have trained it meanwhile.
	if complete, err := t.load(ctx); err != nil {
		return nil, err
	} else if complete {
		return r, nil
	}
	if r.Warning != "" {
		t.tell(r.Warning)
	}
	if len(r.Notes) > 0 {
		r.Announce("resumed", t.opts.Progress)
	}
	if r.LoadedFrom() == "" {
		r.Cost.Parent = parent
	}
	if err := r.RecordMaker(max(1, t.opts.Devices)); err != nil {
		return nil, err
	}
	noteParent(r, t.opts.Runs)
	t.began, t.process, t.spent, t.first = time.Now(), cputime.Process(), r.Cost, r.History.Steps()
	if err := t.prepare(ctx); err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil, fmt.Errorf("ngebm: %w before a step of %q was taken", ErrStopped, r.Dir)
		}
		return nil, err
	}
	defer t.close()
	return r, t.loop(ctx)
}

// load takes the run to its last checkpoint, and makes it ready to be shown if it is
// complete.
func (t *trainer) load(ctx context.Context) (complete bool, err error) {
	complete, err = t.run.Restore(ctx, max(1, t.opts.Devices))
	if err == nil {
		noteParent(t.run, t.opts.Runs)
	}
	if err == nil && complete {
		err = t.run.Refresh(ctx, t.opts.Progress)
	}
	if err != nil && ctx.Err() != nil {
		return false, fmt.Errorf("ngebm: %w while %q was loaded", ErrStopped, t.run.Dir)
	}
	return complete, err
}

// loop trains the run to its end, with rollbacks if it diverges.
func (t *trainer) loop(ctx context.Context) error {
	t.lastSave = time.Now()
	err := t.finish(ctx)
	for errors.Is(err, ErrDiverged) && t.attempt() < t.run.Config.Rollback.Times {
		if err = t.rollback(); err == nil {
			err = t.finish(ctx)
		}
	}
	stopped := err != nil && ctx.Err() != nil && !errors.Is(err, ErrDiverged)
	if stopped {
		if err = t.save(); errors.Is(err, ErrDiverged) && t.attempt() < t.run.Config.Rollback.Times {
			err = t.rollback()
		}
	}
	switch {
	case errors.Is(err, ErrDiverged):
		t.report(true)
		return errors.Join(err, t.backToCheckpoint())
	case err != nil:
		return err
	case stopped:
		t.report(true)
		return fmt.Errorf("ngebm: %w at step %d of %d and saved in %s; train the same configuration to resume", ErrStopped, t.run.History.Steps(), t.total, t.run.Dir)
	}
	t.run.DropRollback()
	return nil
}

// finish takes the steps that are left, evaluates the test set and saves the complete run.
func (t *trainer) finish(ctx context.Context) error {
	if err := t.steps(ctx); err != nil {
		return err
	}
	if err := t.evaluate(ctx, t.run.Test); err != nil {
		return err
	}
	t.report(true)
	// The checkpoint is last: it makes the run complete, and nobody writes there any more.
	if err := t.run.WriteHistory(); err != nil {
		return err
	}
	return t.save()
}

// steps takes the steps that are left, and evaluates and saves in between. It
// returns early, without an error, if ctx ends.
func (t *trainer) steps(ctx context.Context) error {
	if t.run.History.Steps() < t.total {
		asked := time.Now()
		var batches []data.Batch // of the steps that are taken next
		for step, batch := range t.batches.From(ctx, t.run.History.Steps()) {
			t.waited += time.Since(asked)
			batches = append(batches, batch)
			if len(batches) < t.stepsPerCall && (step+1)%t.run.History.StepsPerEpoch != 0 && step+1 != t.total {
				asked = time.Now()
				continue
			}
			if err := t.evaluateIfDue(ctx); err != nil {
				return err
			}
			if err := t.saveRollbackIfDue(); err != nil {
				return err
			}
			if err := t.trainSteps(batches); err != nil {
				return err
			}
			batches = batches[:0]
			t.onEpochEnd()
			if ctx.Err() != nil || step+1 == t.total {
				break
			}
			if since := time.Since(t.lastSave); since >= t.opts.SaveEvery && since > 20*t.saveTook {
				if err := t.save(); err != nil {
					return err
				}
			}
			t.report(false)
			asked = time.Now()
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return t.evaluateIfDue(ctx)
}

// prepare builds the batches and the source of auxiliary inputs, and compiles the step.
func (t *trainer) prepare(ctx context.Context) (err error) {
	if t.batches, err = newBatches(t.run.Train, t.run.Config, t.attempt()); err != nil {
		return err
	}
	if t.auxiliary, err = t.newInputSource(ctx); err != nil {
		return err
	}
	if err := t.restoreAuxiliary(t.run.LoadedFrom()); err != nil {
		return err
	}
	return t.compile()
}

// newBatches are those of an attempt; each has other random numbers.
func newBatches(train *data.Dataset, cfg ngebm.Config, attempt int) (*data.Batches, error) {
	augment := cfg.Augment
	augment.Noise = math.Hypot(augment.Noise, cfg.InputNoise) // independent noises add so
	return data.NewBatches(train, cfg.Batch, cfg.Seed+uint64(attempt)<<32, augment)
}

func (t *trainer) close() {
	if t.auxiliary != nil {
		t.auxiliary.close()
	}
	t.step.Finalize()
}

// fitHistory gives a history that begins its curves. That of a checkpoint must have those of the
// step, and epochs as long.
func (t *trainer) fitHistory(from ngebm.Checkpoint) error {
	h, perEpoch := t.run.History, t.batches.StepsPerEpoch()
	var names []string
	var weights []float64
	for _, term := range t.terms {
		names, weights = append(names, term.Name), append(weights, term.Weight)
	}
	switch {
	case h.Steps() == 0:
		h.StepsPerEpoch, h.Terms, h.Weights, h.Values = perEpoch, names, weights, make([][]float32, len(names))
	case !slices.Equal(h.Terms, names):
		return t.cannotResume(from, fmt.Sprintf("its history has the terms %.300q, and a step %q", strings.Join(h.Terms, ", "), strings.Join(names, ", ")))
	case h.StepsPerEpoch != perEpoch:
		return t.cannotResume(from, fmt.Sprintf("its history has %d steps per epoch, and the training set %d", h.StepsPerEpoch, perEpoch))
	}
	return nil
}

// onEpochEnd calls Options.OnEpochEnd where an epoch ends, while the clock is stopped.
func (t *trainer) onEpochEnd() {
	if t.opts.OnEpochEnd == nil || t.run.History.Steps()%t.run.History.StepsPerEpoch != 0 {
		return
	}
	asked, took := time.Now(), cputime.Process()
	t.opts.OnEpochEnd(t.run)
	t.began = t.began.Add(time.Since(asked))
	t.process += cputime.Process() - took
}

func (t *trainer) save() error {
	t.lastSave = time.Now()
	t.run.Cost.Seconds = t.spent.Seconds + time.Since(t.began).Seconds()
	t.run.Cost.DataWait = t.spent.DataWait + t.waited.Seconds()
	t.run.Cost.Process = t.spent.Process + cputime.Process() - t.process
	err := t.saveAs(ngebm.LastCheckpoint)
	t.saveTook = time.Since(t.lastSave)
	return err
}

// saveAs writes one of the run's checkpoints, unless its weights are past saving.
func (t *trainer) saveAs(c ngebm.Checkpoint) error {
	if err := t.checkWeights(); err != nil {
		return err
	}
	aux := t.run.AuxState()
	if t.auxiliary != nil {
		aux = t.auxiliary.state()
	}
	return t.run.Save(c, aux)
}

// report says how far training is.
func (t *trainer) report(finished bool) {
	h := t.run.History
	r := progress.Report{
		Task: "train " + filepath.Base(t.run.Dir), Unit: "steps",
		Done: int64(h.Steps()), Total: int64(t.total), Start: int64(t.first),
		Elapsed: time.Since(t.began), Finished: finished, Preparing: "compiling",
	}
	if t.prepared == 0 && h.Steps() > t.first {
		t.prepared = r.Elapsed
	}
	r.Prepared = t.prepared
	if n := h.Steps(); n > 0 {
		r.Terms = append(r.Terms, progress.Term{Name: "loss", Value: float64(h.Loss[n-1])})
		for i, name := range h.Terms {
			r.Terms = append(r.Terms, progress.Term{Name: name, Value: float64(h.Values[i][n-1])})
		}
	}
	for _, split := range []string{"validation", "test"} {
		if e := h.Last(split); e != nil {
			r.Terms = append(r.Terms, progress.Term{Name: split + " accuracy", Value: e.Accuracy})
		}
	}
	t.opts.Progress.Report(r)
}

// tell reports a line of text.
func (t *trainer) tell(line string) {
	t.opts.Progress.Report(progress.Report{Task: line, Finished: true})
}
