package ngebm

import (
	"context"
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm/nets"
)

// NoFeaturesError says that a classifier's network does not implement [nets.Featured].
type NoFeaturesError struct{ Network string }

// Error implements error.
func (e *NoFeaturesError) Error() string {
	return fmt.Sprintf("ngebm: network %s has no Features; implement nets.Featured (methods Features and Head), or use scores of logits", e.Network)
}

// featured returns the network if it has features.
func (c *Classifier) featured() (nets.Featured, error) {
	net, ok := c.Network.(nets.Featured)
	if !ok {
		return nil, &NoFeaturesError{c.Network.String()}
	}
	return net, nil
}

// featuresOf returns the executable of the features, made when first needed.
func (c *Classifier) featuresOf() (*model.Exec, error) {
	net, err := c.featured()
	if err != nil {
		return nil, err
	}
	c.calls.mu.Lock()
	defer c.calls.mu.Unlock()
	if c.features == nil && !c.calls.closed {
		c.features, err = model.NewExec(c.backend, c.store, func(_ *model.Scope, in []*Node) []*Node {
			return []*Node{net.Features(c.store.RootScope().In("%s", c.scope), in[0])}
		})
	}
	return c.features, err
}

// Features returns the input of the network's last linear layer, [examples][width], which
// detectors of package ood are fitted on. A network that is not [nets.Featured] is an error,
// a *[NoFeaturesError].
func (c *Classifier) Features(ctx context.Context, d *data.Dataset) ([][]float64, error) {
	if err := c.fits(d); err != nil {
		return nil, err
	}
	return c.predictFeatures(ctx, d.Name, d.Len(), d.Example)
}

// FeaturesAt is [Classifier.Features] at inputs as [Classifier.LogitsAt] takes them.
func (c *Classifier) FeaturesAt(ctx context.Context, x []float32) ([][]float64, error) {
	if err := c.checkInputs(x); err != nil {
		return nil, err
	}
	return c.predictFeatures(ctx, "the inputs", len(x)/sizeOf(c.Shape), c.inputs(x))
}

func (c *Classifier) predictFeatures(ctx context.Context, name string, n int, example func(i int, dst []float32)) ([][]float64, error) {
	exec, err := c.featuresOf()
	if err != nil {
		return nil, err
	}
	out, err := c.apply(ctx, exec, name, c.cut(n), example, nil)
	if err != nil {
		return nil, err
	}
	width := len(out[0]) / n
	if err := checkFinite("feature", name, width, out[0]); err != nil {
		return nil, err
	}
	return slices.Collect(slices.Chunk(out[0], width)), nil
}

// Head returns the weights of the network's last linear layer: logits are features·weight +
// bias. weight is [width][classes], bias [classes]. A network that is not [nets.Featured] is
// an error, a *[NoFeaturesError].
func (c *Classifier) Head() (weight [][]float64, bias []float64, err error) {
	net, err := c.featured()
	if err != nil {
		return nil, nil, err
	}
	if err := c.calls.begin(); err != nil {
		return nil, nil, err
	}
	defer c.calls.end()
	scope := c.store.RootScope().In("%s", c.scope).In("%s", net.Head())
	flat, err := weightIn(scope, "weight")
	if err != nil {
		return nil, nil, fmt.Errorf("ngebm: the head %q of %s: %w", net.Head(), c.Network, err)
	}
	if bias, err = weightIn(scope, "bias"); err != nil {
		return nil, nil, fmt.Errorf("ngebm: the head %q of %s: %w", net.Head(), c.Network, err)
	}
	classes := len(c.Classes)
	if len(bias) != classes || len(flat) == 0 || len(flat)%classes != 0 {
		return nil, nil, fmt.Errorf("ngebm: the head %q of %s has %d weights and %d biases, which are not those of a linear layer for %d classes", net.Head(), c.Network, len(flat), len(bias), classes)
	}
	return slices.Collect(slices.Chunk(flat, classes)), bias, nil
}

// weightIn reads a float32 weight.
func weightIn(scope *model.Scope, name string) ([]float64, error) {
	v := scope.GetVariable(name)
	if v == nil || !v.HasValue() {
		return nil, fmt.Errorf("it has no weight named %q", name)
	}
	t, err := v.Value()
	if err != nil {
		return nil, err
	}
	flat, err := tensors.CopyFlatData[float32](t)
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(flat))
	for i, f := range flat {
		values[i] = float64(f)
	}
	return values, checkFinite("weight", name, len(values), values)
}
