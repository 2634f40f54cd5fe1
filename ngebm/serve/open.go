package serve

import (
	"context"

	"github.com/gomlx/compute"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/predict"
)

// Load returns a handler that serves the run in a folder with the predictor that is stored there; an
// error that wraps fs.ErrNotExist says that none is. Shape, Encoder and, unless it is set, Fit are
// those of the run. Closing the handler frees the run. What the run and the predictor note is logged.
func Load(ctx context.Context, backend compute.Backend, dir string, o Options) (*Handler, error) {
	p, err := predict.Load(ctx, backend, dir)
	if err != nil {
		return nil, err
	}
	h, err := ForRun(p.Run(), p, o)
	if err != nil {
		p.Close()
		return nil, err
	}
	h.free = p.Close
	for _, note := range p.Notes {
		h.options.Logger.Warn("the run and its predictor", "note", note)
	}
	return h, nil
}

// ForRun is [Load] for a run that is open, and its predictor or one of your own. Both stay the caller's.
// Without Fit it takes numbers only where nobody can know how a file becomes an input: of images
// that a program made for itself, or that have neither 1 nor 3 channels.
func ForRun(run *ngebm.Run, p Predictor, o Options) (h *Handler, err error) {
	o.Shape, o.Encoder = run.Classifier.Shape, run.Classifier.Encoder
	if isImage := len(o.Shape) == 3; isImage && o.Fit == "" {
		if fit, err := data.FitOf(run.Config.Data); err == nil {
			if _, err := data.NewImageDecoder(o.Shape, fit); err == nil {
				o.Fit = fit
			}
		}
	}
	return New(p, o)
}
