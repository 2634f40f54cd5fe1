package ngebm_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/train"
)

// At a set's own examples LogitsAt says what Logits says, and it refuses what is no
// whole number of inputs.
func TestLogitsAt(t *testing.T) {
	cfg := small()
	cfg.Epochs = 1
	run, err := train.Run(context.Background(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	want, err := run.Classifier.Logits(t.Context(), run.Test)
	if err != nil {
		t.Fatal(err)
	}
	got, err := run.Classifier.LogitsAt(t.Context(), run.Test.Points)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Error("the logits at the points of the test set are not those of the set")
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		want := fmt.Sprintf("value 1 of example 2 (from 0) of the inputs is %v; it must be finite", v)
		if f, err := run.Classifier.LogitsAt(t.Context(), []float32{0, 1, 2, 3, 4, float32(v)}); err == nil || f != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v (%v), want %q", v, f, err, want)
		}
	}
	for _, x := range [][]float32{nil, {1, 2, 3}} {
		if _, err := run.Classifier.LogitsAt(t.Context(), x); err == nil || !strings.Contains(err.Error(), "not one or more inputs of shape [2]") {
			t.Errorf("%d values: error %v", len(x), err)
		}
	}
}

// What no classifier or run can be made of is an error that says what to do, not a panic.
func TestNewWithoutParts(t *testing.T) {
	backend, two := testdevice.Open(t, "go"), []string{"a", "b"}
	mlp, convnet := nets.MLP{Hidden: []int{3}}, nets.ConvNet{Channels: []int{3}}
	for _, c := range []struct {
		backend compute.Backend
		net     nets.Network
		shape   []int
		classes []string
		want    string
	}{
		{nil, mlp, []int{2}, two, "the backend is nil; open one with device.Open"},
		{backend, nil, []int{2}, two, "the network is nil; make one with nets.Parse"},
		{backend, convnet, nil, two, "[] is not the shape of an example"},
		{backend, mlp, []int{2, 0}, two, "[2 0] is not the shape of an example"},
		{backend, mlp, []int{-2}, two, "[-2] is not the shape of an example"},
		{backend, convnet, []int{2}, two, "cannot build convnet"},
		{backend, mlp, []int{2}, nil, "0 classes are named; a classifier has 2 or more"},
		{backend, mlp, []int{2}, []string{"a", "b", "a"}, `two classes of "a, b, a" have one name`},
		{backend, mlp, []int{2}, two[:1], "1 classes are named; a classifier has 2 or more"},
	} {
		_, err := ngebm.NewClassifier(c.backend, c.net, 1, c.shape, c.classes)
		testerror.Want(t, err, c.want)
		_, err = ngebm.NewClassifierFromWeights(c.backend, c.net, nil, c.shape, c.classes)
		testerror.Want(t, err, c.want)
	}
	moons, test, err := data.Open(t.Context(), "moons:60", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ngebm.NewRun(nil, small(), ngebm.Setup{Train: moons, Test: test})
	testerror.Want(t, err, "the backend is nil; open one with device.Open")
	_, err = ngebm.NewRun(backend, small(), ngebm.Setup{Train: moons})
	testerror.Want(t, err, "the dataset is nil; open one with data.Open")
}

// Two classifiers of the same tensors are independent of each other, and leave the tensors alone.
func TestClassifiersOfTheSameWeights(t *testing.T) {
	backend, net, classes, x := testdevice.Open(t, "go"), nets.MLP{Hidden: []int{3}}, []string{"a", "b"}, []float32{1, -2}
	trained, err := ngebm.NewClassifier(backend, net, 1, []int{2}, classes)
	if err != nil {
		t.Fatal(err)
	}
	weights := map[string]*tensors.Tensor{}
	if err := trained.Weights(func(name string, value *tensors.Tensor) (err error) {
		weights[name], err = value.LocalClone()
		return err
	}); err != nil {
		t.Fatal(err)
	}
	want, err := trained.LogitsAt(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	var made []*ngebm.Classifier
	for range 2 {
		c, err := ngebm.NewClassifierFromWeights(backend, net, weights, []int{2}, classes)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, c)
	}
	made[0].Close()
	if got, err := made[1].LogitsAt(t.Context(), x); err != nil || !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("once the other is closed, the logits are %v, not %v (%v)", got, want, err)
	}
	for name, w := range weights {
		if w.CheckValid() != nil {
			t.Errorf("%s is not valid any more", name)
		}
	}
}

// A network whose output is not finite, of finite inputs, has no energies to compare.
func TestNoEnergyIsNaN(t *testing.T) {
	cfg := small()
	cfg.Epochs, cfg.Net = 1, ""
	run, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir(), Network: roots{}})
	if err != nil {
		t.Fatal(err)
	}
	far := data.Dataset{Info: data.Info{Name: "far", Classes: []string{"0", "1"}}, Shape: []int{2}, Points: []float32{0, 0, -1e6, 0}, Labels: []int32{0, 1}}
	set, err := data.New(far)
	if err != nil {
		t.Fatal(err)
	}
	energies, err := run.Classifier.Energies(t.Context(), set)
	_, err2 := run.Classifier.Logits(t.Context(), set)
	_, err3 := run.Classifier.GradientNorms(t.Context(), set)
	_, err4 := run.Classifier.LogitsAt(t.Context(), set.Points)
	for _, err := range []error{err, err2, err3, err4} {
		if err == nil || len(energies) != 0 || !strings.Contains(err.Error(), "logit 0 of example 1 (from 0) of ") || !strings.Contains(err.Error(), "is NaN; it must be finite") {
			t.Errorf("%v (%v)", energies, err)
		}
	}
}

// roots is a network that knows no far points: below -100 its logits are NaN.
type roots struct{}

func (roots) String() string { return "roots" }

func (roots) Logits(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
	return graph.Add(nets.Dense(scope, x, classes), graph.ReduceAndKeep(graph.Sqrt(graph.AddScalar(x, 100)), graph.ReduceSum, -1))
}

// drawn is a network whose weights GoMLX draws.
type drawn struct{}

func (drawn) String() string { return "drawn" }

func (drawn) Logits(scope *model.Scope, x *graph.Node, classes int) *graph.Node {
	for _, name := range []string{"b", "a"} {
		w := scope.In("%s", name).VariableWithShape("weight", shapes.Make(x.DType(), x.Shape().Dimensions[1], classes))
		x = graph.Dot(x, w.NodeValue(x.Graph())).Product()
	}
	return x
}

// A classifier has the weights that GoMLX draws, and the random numbers after them, to the bit as
// the first execution of a training step would draw them, which has an optimizer's variables, too.
func TestDrawnWeights(t *testing.T) {
	for _, device := range []string{"go", "cpu"} {
		backend := testdevice.Open(t, device)
		c, err := ngebm.NewClassifier(backend, drawn{}, 7, []int{5}, []string{"a", "b", "c"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		store := model.NewStore()
		if err := store.SetRNGStateFromSeed(7); err != nil {
			t.Fatal(err)
		}
		exec, err := model.NewExec(backend, store, func(scope *model.Scope, x *graph.Node) *graph.Node {
			f := drawn{}.Logits(scope.In("net"), x, 3)
			moment := scope.WithInitializer(graph.Zeros).VariableWithShape("moment", shapes.Make(dtypes.Float32, 3))
			return graph.Add(f, graph.InsertAxes(moment.NodeValue(x.Graph()), 0))
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := exec.Exec([][]float32{{1, 2, 3, 4, 5}}); err != nil {
			t.Fatal(err)
		}
		n := 0
		for v := range c.Store().IterVariables() {
			n++
			if want := store.GetVariable(v.Path()).MustValue(); !v.MustValue().Equal(want) {
				t.Errorf("%s on %s: %v, want %v", v.Path(), device, v.MustValue(), want)
			}
		}
		if n != 3 {
			t.Errorf("%d variables", n)
		}
	}
}
