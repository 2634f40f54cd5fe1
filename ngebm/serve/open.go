package serve

import (
	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/predict"
)

// Open returns a handler that serves a run with the predictor that is stored next to it; an error that
// wraps fs.ErrNotExist says that none is. Shape, Encoder and, unless it is set, Fit are those of the
// run. The run stays the caller's.
func Open(run *ngebm.Run, o Options) (*Handler, error) {
	p, err := predict.Open(run)
	if err != nil {
		return nil, err
	}
	return ForRun(run, p, o)
}

// ForRun is [Open] with a predictor of your own.
func ForRun(run *ngebm.Run, p Predictor, o Options) (h *Handler, err error) {
	o.Shape, o.Encoder = run.Classifier.Shape, run.Classifier.Encoder
	if isImage := len(o.Shape) == 3; isImage && o.Fit == "" {
		if o.Fit, err = data.FitOf(run.Config.Data); err != nil {
			return nil, err
		}
	}
	return New(p, o)
}
