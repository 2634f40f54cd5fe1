package measure

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/ood"
)

// scorer computes every score of a set in one pass over it.
type scorer struct {
	classifier *ngebm.Classifier
	fromLogits []ood.Score
	odin       *model.Exec
	is         map[string]string
	parameters map[string]float64 // of fitted detectors that have one
	detectors  []fittedDetector
	report     progress.Reporter
}

// scored is a set's logits and scores, by name.
type scored struct {
	logits [][]float64
	values map[string][]float64
}

// Scores returns every score of a set's examples, [examples], by name: px (energy), py
// (maximum softmax probability, MSP), max_logit, entropy and GEN from the logits, and
// pxgrad (minus the gradient norm of the energy) and ODIN, which need gradients. Larger is
// more in-distribution. Package ood has definitions and sources.
func Scores(ctx context.Context, c *ngebm.Classifier, d *data.Dataset) (map[string][]float64, error) {
	s, err := newScorer(c, d, progress.Discard{})
	if err != nil {
		return nil, err
	}
	defer s.odin.Finalize()
	all, err := s.score(ctx, d, true)
	if err != nil {
		return nil, err
	}
	return all.values, nil
}

func newScorer(c *ngebm.Classifier, like *data.Dataset, report progress.Reporter) (*scorer, error) {
	s := &scorer{classifier: c, fromLogits: ood.Scores(), report: report, parameters: map[string]float64{}, is: map[string]string{
		"pxgrad": "-‖∂E/∂x‖₂ (minus the gradient norm; approximate mass)",
	}}
	for _, score := range s.fromLogits {
		s.is[score.Name] = score.Definition
	}
	return s, s.setODIN(like, ood.ODINParameters{Temperature: ood.ODINTemperature, Epsilon: ood.ODINEpsilon})
}

// setODIN sets ODIN's parameters.
func (s *scorer) setODIN(like *data.Dataset, p ood.ODINParameters) error {
	exec, err := newODIN(s.classifier, like, p)
	if err != nil {
		return err
	}
	if s.odin != nil {
		s.odin.Finalize()
	}
	s.odin, s.is["ODIN"] = exec, p.String()
	return nil
}

// newODIN returns an executable of ODIN's scores, one output for each of the parameters.
func newODIN(c *ngebm.Classifier, like *data.Dataset, all ...ood.ODINParameters) (*model.Exec, error) {
	pixelRange := 1.
	if like.IsImages() {
		pixelRange = 2 // networks see pixels in [-1,1]
	}
	return c.NewExec(func(logits func(*graph.Node) *graph.Node, in []*graph.Node) (scores []*graph.Node) {
		for _, p := range all {
			scores = append(scores, ood.ODIN(logits, in[0], p.Temperature, p.Epsilon*pixelRange))
		}
		return scores
	})
}

func (s *scorer) names() []string {
	var names []string
	for _, score := range s.fromLogits {
		names = append(names, score.Name)
	}
	names = append(names, "pxgrad", "ODIN")
	for _, d := range s.detectors {
		if !slices.Contains(names, d.Name) {
			names = append(names, d.Name)
		}
	}
	return names
}

// score computes the scores of a set; ODIN and fitted detectors, which cost the most, only if
// all is set.
func (s *scorer) score(ctx context.Context, d *data.Dataset, all bool) (*scored, error) {
	logits, err := s.classifier.Logits(ctx, d)
	if err != nil {
		return nil, err
	}
	values := map[string][]float64{}
	for _, score := range s.fromLogits {
		if values[score.Name], err = score.Of(logits); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	norms, err := s.classifier.GradientNorms(ctx, d)
	if err != nil {
		return nil, err
	}
	for i := range norms {
		norms[i] = -norms[i]
	}
	values["pxgrad"] = norms
	if !all {
		return &scored{logits, values}, nil
	}
	out, err := s.classifier.Apply(ctx, s.odin, d, progress.Examples(s.report, "score "+d.Name, d.Len()))
	if err != nil {
		return nil, err
	}
	values["ODIN"] = out[0]
	return &scored{logits, values}, s.detect(ctx, d, logits, values)
}
