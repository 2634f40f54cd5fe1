package ngebm

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/data/files"
	"ngebm/data/progress"
	"ngebm/ngebm/energy"
)

// trainer takes a run from the step it is at to its end.
type trainer struct {
	run     *Run
	backend compute.Backend
	store   *model.Store
	batches *data.Batches
	total   int // steps
	opts    Options

	step      *model.Exec // one step, or several: inputs to (loss, terms…), for each
	atOnce    int         // so many steps at most; 0 is what compile finds good
	sharing   *sharing    // nil where one device takes a step
	companion companion   // nil where a step needs nothing beside its batch

	began    time.Time     // of this process
	process  float64       // processor time of this process at its beginning, in seconds
	prepared time.Duration // since then, when the first step was done
	spent    Cost          // by processes before
	waited   time.Duration // for batches, by this process
	first    int           // steps done before this process
	lastSave time.Time     // when the last checkpoint was begun
	saveTook time.Duration // how long it took
}

// logits builds the network being trained.
func (t *trainer) logits(x *Node) *Node {
	logits := func(x *Node) *Node {
		return logitsOf(t.run.Classifier.Network, t.store, networkScope, x, len(t.run.Train.Classes))
	}
	if t.run.Config.Precision == bfloat16 {
		return inBFloat16(t.store, networkScope, x, logits)
	}
	return logits(x)
}

// prepare makes ready for the first step: what goes on beside it, and its executable.
func (t *trainer) prepare() (err error) {
	if t.batches, err = newBatches(t.run.Train, t.run.Config, t.attempt()); err != nil {
		return err
	}
	if t.companion, err = t.newCompanion(); err != nil {
		return err
	}
	if err := t.restoreCompanion(t.run.file); err != nil {
		return err
	}
	return t.compile()
}

func (t *trainer) close() {
	if t.companion != nil {
		t.companion.close()
	}
	t.step.Finalize()
}

// nameTerms gives a history that begins its curves.
func (t *trainer) nameTerms(terms []energy.Term) {
	h := t.run.History
	h.StepsPerEpoch = t.batches.StepsPerEpoch()
	if t.companion != nil {
		for _, name := range t.companion.watched() {
			terms = append(terms, energy.Term{Name: name})
		}
	}
	h.Terms, h.Weights, h.Values = nil, nil, nil
	for _, term := range terms {
		h.Terms = append(h.Terms, term.Name)
		h.Weights = append(h.Weights, term.Weight)
		h.Values = append(h.Values, nil)
	}
}

// loop is training.
func (t *trainer) loop(ctx context.Context) error {
	h := t.run.History
	t.lastSave = time.Now()
	err := t.toTheEnd(ctx)
	for errors.Is(err, ErrDiverged) && t.attempt() < t.run.Config.Recover.Times {
		if err = t.setBack(); err == nil {
			err = t.toTheEnd(ctx)
		}
	}
	switch {
	case ctx.Err() != nil:
		if err := t.save(); err != nil {
			return err
		}
		t.report(true)
		return fmt.Errorf("ngebm: %w at step %d of %d and saved in %s; train the same configuration to go on", ErrStopped, h.Steps(), t.total, t.run.Dir)
	case errors.Is(err, ErrDiverged):
		t.report(true)
		return errors.Join(err, t.backToCheckpoint())
	case err != nil:
		return err
	}
	// The checkpoint is last: it makes the run complete, and nobody writes there any more.
	if err := t.run.writeCSV(h); err != nil {
		return err
	}
	if err := t.save(); err != nil {
		return err
	}
	_ = t.run.inFolder(goodFile, func(f *files.Folder) error { return f.Remove(goodFile) }) // if it cannot be removed it only takes room
	return nil
}

// toTheEnd takes the steps that are left and evaluates the test set.
func (t *trainer) toTheEnd(ctx context.Context) error {
	if err := t.steps(ctx); err != nil {
		return err
	}
	if err := t.evaluate(ctx, t.run.Test); err != nil {
		return err
	}
	t.report(true)
	return nil
}

// steps takes the steps that are left, and evaluates and saves in between. It
// returns early, without an error of its own, if ctx ends.
func (t *trainer) steps(ctx context.Context) error {
	if t.run.History.Steps() < t.total {
		asked := time.Now()
		var batches []data.Batch // of the steps that are taken next
		for step, batch := range t.batches.From(ctx, t.run.History.Steps()) {
			t.waited += time.Since(asked)
			batches = append(batches, batch)
			if len(batches) < t.atOnce && (step+1)%t.run.History.StepsPerEpoch != 0 && step+1 != t.total {
				asked = time.Now()
				continue
			}
			if err := t.evaluateIfDue(ctx); err != nil {
				return err
			}
			if err := t.keepIfDue(); err != nil {
				return err
			}
			if err := t.take(batches); err != nil {
				return err
			}
			batches = batches[:0]
			t.watch()
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

// watch lets Options.Watch look at the end of an epoch.
func (t *trainer) watch() {
	if t.opts.Watch == nil || t.run.History.Steps()%t.run.History.StepsPerEpoch != 0 {
		return
	}
	asked, took := time.Now(), ProcessTime()
	t.opts.Watch(t.run)
	t.began = t.began.Add(time.Since(asked))
	t.process += ProcessTime() - took
}

func (t *trainer) save() error {
	t.lastSave = time.Now()
	t.run.Cost.Seconds = t.spent.Seconds + time.Since(t.began).Seconds()
	t.run.Cost.DataWait = t.spent.DataWait + t.waited.Seconds()
	t.run.Cost.Process = t.spent.Process + ProcessTime() - t.process
	err := t.saveAs(checkpointFile)
	t.saveTook = time.Since(t.lastSave)
	return err
}

// saveAs writes the run's state into a file of its folder, unless it is past saving.
func (t *trainer) saveAs(file string) error {
	if err := t.checkWeights(); err != nil {
		return err
	}
	if t.companion != nil {
		t.run.kept = t.companion.state()
	}
	return t.run.save(t.store, t.run.kept, file)
}

// restoreCompanion gives the companion what the checkpoint in that file, which was read
// last, kept of it.
func (t *trainer) restoreCompanion(file string) error {
	if t.companion == nil || t.run.History.Steps() == 0 && t.run.kept == nil {
		return nil
	}
	bad := func(why string) error {
		return fmt.Errorf("ngebm: checkpoint %s cannot be gone on with: %s; delete it to train the run anew", filepath.Join(t.run.Dir, file), why)
	}
	if t.run.kept == nil {
		if t.run.Config.JEM.Enabled() {
			return bad("it lacks the replay buffer")
		}
		return nil
	}
	if err := t.companion.restore(t.run.kept); err != nil {
		return bad(err.Error())
	}
	return nil
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
		if e := h.lastOf(split); e != nil {
			r.Terms = append(r.Terms, progress.Term{Name: split + " accuracy", Value: e.Accuracy})
		}
	}
	t.opts.Progress.Report(r)
}
