package nets

import (
	"fmt"
	"iter"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"ngebm/ngebm/energy"
)

// Gauge adds one number g(x) to all logits of a network. The softmax cancels it: p(y|x),
// and with it cross-entropy, accuracy and calibration, are those of the network alone. The
// energy becomes E(x) + g(x), so that the terms of NG-EBM can be met by g instead of by the
// classifier. Nothing in p(y|x) says which g is right. LogitNorm divides the logits by their
// length, which g changes: with it, cross-entropy is not that of the network alone.
type Gauge struct {
	Net  Network
	Head string // one of [Heads]
}

// Heads lists what g may be, each with what it is.
func Heads() [][2]string {
	return [][2]string{
		{"exact", "-logsumexp of the logits: E is 0 everywhere, and so are both terms"},
		{"logits", "a small MLP (64, 64) on the logits"},
		{"mlp", "a small MLP (64, 64) on the input"},
		{"network", "a second network of the same kind, with one output, on the input"},
	}
}

// gaugeMark is between the names of the network and of the head.
const gaugeMark = "+gauge-"

// headWidths are the hidden layers of the small heads.
var headWidths = []int{64, 64}

// parseGauge reads the name of a network with a head.
func parseGauge(name, head string) (Network, error) {
	net, err := Parse(name)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(Heads(), func(h [2]string) bool { return h[0] == head }) {
		return nil, fmt.Errorf("nets: no head is named %.60q; after %s comes one of %s", head, gaugeMark, names(Heads()))
	}
	return Gauge{Net: net, Head: head}, nil
}

// String implements [Network]: "convnet+gauge-logits".
func (g Gauge) String() string { return g.Net.String() + gaugeMark + g.Head }

// Logits implements [Network]. The network's weights are named, and so drawn, as without
// the head, whose own are in gauge. It panics where no head has that name.
func (g Gauge) Logits(scope *model.Scope, x *Node, classes int) *Node {
	f := g.Net.Logits(scope, x, classes)
	own := scope.In("gauge")
	switch g.Head {
	case "exact":
		return Sub(f, InsertAxes(energy.LogSumExp(f), -1))
	case "logits":
		return Add(f, MLP{Hidden: headWidths}.Logits(own, f, 1))
	case "mlp":
		return Add(f, MLP{Hidden: headWidths}.Logits(own, x, 1))
	case "network":
		return Add(f, g.Net.Logits(own, x, 1))
	}
	exceptions.Panicf("nets: no head is named %.60q; choose one of %s", g.Head, names(Heads()))
	return nil
}

// UsesBatches and LearnsFromBatches implement [BatchStatistics]: they are the network's.
func (g Gauge) UsesBatches() bool {
	b, ok := g.Net.(BatchStatistics)
	return ok && b.UsesBatches()
}

func (g Gauge) LearnsFromBatches() bool {
	b, ok := g.Net.(BatchStatistics)
	return ok && b.LearnsFromBatches()
}

// head returns the network of the head with the shape that it takes, or nil.
func (g Gauge) head(shape []int, classes int) (Sized, []int) {
	switch g.Head {
	case "exact":
		return nil, nil
	case "logits":
		return MLP{Hidden: headWidths}, []int{classes}
	case "mlp":
		return MLP{Hidden: headWidths}, shape
	default:
		return g.Net.(Sized), shape
	}
}

// Weights implements [Sized]. A network that does not has weights that are known when they are
// built: then there are none.
func (g Gauge) Weights(shape []int, classes int) iter.Seq2[string, []int] {
	return func(yield func(string, []int) bool) {
		net, ok := g.Net.(Sized)
		if !ok {
			return
		}
		for name, dims := range net.Weights(shape, classes) {
			if !yield(name, dims) {
				return
			}
		}
		head, takes := g.head(shape, classes)
		if head == nil {
			return
		}
		for name, dims := range head.Weights(takes, 1) {
			if !yield("gauge/"+name, dims) {
				return
			}
		}
	}
}

// Widest implements [Sized]. Of a network that does not it knows inputs and outputs only.
func (g Gauge) Widest(shape []int, classes int) int {
	net, ok := g.Net.(Sized)
	if !ok {
		return max(Size(shape), classes)
	}
	widest := net.Widest(shape, classes)
	if head, takes := g.head(shape, classes); head != nil {
		widest = max(widest, head.Widest(takes, 1))
	}
	return widest
}
