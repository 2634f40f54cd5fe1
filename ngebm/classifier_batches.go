package ngebm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm/internal/devmem"
	"ngebm/ngebm/internal/explain"
	"ngebm/ngebm/nets"
)

// Sizes of the batches that fewer examples than [Classifier]'s largest batch are cut into.
// Time is close to proportional to the number of examples, so that a batch's unused places
// cost as much as its examples; and each size takes seconds to compile.
const (
	smallBatch  = 8
	mediumBatch = 32
	maxAlone    = 4 // up to 4 examples are computed one by one: no slower than a batch of 8
)

// span is a batch: count examples from start on, in an executable for size.
type span struct{ start, count, size int }

// whole cuts n examples into batches of the one size that always exists.
func (c *Classifier) whole(n int) (spans []span) {
	for start := 0; start < n; start += c.batch {
		spans = append(spans, span{start, min(c.batch, n-start), c.batch})
	}
	return spans
}

// cut cuts n examples into batches for prediction. A set that fills the largest batch is cut
// as whole does. Smaller ones go to smaller executables, with less than 8 places unused.
//
// An example's logits depend on the size of its batch by rounding only: by a few 1e-6 of the
// largest logit at most on XLA's CPU, and in some networks not at all from 8 on.
func (c *Classifier) cut(n int) (spans []span) {
	if n <= min(maxAlone, c.batch-1) {
		for i := range n {
			spans = append(spans, span{i, 1, 1})
		}
		return spans
	}
	if (n+smallBatch-1)/smallBatch*smallBatch >= c.batch {
		return c.whole(n)
	}
	for start := 0; start < n; {
		size := smallBatch
		if n-start > mediumBatch-smallBatch {
			size = mediumBatch
		}
		spans = append(spans, span{start, min(size, n-start), size})
		start += size
	}
	return spans
}

// apply is Apply for examples that example writes, cut into batches.
func (c *Classifier) apply(ctx context.Context, exec *model.Exec, name string, spans []span, example func(i int, dst []float32), done func(examples int)) ([][]float64, error) {
	var all [][]float64
	n := 0
	for _, s := range spans {
		n += s.count
	}
	err := c.eachBatch(ctx, exec, name, spans, example, func(s span, out [][]float32) {
		if all == nil {
			all = make([][]float64, len(out))
			for i, flat := range out {
				all[i] = make([]float64, 0, n*(len(flat)/s.count))
			}
		}
		for i, flat := range out {
			for _, v := range flat {
				all[i] = append(all[i], float64(v))
			}
		}
		if done != nil {
			done(s.start + s.count)
		}
	})
	return all, err
}

// eachBatch runs examples through an executable and has take see each batch's values, which
// are valid during the call: those of all examples take a lot of memory where there are
// many classes.
func (c *Classifier) eachBatch(ctx context.Context, exec *model.Exec, name string, spans []span, example func(i int, dst []float32), take func(s span, out [][]float32)) error {
	if err := c.calls.begin(); err != nil {
		return err
	}
	defer c.calls.end()
	for _, s := range spans {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := c.oneBatch(exec, name, s, example, take); err != nil {
			return err
		}
	}
	return nil
}

// oneBatch runs one batch.
func (c *Classifier) oneBatch(exec *model.Exec, name string, s span, example func(i int, dst []float32), take func(s span, out [][]float32)) error {
	x := tensors.FromShape(shapes.Make(dtypes.Float32, append([]int{s.size}, c.Shape...)...)) // zeros
	size := nets.Size(c.Shape)
	tensors.MustMutableFlatData(x, func(values []float32) {
		for i := range s.count {
			example(s.start+i, values[i*size:(i+1)*size])
		}
	})
	out, err := exec.Exec(x)
	if err != nil {
		return errors.Join(fmt.Errorf("ngebm: evaluating %s: %w", name, explain.Error(err)), devmem.Free(x))
	}
	return errors.Join(view(out, nil, func(flats [][]float32) {
		for i, flat := range flats {
			flats[i] = flat[:s.count*len(flat)/s.size]
		}
		take(s, flats)
	}), devmem.Free(append(out, x)...))
}

// view calls do with the values of all tensors, without copying them where it can.
func view(left []*tensors.Tensor, flats [][]float32, do func(flats [][]float32)) error {
	if len(left) == 0 {
		do(flats)
		return nil
	}
	var err error
	return errors.Join(tensors.ConstFlatData(left[0], func(flat []float32) {
		err = view(left[1:], append(flats, flat), do)
	}), err)
}

// ErrClosed is wrapped by the errors of a classifier that was closed.
var ErrClosed = errors.New("the classifier was closed; load its run again")

// calls counts the calls that run, so that closing can wait for them.
type calls struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

func (c *calls) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fmt.Errorf("ngebm: %w", ErrClosed)
	}
	c.running.Add(1)
	return nil
}

func (c *calls) end() { c.running.Done() }

// close waits for the calls that run and makes later ones fail. It returns false if that was
// done before.
func (c *calls) close() bool {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	c.running.Wait()
	return first
}

// Close waits for the calls that run, and frees the weights and executables, on the host and
// on the device; the garbage collector does not see these. Methods that need them return an
// error that wraps [ErrClosed] from then on. Close may be called again. It must not be called from a
// callback of a call, and knows nothing of what executables of NewExec do elsewhere.
func (c *Classifier) Close() {
	if !c.calls.close() {
		return
	}
	c.forward.Finalize()
	c.withGradient.Finalize()
	if c.features != nil {
		c.features.Finalize()
	}
	c.store.Finalize()
}

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
	if err := c.Fits(d); err != nil {
		return nil, err
	}
	return c.predictFeatures(ctx, d.Name, d.Len(), d.Example)
}

// FeaturesAt is [Classifier.Features] at inputs as [Classifier.LogitsAt] takes them.
func (c *Classifier) FeaturesAt(ctx context.Context, x []float32) ([][]float64, error) {
	if err := c.checkInputs(x); err != nil {
		return nil, err
	}
	return c.predictFeatures(ctx, "the inputs", len(x)/nets.Size(c.Shape), c.inputs(x))
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
