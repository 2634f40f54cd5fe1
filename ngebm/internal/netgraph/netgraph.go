// Package netgraph writes down what a network computes: its operations with their
// attributes, constants and shapes, in the order in which they are built. Two networks
// whose weights have the same names and shapes may still differ there: in an activation,
// a pooling, a residual connection, a dropout rate.
//
// The graph is built on GoMLX's pure-Go backend, which computes nothing for it, so that
// the description is the same in every process and for every device. Only a network with
// an operation that this backend lacks is built on the one that it runs on.
package netgraph

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// batch is the number of examples that a network is traced with. It is not 1, which
// reshaping and broadcasting can mistake for an axis to drop.
const batch = 2

// Graph describes a network.
type Graph struct {
	// Lines has one line for each operation. Operations are numbered from 0, and name
	// the operations that they read by these numbers.
	Lines []string
	// Layers are the parts that have weights, in the order in which they are applied.
	Layers []Layer
	// Former is the Sum of before 2026-12, which does not distinguish gradients of a person's own
	// where they are of weights alone; empty for a network without such gradients.
	Former string

	ofWeights bool // it has such gradients
}

// Sum is the SHA-256 of the lines, in hex.
func (g Graph) Sum() string {
	sum := sha256.Sum256([]byte(strings.Join(g.Lines, "\n")))
	return hex.EncodeToString(sum[:])
}

// Trace describes the network that logits builds on inputs shaped [batch, shape…], with
// its weights in the store: as it is evaluated, and, where that differs, as it is
// trained. It runs on the given backend. The error says why a network cannot be built.
func Trace(backend compute.Backend, store *model.Store, shape []int, logits func(x *graph.Node) *graph.Node) (Graph, error) {
	pure, err := gobackend.New("")
	if err != nil {
		return Graph{}, err
	}
	defer pure.Finalize()
	described, err := both(pure, store, shape, logits, false)
	if err != nil {
		described, err = both(backend, store, shape, logits, false)
	} else {
		backend = pure
	}
	if err != nil || !described.ofWeights {
		return described, err
	}
	former, err := both(backend, store, shape, logits, true)
	described.Former = former.Sum()
	return described, err
}

// both describes a network as it is evaluated and as it is trained; former is for [Graph.Former].
func both(backend compute.Backend, store *model.Store, shape []int, logits func(x *graph.Node) *graph.Node, former bool) (Graph, error) {
	evaluated, err := trace(backend, store, shape, logits, false, former)
	if err != nil {
		return Graph{}, err
	}
	trained, err := trace(backend, store, shape, logits, true, former)
	if err != nil {
		return Graph{}, err
	}
	if !slices.Equal(trained.Lines, evaluated.Lines) {
		evaluated.Lines = append(append(evaluated.Lines, "in training:"), trained.Lines...)
	}
	evaluated.ofWeights = evaluated.ofWeights || trained.ofWeights
	return evaluated, nil
}

func trace(backend compute.Backend, store *model.Store, shape []int, logits func(x *graph.Node) *graph.Node, training, former bool) (described Graph, err error) {
	constants := &recorder{Backend: backend}
	g := graph.NewGraph(constants, "network")
	defer g.Finalize()
	var fixed []string
	err = exceptions.TryCatch[error](func() {
		x := graph.Parameter(g, "x", shapes.Make(dtypes.Float32, append([]int{batch}, shape...)...))
		store.SetTraining(g, training)
		y := logits(x)
		described.Layers = layers(g.Nodes(), store, g)
		// What a gradient of a person's own does shows in a gradient only.
		if of := withOwnGradients(g, x, store); len(of) > 0 {
			if described.ofWeights = len(of) > 1; former {
				of = of[:1]
			}
			graph.Gradient(graph.ReduceAllSum(y), of...)
		}
		for _, n := range g.Nodes() {
			line, _, _ := strings.Cut(n.String(), " - mem: ")
			described.Lines = append(described.Lines, strings.TrimPrefix(line, "Node "))
		}
		described.Lines = append(described.Lines, fmt.Sprintf("logits #%d", y.Id()))
		for v := range store.IterVariables() {
			if !v.Trainable && v.InUseByGraph(g) {
				fixed = append(fixed, "not trained: "+v.Path())
			}
		}
	})
	if err != nil {
		return Graph{}, errors.New(strings.SplitN(err.Error(), "\n", 2)[0])
	}
	slices.Sort(fixed)
	described.Lines = slices.Concat(described.Lines, fixed, constants.lines)
	return described, nil
}

// withOwnGradients are the nodes whose gradients show what the gradients of a person's own do: the
// input, and the weights where such a gradient is of weights alone. None without such a gradient.
func withOwnGradients(g *graph.Graph, x *graph.Node, store *model.Store) (of []*graph.Node) {
	fromInput, own, ofWeights := map[*graph.Node]bool{x: true}, false, false
	for _, n := range g.Nodes() {
		fromInput[n] = fromInput[n] || slices.ContainsFunc(n.Inputs(), func(in *graph.Node) bool { return fromInput[in] })
		if n.CustomGradient() != nil {
			own, ofWeights = true, ofWeights || !fromInput[n]
		}
	}
	if !own {
		return nil
	}
	of = append(of, x)
	if !ofWeights {
		return of
	}
	weights := map[string]*graph.Node{}
	for v := range store.IterVariables() {
		if v.Trainable && v.DType().IsFloat() && v.InUseByGraph(g) {
			weights[v.Path()] = v.NodeValue(g)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(weights)) {
		of = append(of, weights[path])
	}
	return of
}

// Difference says where two descriptions first differ, in one line; empty if they do not.
func Difference(before, now []string) string {
	for i := range max(len(before), len(now)) {
		switch {
		case i >= len(before):
			return fmt.Sprintf("it has %d more lines, from %.400q on", len(now)-i, now[i])
		case i >= len(now):
			return fmt.Sprintf("it lacks the last %d lines, from %.400q on", len(before)-i, before[i])
		case before[i] != now[i]:
			return fmt.Sprintf("it was %.400q and is %.400q", before[i], now[i])
		}
	}
	return ""
}
