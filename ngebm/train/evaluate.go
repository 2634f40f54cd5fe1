package train

import (
	"context"
	"fmt"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm"
)

// maxEvaluations is how many evaluations every checkpoint has room for: its header may have 16
// MiB, and one takes less than 500 bytes.
const maxEvaluations = 30_000

// checkEvaluations refuses a run whose last evaluations might not be saved.
func (t *trainer) checkEvaluations() error {
	cfg := t.run.Config
	if n := cfg.Epochs / cfg.EvalEvery; cfg.Validation > 0 && n > maxEvaluations {
		return fmt.Errorf("ngebm: epochs is %d and eval_every is %d, which makes %d evaluations of the validation set, and checkpoints have room for %d; set eval_every to %d or more",
			cfg.Epochs, cfg.EvalEvery, n, maxEvaluations, (cfg.Epochs+maxEvaluations-1)/maxEvaluations)
	}
	return nil
}

// evaluateIfDue evaluates the validation set at the end of every EvalEvery-th
// epoch, once, and keeps the run as it is if it was never better.
func (t *trainer) evaluateIfDue(ctx context.Context) error {
	r, h := t.run, t.run.History
	every := r.Config.EvalEvery * h.StepsPerEpoch
	if r.Validation == nil || h.Steps() == 0 || h.Steps()%every != 0 {
		return nil
	}
	if n := len(h.Evaluations); n > 0 && h.Evaluations[n-1].Step == h.Steps() {
		return nil // made before the checkpoint that this process began with
	}
	if err := t.evaluate(ctx, r.Validation); err != nil || !h.LastIsBest() {
		return err
	}
	return t.saveAs(ngebm.BestCheckpoint)
}

// evaluate measures the current weights on the whole set and records it.
func (t *trainer) evaluate(ctx context.Context, d *data.Dataset) error {
	r, h := t.run, t.run.History
	done := progress.Examples(t.opts.Progress, "evaluate "+d.Split+" set", d.Len())
	if h.Steps() < t.total { // in mid-training a separate bar would only be in the way
		done = func(int) { t.report(false) }
	}
	e, err := r.Evaluate(ctx, d, done)
	if err != nil {
		return err
	}
	if err := t.check(d.Split+" loss", e.Loss); err != nil {
		return err
	}
	h.Evaluations = append(h.Evaluations, e)
	return nil
}
