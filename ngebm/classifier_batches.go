package ngebm

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm/internal/devmem"
	"ngebm/ngebm/internal/explain"
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
	size := sizeOf(c.Shape)
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
// on the device; the garbage collector does not see these. Predictions return an error that
// wraps [ErrClosed] from then on. Close may be called again. It must not be called from a
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
