package ngebm_test

import (
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/ngebm"
	"ngebm/ngebm/nets"
)

// ownNet is a network of a person's own, of a convolution, a pooling and a linear layer.
type ownNet struct {
	name, last string // of the network and of its last layer
	pool       func(x *graph.Node) *graph.Node
}

func (n ownNet) String() string { return n.name }

func (n ownNet) Logits(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
	x = n.pool(nets.SiLU(nets.Conv(scope.In("conv"), x, 4, 3, 1)))
	x = graph.Reshape(x, x.Shape().Dimensions[0], -1)
	return nets.Dense(scope.In("%s", n.last), x, classes)
}

// A network with GoMLX's pooling is refused where its gradient norm is asked for, with
// what to use instead, which trains.
func TestOwnPooling(t *testing.T) {
	first := func(x *graph.Node) *graph.Node { return graph.MaxPool(x).Window(2).Done() }
	second := func(x *graph.Node) *graph.Node { return nets.MaxPool2D(x, 2) }
	for _, c := range []struct {
		net   ownNet
		gamma float64
		err   string
	}{
		{ownNet{"graph-pool", "dense", first}, 0, ""},
		{ownNet{"graph-pool", "dense", first}, .1, "use nets.MaxPool2D"},
		{ownNet{"nets-pool", "dense", second}, .1, ""},
		{ownNet{"one-name", "conv", second}, 0, "each layer needs a name of its own"},
	} {
		cfg := ngebm.DefaultConfig("digits", "")
		cfg.Limit, cfg.Epochs, cfg.Beta, cfg.Gamma = 64, 1, c.gamma, c.gamma
		_, err := ngebm.Train(t.Context(), open(t, "cpu"), cfg, ngebm.Options{Runs: t.TempDir(), Network: c.net})
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s with γ=%g: %v, want %q", c.net, c.gamma, err, c.err)
		}
	}
}
