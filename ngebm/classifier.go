package ngebm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
	"gonum.org/v1/gonum/floats"

	"ngebm/data"
	"ngebm/data/tabular"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/ckpt"
	"ngebm/ngebm/internal/explain"
	"ngebm/ngebm/internal/netgraph"
	"ngebm/ngebm/nets"
)

// Classifier is a network with its weights. Its methods take a dataset of the shape it was
// trained on, or inputs in the network's units, run them through the device in batches, and
// return one entry for each example, in order. They end between two batches if their context
// ends, with its error.
//
// Any number of goroutines may call them at once. Nobody may change the weights meanwhile, as
// training does.
type Classifier struct {
	Classes []string // a label is an index into them
	Shape   []int    // of one example
	Network nets.Network
	// Encoder turns rows of a table into inputs, as it did for training; nil where the
	// classifier was not trained on one.
	Encoder *tabular.Encoder

	backend compute.Backend
	store   *model.Store
	scope   string // where the weights are in the store
	batch   int    // the most examples at once
	// parameters is the number of trainable weights.
	parameters int
	// Compiled when first needed, once for each size of a batch: see cut.
	forward, withGradient *model.Exec
	features              *model.Exec // nil until needed; see featuresOf

	calls calls
}

// evaluationBatch is large enough to keep a device busy. Fewer examples make a batch where
// one layer would have more numbers than maxActivations for them, 512 MiB.
const (
	evaluationBatch = 128
	maxActivations  = 1 << 27
)

// newClassifier builds the network, and so creates the weights that the store does not have
// yet.
func newClassifier(backend compute.Backend, net nets.Network, store *model.Store, scope string, shape []int, classes []string, examples int) (*Classifier, error) {
	batch, err := examplesAtOnce(net, shape, len(classes), examples)
	if err != nil {
		return nil, err
	}
	c := &Classifier{Classes: classes, Shape: slices.Clone(shape), Network: net, backend: backend, store: store, scope: scope, batch: batch}
	c.forward, err = c.NewExec(func(logits func(*Node) *Node, in []*Node) []*Node {
		return []*Node{logits(in[0])}
	})
	if err != nil {
		return nil, err
	}
	c.withGradient, err = c.NewExec(func(logits func(*Node) *Node, in []*Node) []*Node {
		f := logits(in[0])
		return []*Node{f, energy.GradientNorm(energy.LogSumExp(f), in[0])}
	})
	if err != nil {
		return nil, err
	}
	if _, err := c.operations(); err != nil {
		return nil, fmt.Errorf("ngebm: cannot build %s for examples of shape %v: %w", net, shape, explain.Error(err))
	}
	// Weights that GoMLX draws would have no value before the first execution. They are the same
	// now: the first of what it draws, in the order in which they were made.
	if err := store.InitializeVariables(backend, nil); err != nil {
		return nil, fmt.Errorf("ngebm: cannot draw the weights of %s: %w", net, explain.Error(err))
	}
	for v := range store.RootScope().At(ckpt.NetworkScope).IterVariables() {
		if v.Trainable {
			c.parameters += v.Shape().Size()
		}
	}
	return c, nil
}

// operations builds the graph of a batch's logits, without compiling it, and returns what
// [netgraph.Operations] counts in it.
func (c *Classifier) operations() (total float64, err error) {
	g := NewGraph(c.backend, "logits")
	defer g.Finalize()
	err = exceptions.TryCatch[error](func() {
		c.logits(Parameter(g, "x", shapes.Make(dtypes.Float32, append([]int{c.batch}, c.Shape...)...)))
		total, _ = netgraph.Operations(g.Nodes())
	})
	return total, err
}

// logitsOf builds the network's logits in a graph; calls share their weights.
func logitsOf(net nets.Network, store *model.Store, scope string, x *Node, classes int) *Node {
	return net.Logits(store.RootScope().In("%s", scope), x, classes)
}

// NewExec returns an executable of a graph of your own that may build the
// classifier's logits: build gets a function that turns inputs shaped [batch, …]
// into logits shaped [batch, classes], with the classifier's weights, and the
// graph's inputs. It is how attacks and scores that need gradients see a
// classifier.
func (c *Classifier) NewExec(build func(logits func(x *Node) *Node, inputs []*Node) []*Node) (*model.Exec, error) {
	return model.NewExec(c.backend, c.store, func(_ *model.Scope, inputs []*Node) []*Node {
		return build(c.logits, inputs)
	})
}

// logits builds the network.
func (c *Classifier) logits(x *Node) *Node {
	return logitsOf(c.Network, c.store, c.scope, x, len(c.Classes))
}

// Store returns the store of the classifier's weights, which are below scope "net": a
// training loop of your own may change them there.
func (c *Classifier) Store() *model.Store { return c.store }

// Logits returns f(x), [examples][classes].
func (c *Classifier) Logits(ctx context.Context, d *data.Dataset) ([][]float64, error) {
	logits, _, err := c.finite(ctx, d, false)
	return logits, err
}

// Probabilities returns softmax f(x), [examples][classes].
func (c *Classifier) Probabilities(ctx context.Context, d *data.Dataset) ([][]float64, error) {
	logits, _, err := c.finite(ctx, d, false)
	for _, row := range logits {
		e := floats.LogSumExp(row)
		for k, f := range row {
			row[k] = math.Exp(f - e)
		}
	}
	return logits, err
}

// Energies returns E(x) = logsumexp f(x) for each example: larger where the
// model finds the example more likely (see package energy for the sign).
func (c *Classifier) Energies(ctx context.Context, d *data.Dataset) ([]float64, error) {
	logits, _, err := c.finite(ctx, d, false)
	return energiesOf(logits), err
}

// GradientNorms returns ‖∂E(x)/∂x‖₂ for each example, with x as the network sees
// it: pixels in [-1,1].
func (c *Classifier) GradientNorms(ctx context.Context, d *data.Dataset) ([]float64, error) {
	_, norms, err := c.finite(ctx, d, true)
	return norms, err
}

// Accuracy returns the fraction of examples whose largest logit is the label's.
func (c *Classifier) Accuracy(ctx context.Context, d *data.Dataset) (float64, error) {
	if err := c.FitsLabels(d); err != nil {
		return 0, err
	}
	logits, _, err := c.finite(ctx, d, false)
	if err != nil {
		return 0, err
	}
	return accuracyOf(logits, d.Labels), nil
}

// finite is predict for a caller who compares the figures: NaN, which is below no
// threshold and above none, is an error.
func (c *Classifier) finite(ctx context.Context, d *data.Dataset, gradient bool) ([][]float64, []float64, error) {
	if err := c.Fits(d); err != nil {
		return nil, nil, err
	}
	return c.predict(ctx, d.Name, d.Len(), d.Example, gradient)
}

// ErrNotFinite is in the error of inputs for which the network computes NaN or an infinite number, as
// far from its training data it may.
var ErrNotFinite = errors.New("it must be finite")

// checkFinite names the first of an example's width values that is not finite.
func checkFinite[T float32 | float64](what, name string, width int, values []T) error {
	for i, v := range values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("ngebm: %s %d of example %d (from 0) of %s is %v; %w", what, i%width, i/width, name, f, ErrNotFinite)
		}
	}
	return nil
}

// predict returns the logits and, if asked, the gradient norms of n examples that example
// writes.
func (c *Classifier) predict(ctx context.Context, name string, n int, example func(i int, dst []float32), gradient bool) (logits [][]float64, norms []float64, err error) {
	exec := c.forward
	if gradient {
		exec = c.withGradient
	}
	out, err := c.apply(ctx, exec, name, c.cut(n), example, nil)
	if err != nil {
		return nil, nil, err
	}
	err = checkFinite("logit", name, len(c.Classes), out[0])
	if gradient {
		norms = out[1]
		err = errors.Join(err, checkFinite("gradient norm", name, 1, norms))
	}
	if err != nil {
		return nil, nil, err
	}
	return slices.Collect(slices.Chunk(out[0], len(c.Classes))), norms, nil
}

var errNoExec = errors.New("ngebm: the executable is nil; make one with NewExec")

// Apply runs a dataset through an executable of one input and float32 outputs
// whose first axis is the batch, made by NewExec. For each output it returns the
// values of all examples, one example after the other. The last batch is filled
// up with zeros to the one shape that is compiled. done, if any, receives the
// number of examples done after each batch; if ctx ends, so does Apply, with its
// error.
func (c *Classifier) Apply(ctx context.Context, exec *model.Exec, d *data.Dataset, done func(examples int)) ([][]float64, error) {
	if err := c.Fits(d); err != nil {
		return nil, err
	}
	if exec == nil {
		return nil, errNoExec
	}
	return c.apply(ctx, exec, d.Name, c.whole(d.Len()), d.Example, done)
}

// Fits returns an error if the set's examples are none for the classifier: it is empty, they have
// another shape, or they are rows of a table that other training rows standardized.
func (c *Classifier) Fits(d *data.Dataset) error {
	if err := ready(d); err != nil {
		return err
	}
	if !slices.Equal(d.Shape, c.Shape) {
		return fmt.Errorf("ngebm: %s has examples of shape %v, but this classifier was trained on shape %v", d.Name, d.Shape, c.Shape)
	}
	if c.Encoder.Differs(d.Encoder) {
		return fmt.Errorf("ngebm: the rows of %s were standardized by other training rows than this classifier's; encode them with the classifier's Encoder", d.Name)
	}
	return nil
}

// FitsLabels is [Classifier.Fits] for a set whose labels are compared with answers: they must be of
// the classifier's classes, in its order. A set without class names is taken to have these.
func (c *Classifier) FitsLabels(d *data.Dataset) error {
	if err := c.Fits(d); err != nil {
		return err
	}
	for _, label := range d.Labels {
		if label < 0 || int(label) >= len(c.Classes) {
			return fmt.Errorf("ngebm: %s has an example of class %d, counted from 0, and the classifier has %d classes; give a set of the same classes", d.Name, label, len(c.Classes))
		}
	}
	if len(d.Classes) > 0 && !slices.Equal(d.Classes, c.Classes) {
		return fmt.Errorf("ngebm: %s has %d classes, %.200q, and the classifier %d, %.200q; give a set of the same classes in one order, or set its Classes if only their names differ",
			d.Name, len(d.Classes), strings.Join(d.Classes, ", "), len(c.Classes), strings.Join(c.Classes, ", "))
	}
	return nil
}

// LogitsAt returns f(x), [examples][classes], at inputs that need not be examples of a
// dataset: values in the network's units, in which pixels lie in [-1,1], one input
// after the other. Their number must be a multiple of an input's, and all must be finite.
//
// A few inputs are computed in small batches, as a service wants it. The first call for each
// size of a batch (1, 8, 32, 128) compiles, which takes a second or two; ask once before you
// serve.
func (c *Classifier) LogitsAt(ctx context.Context, x []float32) ([][]float64, error) {
	logits, _, err := c.predictAt(ctx, x, false)
	return logits, err
}

// GradientNormsAt returns [Classifier.LogitsAt]'s logits and ‖∂E(x)/∂x‖₂ of each input.
func (c *Classifier) GradientNormsAt(ctx context.Context, x []float32) (logits [][]float64, norms []float64, err error) {
	return c.predictAt(ctx, x, true)
}

func (c *Classifier) predictAt(ctx context.Context, x []float32, gradient bool) ([][]float64, []float64, error) {
	if err := c.checkInputs(x); err != nil {
		return nil, nil, err
	}
	return c.predict(ctx, "the inputs", len(x)/nets.Size(c.Shape), c.inputs(x), gradient)
}

// ApplyAt is [Classifier.Apply] at inputs as [Classifier.LogitsAt] takes them, and in the
// batches that it takes.
func (c *Classifier) ApplyAt(ctx context.Context, exec *model.Exec, x []float32) ([][]float64, error) {
	if err := c.checkInputs(x); err != nil {
		return nil, err
	}
	if exec == nil {
		return nil, errNoExec
	}
	return c.apply(ctx, exec, "the inputs", c.cut(len(x)/nets.Size(c.Shape)), c.inputs(x), nil)
}

func (c *Classifier) checkInputs(x []float32) error {
	size := nets.Size(c.Shape)
	if len(x) == 0 || len(x)%size != 0 {
		return fmt.Errorf("ngebm: %d values are not one or more inputs of shape %v", len(x), c.Shape)
	}
	return checkFinite("value", "the inputs", size, x)
}

// inputs returns a function that copies the i-th of inputs.
func (c *Classifier) inputs(x []float32) func(i int, dst []float32) {
	return func(i int, dst []float32) { copy(dst, x[i*len(dst):]) }
}

func energiesOf(logits [][]float64) []float64 {
	energies := make([]float64, len(logits))
	for i, row := range logits {
		energies[i] = floats.LogSumExp(row)
	}
	return energies
}

func accuracyOf(logits [][]float64, labels []int32) float64 {
	right := 0
	for i, row := range logits {
		if floats.MaxIdx(row) == int(labels[i]) {
			right++
		}
	}
	return float64(right) / float64(max(1, len(logits)))
}
