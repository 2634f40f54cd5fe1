package train_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"

	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/train"
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
	if testing.Short() {
		t.Skip("SKIPPED with -short: it compiles three networks with convolutions")
	}
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
		{ownNet{"one-name", "conv", second}, 0, "two layers share a scope name"},
	} {
		cfg := ngebm.DefaultConfig("digits", "")
		cfg.Limit, cfg.Epochs, cfg.Beta, cfg.Gamma = 64, 1, c.gamma, c.gamma
		_, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir(), Network: c.net})
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s with γ=%g: %v, want %q", c.net, c.gamma, err, c.err)
		}
	}
}

// freeNet is a network of a person's own whose parts are functions.
type freeNet func(scope *model.Scope, x *graph.Node, classes int) *graph.Node

func (freeNet) String() string { return "free" }

func (n freeNet) Logits(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
	return n(scope, graph.Reshape(x, x.Shape().Dimensions[0], -1), classes)
}

// drawn is a linear layer whose weights GoMLX draws.
func drawn(draw func(*model.Scope) initializer.VariableInitializer, trainable bool) freeNet {
	return func(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
		w := scope.In("linear").WithInitializer(draw(scope)).VariableWithShape("weight", shapes.Make(x.DType(), x.Shape().Dimensions[1], classes))
		w.SetTrainable(trainable)
		return nets.Dense(scope.In("out"), graph.Dot(x, w.NodeValue(x.Graph())).Product(), classes)
	}
}

// What an edit of a person's own network changes without a trace in its graph is part of
// its run as well: how weights are drawn, and which are trained.
func TestOwnInitialWeights(t *testing.T) {
	backend, runs := testdevice.Open(t, "go"), t.TempDir()
	cfg := ngebm.DefaultConfig("digits", "")
	cfg.Limit, cfg.Epochs = 64, 1
	normal := func(deviation float64) func(*model.Scope) initializer.VariableInitializer {
		return func(s *model.Scope) initializer.VariableInitializer { return initializer.RandomNormalFn(s, deviation) }
	}
	seen := map[string]string{}
	for name, net := range map[string]freeNet{
		"wide": drawn(normal(5), true), "narrow": drawn(normal(.05), true), "fixed": drawn(normal(.05), false),
	} {
		for _, again := range []bool{false, true} {
			run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs, Network: net})
			if err != nil {
				t.Fatal(name, err)
			}
			if run.Loaded != again || seen[run.Hash] != "" && seen[run.Hash] != name {
				t.Errorf("%s is loaded: %v, want %v, as %s", name, run.Loaded, again, seen[run.Hash])
			}
			seen[run.Hash] = name
		}
	}
}

// Weights that GoMLX draws are there before the first step: to be averaged, to roll back to, to
// be saved and to be read.
func TestOwnDrawnWeights(t *testing.T) {
	backend := testdevice.Open(t, "go")
	net := drawn(func(s *model.Scope) initializer.VariableInitializer { return initializer.RandomNormalFn(s, .05) }, true)
	for _, set := range []string{"ema=.99", "recover.times=3", "stopped"} {
		cfg := ngebm.DefaultConfig("digits", "")
		cfg.Limit, cfg.Epochs = 64, 1
		opts, want := train.Options{Runs: t.TempDir(), Network: net}, error(nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if set == "stopped" { // while the step is compiled
			opts.Progress, want = stopAfter{0, cancel}, train.ErrStopped
		} else if err := cfg.Set(set); err != nil {
			t.Fatal(err)
		}
		run, err := train.Run(ctx, backend, cfg, opts)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", set, err)
		} else if !run.HasCheckpoint() {
			t.Errorf("%s: it is not saved", set)
		}
	}
	c, err := ngebm.NewClassifier(backend, net, 1, []int{3}, []string{"a", "b"})
	if err == nil {
		err = c.Weights(func(string, *tensors.Tensor) error { return nil })
	}
	if err != nil {
		t.Error(err)
	}
}

// A network that normalizes by its batch is refused where its energy is trained, with what to
// use instead.
func TestOwnBatchNorm(t *testing.T) {
	ours := func(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
		return nets.Dense(scope.In("out"), nets.BatchNorm(scope.In("norm"), x, .1), classes)
	}
	gomlx := func(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
		x = nets.Dense(scope.In("in"), x, 4)
		if scope.IsTraining(x.Graph()) {
			zero, one := graph.Zeros(x.Graph(), shapes.Make(x.DType(), 4)), graph.Ones(x.Graph(), shapes.Make(x.DType(), 4))
			x, _, _ = graph.InternalBatchNormForTraining(x, one, zero, 1e-3, 1)
		}
		return nets.Dense(scope.In("out"), x, classes)
	}
	differentiable := func(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
		// What GoMLX's norm.BatchNorm does with UseBackendInference(false); this module lacks what it imports.
		scope.Store().RootScope().SetParam("batch_normalization_averages_updates_trigger", true)
		return nets.Dense(scope.In("out"), graph.Sub(x, graph.ReduceAndKeep(x, graph.ReduceMean, 0)), classes)
	}
	for name, net := range map[string]freeNet{"nets.BatchNorm": ours, "GoMLX's": gomlx, "GoMLX's, of simple operations": differentiable} {
		cfg := ngebm.DefaultConfig("digits", "")
		cfg.Limit, cfg.Epochs, cfg.Beta = 64, 1, .1
		device := map[bool]string{true: "cpu", false: "go"}[name == "GoMLX's"]
		_, err := train.Run(t.Context(), testdevice.Open(t, device), cfg, train.Options{Runs: t.TempDir(), Network: net})
		if err == nil || !strings.Contains(err.Error(), "use nets.GroupNorm, nets.LayerNorm") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Statistics that a network keeps would be lost in bfloat16, which is refused with what to do.
func TestOwnStatisticsInBFloat16(t *testing.T) {
	normalize := map[string]func(*model.Scope, *graph.Node) *graph.Node{
		"batch": func(s *model.Scope, x *graph.Node) *graph.Node { return nets.BatchNorm(s, x, .1) },
		"act":   nets.ActNorm,
		"layer": nets.LayerNorm,
	}
	for _, c := range []struct{ norm, precision, err string }{
		{"batch", ngebm.BFloat16, "changes its variable norm/running_"},
		{"act", ngebm.BFloat16, "use nets.GroupNorm, nets.LayerNorm or nets.InstanceNorm, or precision=float32"},
		{"layer", ngebm.BFloat16, ""},
		{"batch", "float32", ""},
	} {
		net := freeNet(func(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
			return nets.Dense(scope.In("out"), normalize[c.norm](scope.In("norm"), x), classes)
		})
		cfg := ngebm.DefaultConfig("digits", "")
		cfg.Limit, cfg.Epochs, cfg.Precision = 64, 1, c.precision
		_, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir(), Network: net})
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s in %s: %v, want %q", c.norm, c.precision, err, c.err)
		}
	}
}

// A network with operations that the pure-Go backend lacks is traced on its own backend; a
// loss that a network adds would not be trained, and is refused, as is a variable that no
// checkpoint holds.
func TestOwnOperations(t *testing.T) {
	cfg := ngebm.DefaultConfig("digits", "")
	cfg.Limit, cfg.Epochs = 64, 1
	linear := func(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
		return nets.Dense(scope.In("out"), x, classes)
	}
	normalized := freeNet(func(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
		n := x.Shape().Dimensions[1]
		zero, one := graph.Zeros(x.Graph(), shapes.Make(x.DType(), n)), graph.Ones(x.Graph(), shapes.Make(x.DType(), n))
		return linear(scope, graph.InternalBatchNormForInference(x, one, zero, zero, one, 1e-3, 1), classes)
	})
	for range 2 {
		if _, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir(), Network: normalized}); err != nil {
			t.Error(err)
		}
	}
	adding := freeNet(func(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
		model.SetGraphParam(x.Graph(), "/trainer/trainer_regularization_loss", graph.ReduceAllSum(x))
		return linear(scope, x, classes)
	})
	_, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir(), Network: adding})
	testerror.Want(t, err, "the network adds a loss", "leave it out")
	masked := freeNet(func(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
		mask := scope.VariableWithValue("mask", make([]bool, x.Shape().Dimensions[1])).SetTrainable(false).NodeValue(x.Graph())
		return linear(scope, graph.Where(graph.BroadcastPrefix(mask, x.Shape().Dimensions[0]), graph.ZerosLike(x), x), classes)
	})
	_, err = train.Run(t.Context(), testdevice.Open(t, "go"), cfg, train.Options{Runs: t.TempDir(), Network: masked})
	testerror.Want(t, err, "the run cannot be saved", `"/net/mask" of type "Bool"`, "such as Float32")
}
