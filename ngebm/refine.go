package ngebm

import (
	"context"
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm/jem"
)

// Refined is a classifier that moves its inputs by SGLD before it classifies them. It
// is a model that attacks can take (attack.Model), and their gradients go through the
// refinement; see [jem.Refinement] for what to beware of.
type Refined struct {
	Refinement jem.Refinement

	classifier *Classifier
	forward    *model.Exec
}

// Refine returns the classifier with a refinement before it. Nothing is compiled
// before it is needed.
func (c *Classifier) Refine(r jem.Refinement) (*Refined, error) {
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("ngebm: %w", err)
	}
	refined := &Refined{Refinement: r, classifier: c}
	var err error
	refined.forward, err = refined.NewExec(func(logits func(*Node) *Node, in []*Node) []*Node {
		return []*Node{logits(in[0])}
	})
	return refined, err
}

// NewExec is [Classifier.NewExec] with the refined logits.
func (r *Refined) NewExec(build func(logits func(x *Node) *Node, inputs []*Node) []*Node) (*model.Exec, error) {
	return r.classifier.NewExec(func(logits func(*Node) *Node, in []*Node) []*Node {
		return build(func(x *Node) *Node { return r.Refinement.Logits(logits, x) }, in)
	})
}

// Logits returns the refined logits, [examples][classes].
func (r *Refined) Logits(ctx context.Context, d *data.Dataset) ([][]float64, error) {
	out, err := r.classifier.Apply(ctx, r.forward, d, nil)
	if err != nil {
		return nil, err
	}
	return slices.Collect(slices.Chunk(out[0], len(r.classifier.Classes))), nil
}

// Close frees what was compiled.
func (r *Refined) Close() { r.forward.Finalize() }
