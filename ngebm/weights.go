package ngebm

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm/internal/ckpt"
	"ngebm/ngebm/internal/explain"
	"ngebm/ngebm/internal/netgraph"
	"ngebm/ngebm/nets"
)

// NewClassifier returns an untrained classifier. Its weights are those that a run
// with this seed starts from.
func NewClassifier(backend compute.Backend, net nets.Network, seed uint64, shape []int, classes []string) (*Classifier, error) {
	if err := checkParts(backend, net, shape, classes); err != nil {
		return nil, err
	}
	if err := fitsCheckpoint(net, shape, len(classes)); err != nil {
		return nil, err
	}
	return newClassifier(backend, net, newStore(seed), ckpt.NetworkScope, shape, classes, evaluationBatch)
}

// NewClassifierFromWeights returns a classifier of a network that was trained elsewhere, for
// examples of the given shape. The weights are float32, in the network's own layouts,
// by their path in it, "layer1.0/conv1/weight"; there must be one for each of the
// network's weights and no others. They are copied.
func NewClassifierFromWeights(backend compute.Backend, net nets.Network, weights map[string]*tensors.Tensor, shape []int, classes []string) (*Classifier, error) {
	if err := checkParts(backend, net, shape, classes); err != nil {
		return nil, err
	}
	store := model.NewStore()
	c, err := newClassifier(backend, net, store, ckpt.NetworkScope, shape, classes, evaluationBatch)
	if err != nil {
		return nil, err
	}
	left := maps.Clone(weights)
	var wrong []error
	for name, v := range weightsOf(store, ckpt.NetworkScope) {
		w, ok := left[name]
		delete(left, name)
		switch {
		case !ok:
			wrong = append(wrong, fmt.Errorf("%s is missing", name))
		case !w.Shape().Equal(v.Shape()):
			wrong = append(wrong, fmt.Errorf("%s is %s, not %s", name, w.Shape(), v.Shape()))
		default:
			own, err := w.LocalClone()
			if err == nil {
				err = v.SetValue(own)
			}
			if err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		wrong = append(wrong, fmt.Errorf("%s belongs to no layer", name))
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("ngebm: the weights are not those of %s with %d classes for examples of shape %v: %w", net, len(classes), shape, errors.Join(wrong...))
	}
	return c, nil
}

// checkParts refuses what no classifier can be made of.
func checkParts(backend compute.Backend, net nets.Network, shape []int, classes []string) error {
	switch {
	case backend == nil:
		return errNoBackend
	case net == nil:
		return errors.New("ngebm: the network is nil; make one with nets.Parse")
	case len(classes) < 2:
		return fmt.Errorf("ngebm: %d classes are named; a classifier has 2 or more", len(classes))
	case len(slices.Compact(slices.Sorted(slices.Values(classes)))) < len(classes):
		return fmt.Errorf("ngebm: two classes of %.200q have one name; give each its own", strings.Join(classes, ", "))
	case !isExample(shape):
		return fmt.Errorf("ngebm: %v is not the shape of an example; give 1 to %d positive sizes with at most %d numbers in all", shape, ckpt.MaxRank, maxInputs)
	}
	return nil
}

func newStore(seed uint64) *model.Store {
	store := model.NewStore()
	nets.Seed(store, seed)
	// For networks that use GoMLX's own initializers or dropout. The store would make the variable itself,
	// but as one that several devices cannot share.
	state, err := graph.RNGStateFromSeed(int64(seed))
	if err == nil {
		var random *model.Variable
		if random, err = store.CreateVariable("/"+model.RNGStateVariableName, state); err == nil {
			random.SetTrainable(false)
		}
	}
	if err != nil {
		panic(err) // no seed and no new store gives one
	}
	return store
}

// addAverages makes the averages' variables, equal to the weights.
func addAverages(store *model.Store) error {
	var weights []*model.Variable
	for v := range store.RootScope().At(ckpt.NetworkScope).IterVariables() {
		weights = append(weights, v)
	}
	for _, v := range weights {
		value, err := v.Value()
		if err != nil {
			return err
		}
		start, err := value.LocalClone()
		if err != nil {
			return err
		}
		average, err := store.CreateVariable(averageOf(v.Path()), start)
		if err != nil {
			return err
		}
		average.SetTrainable(false)
	}
	return nil
}

func averageOf(path string) string {
	return "/" + ckpt.AverageScope + strings.TrimPrefix(path, "/"+ckpt.NetworkScope)
}

// Parameters returns the number of trainable weights.
func (c *Classifier) Parameters() int { return c.parameters }

// Weights calls do with each of the network's weights and its name: "conv1/weight",
// shaped as package nets says. The tensor is valid during the call.
func (c *Classifier) Weights(do func(name string, value *tensors.Tensor) error) error {
	if err := c.calls.begin(); err != nil {
		return err
	}
	defer c.calls.end()
	for name, v := range weightsOf(c.store, c.scope) {
		value, err := v.Value()
		if err != nil {
			return fmt.Errorf("ngebm: weight %s cannot be read: %w", v.Path(), err)
		}
		if err := do(name, value); err != nil {
			return err
		}
	}
	return nil
}

// weightsOf are a network's weights, by their path in its scope.
func weightsOf(store *model.Store, scope string) iter.Seq2[string, *model.Variable] {
	return func(yield func(string, *model.Variable) bool) {
		for v := range store.RootScope().At("%s", scope).IterVariables() {
			if !yield(strings.TrimPrefix(v.Path(), "/"+scope+"/"), v) {
				return
			}
		}
	}
}

// String describes the classifier in one line; [Classifier.Summary] has its layers.
func (c *Classifier) String() string {
	return fmt.Sprintf("%s: %v to %d classes, %d weights", c.Network, c.Shape, len(c.Classes), c.Parameters())
}

// Summary lists the network's layers: for each the shape of its output for one example,
// and its number of weights.
func (c *Classifier) Summary() (string, error) {
	if err := c.calls.begin(); err != nil {
		return "", err
	}
	defer c.calls.end()
	g, err := netgraph.Trace(c.backend, c.store, c.Shape, c.logits)
	if err != nil {
		return "", fmt.Errorf("ngebm: %s: %w", c.Network, explain.Error(err))
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "layer\toutput\tweights\n")
	for _, l := range g.Layers {
		output := "?"
		if l.Output != nil {
			output = fmt.Sprint(l.Output)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\n", strings.TrimPrefix(l.Name, "/"+c.scope+"/"), output, l.Weights)
	}
	fmt.Fprintf(w, "%s\t%v to %d\t%d\n", c.Network, c.Shape, len(c.Classes), c.Parameters())
	_ = w.Flush() // a strings.Builder takes everything
	return b.String(), nil
}

// Operations is the number of multiplications and additions of convolutions and matrix
// products that the logits of one example take: those of the network, also where a device
// computes convolutions in fewer. A training step takes 3 times as many for cross-entropy
// and 6 times for NG-EBM.
func (c *Classifier) Operations() (float64, error) {
	if err := c.calls.begin(); err != nil {
		return 0, err
	}
	defer c.calls.end()
	total, err := c.operations()
	if err != nil {
		return 0, fmt.Errorf("ngebm: %w", explain.Error(err))
	}
	return total / float64(c.batch), nil
}

// maxWeights is the most weights of a network with a name: with Adam's moments and an
// average, a checkpoint of them is as large as one may be.
const maxWeights = ckpt.MaxFile / 16

// fitsCheckpoint refuses a network that is larger than its checkpoints may be, before its
// weights are drawn.
func fitsCheckpoint(net nets.Network, shape []int, classes int) error {
	known, ok := net.(nets.Sized)
	if !ok {
		return nil
	}
	numbers := 0
	for _, dims := range known.Weights(shape, classes) {
		if numbers += nets.Size(dims); numbers > maxWeights {
			return fmt.Errorf("ngebm: %s has more than %d weights for examples of shape %v, and its checkpoints would be larger than they may be; choose a smaller network", net, maxWeights, shape)
		}
	}
	return nil
}

// examplesAtOnce is how many of N examples are evaluated in one batch: as many as a
// device is busy with, and so few that the activations of one layer fit a memory. The
// network may be untrusted, so what cannot be evaluated is refused before it is built.
func examplesAtOnce(net nets.Network, shape []int, classes, examples int) (int, error) {
	if classes > maxClasses {
		return 0, fmt.Errorf("ngebm: there are %d classes, more than %d; merge some", classes, maxClasses)
	}
	widest := max(nets.Size(shape), classes)
	if known, ok := net.(nets.Sized); ok && len(shape) > 0 {
		widest = known.Widest(shape, classes)
	}
	if widest > maxActivations {
		return 0, fmt.Errorf("ngebm: a layer of %s has %d numbers for one example of shape %v, more than %d; use smaller examples, as data@64 gives, or a narrower network", net, widest, shape, maxActivations)
	}
	return max(1, min(evaluationBatch, examples, maxActivations/max(1, widest))), nil
}

// ready reports whether a set can be run through a network: a set that data.New did not make
// may lack pixels, or what scales them.
func ready(d *data.Dataset) error {
	if d == nil {
		return errors.New("ngebm: the dataset is nil; open one with data.Open, or make one with data.New")
	}
	values, wanted := len(d.Points), d.Len()*nets.Size(d.Shape)
	if d.IsImages() {
		values = len(d.Pixels)
	}
	if d.Checksum == "" || d.Len() == 0 || values != wanted || d.IsImages() && d.MaxPixel == 0 {
		return fmt.Errorf("ngebm: the set %q has %d values for %d examples of shape %v, and was not made by data.New, which checks it; make it with data.New", d.Name, values, d.Len(), d.Shape)
	}
	return nil
}

// BuildLogits builds the network's logits, [batch, classes], of x, [batch, shape…], in x's
// graph, which may be of any backend. It panics as GoMLX does.
func (c *Classifier) BuildLogits(x *graph.Node) *graph.Node { return c.logits(x) }
