package train_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/train"
)

// level is a network whose logits are the same for every input and class.
type level struct{}

func (level) String() string { return "level" }

func (level) Logits(scope *model.Scope, x *Node, classes int) *Node {
	h := nets.Dense(scope.In("level"), MulScalar(x, 0), classes)
	return Add(MulScalar(h, 0), InsertAxes(ReduceMean(h, 1), -1))
}

// Odd numbers of every kind train to numbers: batches of one, where the energy has no
// variance; logits that are all alike, where its gradient is zero; inputs so large that
// float32 only just holds them.
func TestExtremeValuesTrainToNumbers(t *testing.T) {
	backend := testdevice.Open(t, "go")
	trainSet, testSet, err := data.Open(t.Context(), "moons:240", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	scaled := func(d *data.Dataset, by float32) *data.Dataset {
		points := slices.Clone(d.Points)
		for i := range points {
			points[i] *= by
		}
		s, err := data.New(data.Dataset{Info: d.Info, Shape: d.Shape, Points: points, Labels: d.Labels})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, c := range []struct {
		name   string
		change func(*ngebm.Config, *train.Options)
		check  func(t *testing.T, h *ngebm.History, last int)
	}{
		{"batches of one", func(c *ngebm.Config, _ *train.Options) { c.Batch, c.Epochs = 1, 1 }, func(t *testing.T, h *ngebm.History, last int) {
			if v := h.Values[1][last]; v != 0 {
				t.Errorf("the variance of one energy is %v", v)
			}
		}},
		{"level logits", func(c *ngebm.Config, o *train.Options) { c.Net, o.Network = "", level{} }, func(t *testing.T, h *ngebm.History, last int) {
			for i, want := range []float64{math.Ln2, 0, 0} { // two classes
				if got := float64(h.Values[i][last]); math.Abs(got-want) > 1e-6 {
					t.Errorf("%s is %v, want %v", h.Terms[i], got, want)
				}
			}
		}},
		{"large inputs", func(_ *ngebm.Config, o *train.Options) {
			o.TrainSet, o.TestSet = scaled(trainSet, 1e3), scaled(testSet, 1e3)
		}, nil},
		{"large inputs in bfloat16", func(c *ngebm.Config, o *train.Options) {
			c.Precision, o.TrainSet, o.TestSet = "bfloat16", scaled(trainSet, 1e3), scaled(testSet, 1e3)
		}, nil},
		{"level logits in bfloat16", func(c *ngebm.Config, o *train.Options) { c.Precision, c.Net, o.Network = "bfloat16", "", level{} }, nil},
		{"tiny inputs", func(_ *ngebm.Config, o *train.Options) {
			o.TrainSet, o.TestSet = scaled(trainSet, 1e-38), scaled(testSet, 1e-38)
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, opts := small(), train.Options{Runs: t.TempDir()}
			c.change(&cfg, &opts)
			run, err := train.Run(t.Context(), backend, cfg, opts)
			if err != nil {
				t.Fatal(err)
			}
			h := run.History
			for i, term := range append(h.Values, h.Loss) {
				for step, v := range term {
					if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
						t.Fatalf("term %d is %v at step %d", i, v, step+1)
					}
				}
			}
			if c.check != nil {
				c.check(t, h, h.Steps()-1)
			}
		})
	}
	// Inputs that overflow stop the run with the reason.
	cfg := small()
	_, err = train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir(), TrainSet: scaled(trainSet, 1e37), TestSet: scaled(testSet, 1e37)})
	if !errors.Is(err, train.ErrDiverged) {
		t.Errorf("inputs of 1e37: %v", err)
	}
}

// Numbers that are none are refused where they come in, by example.
func TestNaNInDataRefused(t *testing.T) {
	trainSet, testSet, err := data.Open(t.Context(), "moons:240", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[float32]string{float32(math.NaN()): "NaN", float32(math.Inf(-1)): "-Inf"} {
		bad := *trainSet
		bad.Points = slices.Clone(trainSet.Points)
		bad.Points[7] = value
		_, err := train.Run(t.Context(), testdevice.Open(t, "go"), small(), train.Options{Runs: t.TempDir(), TrainSet: &bad, TestSet: testSet})
		testerror.Want(t, err, want, "example 3")
	}
	changed := *trainSet
	changed.Labels = slices.Clone(trainSet.Labels)
	changed.Labels[0] = 1 - changed.Labels[0]
	_, err = train.Run(t.Context(), testdevice.Open(t, "go"), small(), train.Options{Runs: t.TempDir(), TrainSet: &changed, TestSet: testSet})
	testerror.Want(t, err, "was modified after data.New")
}

// poisoned is a checkpoint in which one value of a tensor is NaN, whole otherwise.
func poisoned(t *testing.T, raw []byte, name string) []byte {
	t.Helper()
	raw = slices.Clone(raw)
	n := int(binary.LittleEndian.Uint64(raw[8:]))
	var header struct {
		Tensors []struct {
			Name, DType string
			Shape       []int
		}
	}
	if err := json.Unmarshal(raw[16:16+n], &header); err != nil {
		t.Fatal(err)
	}
	at := 16 + n
	for _, tensor := range header.Tensors {
		if tensor.Name == name {
			binary.LittleEndian.PutUint32(raw[at:], math.Float32bits(float32(math.NaN())))
			sum := sha256.Sum256(raw[:len(raw)-sha256.Size])
			copy(raw[len(raw)-sha256.Size:], sum[:])
			return raw
		}
		size := map[string]int{"float32": 4, "int64": 8, "uint64": 8}[strings.ToLower(tensor.DType)]
		if size == 0 {
			t.Fatalf("%s is of %s", tensor.Name, tensor.DType)
		}
		for _, d := range tensor.Shape {
			size *= d
		}
		at += size
	}
	t.Fatalf("no tensor %q among %v", name, header.Tensors)
	return nil
}

// A run whose weights are NaN is not gone on with; the error names the weight, and its
// checkpoint stays for whoever wants to look.
func TestNaNInWeights(t *testing.T) {
	cfg, runs, backend := small(), t.TempDir(), testdevice.Open(t, "go")
	stoppedAt(t, cfg, runs, 23)
	path := file(t, runs, "checkpoint.ngebm")
	bad := poisoned(t, readFile(t, path), "/net/fc0/weight")
	writeFile(t, path, bad)
	_, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs, SaveEvery: 1})
	testerror.Want(t, err, path, `"/net/fc0/weight"`, "NaN or infinite", "delete the file to train it again")
	if !bytes.Equal(readFile(t, path), bad) {
		t.Error("the checkpoint was replaced")
	}
}

// A set that leaves one example for its last batch gets the numbers that its examples
// get in batches of other sizes.
func TestLastBatchOfOne(t *testing.T) {
	run, err := train.Run(t.Context(), testdevice.Open(t, "go"), small(), train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	c := run.Classifier
	all, _, err := data.Open(t.Context(), "moons:129", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	energies, err1 := c.Energies(t.Context(), all)
	norms, err2 := c.GradientNorms(t.Context(), all)
	last, err3 := all.Subset("last", []int{all.Len() - 1})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	e, err1 := c.Energies(t.Context(), last)
	n, err2 := c.GradientNorms(t.Context(), last)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if i := all.Len() - 1; e[0] != energies[i] || n[0] != norms[i] {
		t.Errorf("alone %v and %v, last of %d %v and %v", e[0], n[0], all.Len(), energies[i], norms[i])
	}
}

// Energy and cross-entropy of logits at the ends of float32's range are numbers: the
// largest logit is taken out before anything is raised to a power.
func TestExtremeLogits(t *testing.T) {
	backend := testdevice.Open(t, "go")
	for _, logits := range [][]float32{{0, 0, 0}, {1e38, -1e38, 0}, {-1e38, -1e38, -1e38}, {3e38, 3e38, 3e38}, {1e-45, 0, -1e-45}, {88, 89, 90}, {-104, -105, -200}} {
		exec := MustNewExec(backend, func(x *Node) []*Node {
			f := InsertAxes(x, 0)
			ce := energy.CrossEntropy(f, Const(x.Graph(), []int32{0}), 0)
			return []*Node{energy.LogSumExp(f), ce, Gradient(ce, x)[0]}
		})
		for i, out := range exec.MustExec(logits) {
			values, ok := out.Value().([]float32)
			if !ok {
				values = []float32{out.Value().(float32)}
			}
			for _, v := range values {
				if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
					t.Errorf("logits %v: output %d is %v", logits, i, values)
				}
			}
		}
	}
}
