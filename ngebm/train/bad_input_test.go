package train_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/train"
)

func TestBadInput(t *testing.T) {
	backend := testdevice.Open(t, "go")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*ngebm.Config, *train.Options)
		want   []string
	}{
		{"unknown dataset", func(c *ngebm.Config, _ *train.Options) { c.Data = "mooons" }, []string{"mooons", "moons"}},
		{"missing folder", func(c *ngebm.Config, _ *train.Options) { c.Data = "folder:no/such" }, []string{"no/such"}},
		{"unknown network", func(c *ngebm.Config, _ *train.Options) { c.Net = "transformer" }, []string{`"transformer"`, "convnet", "wrn-D-W"}},
		{"bad depth", func(c *ngebm.Config, _ *train.Options) { c.Net = "wrn-11-2" }, []string{"11", "6n+4", "10, 16"}},
		{"network beyond memory", func(c *ngebm.Config, _ *train.Options) { c.Net = "mlp-65536-65536-65536" }, []string{"mlp-65536-65536-65536", "more than 536870912 weights"}},
		{"negative beta", func(c *ngebm.Config, _ *train.Options) { c.Beta = -1 }, []string{"beta is -1", "0 or more"}},
		{"batch larger than the data", func(c *ngebm.Config, _ *train.Options) { c.Batch = 5000 }, []string{"5000", "200"}},
		{"more evaluations than can be saved", func(c *ngebm.Config, _ *train.Options) { c.Epochs, c.EvalEvery = 100_000, 1 }, []string{"epochs is 100000", "eval_every is 1", "room for 30000", "set eval_every to 4"}},
		{"all held out", func(c *ngebm.Config, _ *train.Options) { c.Validation = 240 }, []string{"240"}},
		{"folder that cannot be written", func(_ *ngebm.Config, o *train.Options) { o.Runs = file }, []string{"run's folder", "-runs"}},
		{"images wanted", func(c *ngebm.Config, _ *train.Options) { c.Net = "convnet" }, []string{"convnet", "shape", "[2]", "mlp"}},
		{"a folder of images alone", func(c *ngebm.Config, _ *train.Options) { c.Data = imageFolder(t, "") }, []string{
			"all 8 training examples of odd5 are of one class, \"image\"", "two or more", "name one that has a folder per class, such as the folder above"}},
		{"a folder of one class", func(c *ngebm.Config, _ *train.Options) { c.Data = imageFolder(t, "cat") }, []string{
			"all 8 training examples of odd5 are of one class, \"cat\"", "name one that has a folder per class"}},
		{"a set of one's own of one class", func(_ *ngebm.Config, o *train.Options) {
			one, _, err := open(t, "moons:240").HoldOutClasses("upper")
			if err != nil {
				t.Fatal(err)
			}
			o.TrainSet, o.TestSet = one, one
		}, []string{"of one class, \"lower\""}},
		{"limited to one class", func(c *ngebm.Config, _ *train.Options) { c.Limit = 1 }, []string{
			"all 1 training examples of moons are of one class", "more of its 2 classes, with a higher limit or draw"}},
		{"drawn from one class", func(c *ngebm.Config, _ *train.Options) { c.Draw, c.Validation = 1, 0 }, []string{
			"all 1 training examples of moons are of one class", "more of its 2 classes, with a higher limit or draw"}},
		{"test set of another shape", func(_ *ngebm.Config, o *train.Options) {
			o.TrainSet, o.TestSet = open(t, "moons:240"), open(t, "digits")
		}, []string{"moons", "[2]", "digits", "[8 8 1]", "one shape"}},
		{"test set of more classes", func(_ *ngebm.Config, o *train.Options) {
			o.TrainSet, o.TestSet = open(t, "moons:240"), classes(t, open(t, "moons:240"), "A", "B", "C")
		}, []string{"moons has 2 classes", `3, "A, B, C"`}},
		{"test set of classes in another order", func(_ *ngebm.Config, o *train.Options) {
			o.TrainSet, o.TestSet = classes(t, open(t, "moons:240"), "A", "B"), classes(t, open(t, "moons:240"), "B", "A")
		}, []string{`"A, B"`, `"B, A"`, "in one order"}},
		{"test set standardized by its own rows", func(c *ngebm.Config, o *train.Options) {
			c.Batch, c.Validation = 2, 0
			o.TrainSet, o.TestSet = open(t, writeTable(t, people, people)), open(t, writeTable(t, older, older))
		}, []string{"standardized differently", "the training set's Encoder"}},
		{"outliers standardized by their own rows", func(c *ngebm.Config, _ *train.Options) {
			c.Batch, c.Validation = 2, 0
			c.Data, c.Margin.Outliers = writeTable(t, people, people), writeTable(t, older, older)
		}, []string{"margin.outliers is", "standardized by themselves", "uniform box"}},
		{"rows as outliers for points", func(c *ngebm.Config, _ *train.Options) {
			rows := "a,b,class\n31,1,yes\n45,2,no\n22,5,yes\n60,7,no\n38,3,yes\n27,4,no\n"
			c.Batch, c.Validation, c.Margin.Outliers = 2, 0, writeTable(t, rows, rows)
		}, []string{"margin.outliers is", "standardized by themselves", "uniform box"}},
		{"two networks", func(_ *ngebm.Config, o *train.Options) { o.Network = twoTowers{3} }, []string{"mlp-16", "two-towers-3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, opts := small(), train.Options{Runs: t.TempDir()}
			c.change(&cfg, &opts)
			_, err := train.Run(t.Context(), backend, cfg, opts)
			testerror.Want(t, err, c.want...)
		})
	}
	t.Run("no backend", func(t *testing.T) {
		_, err := train.Run(t.Context(), nil, small(), train.Options{Runs: t.TempDir()})
		testerror.Want(t, err, "the backend is nil; open one with device.Open")
		_, err = train.NewStepper(nil, small(), open(t, "moons:240"), 1, 1)
		testerror.Want(t, err, "the backend is nil; open one with device.Open")
		_, err = train.NewStepper(backend, small(), nil, 1, 1)
		testerror.Want(t, err, "the dataset is nil; open one with data.Open")
	})
	t.Run("large network in pure Go", func(t *testing.T) {
		cfg := small()
		cfg.Net = "mlp-400-400"
		_, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
		testerror.Want(t, err, "mlp-400-400", "162402 weights", "ngebm devices")
	})
	t.Run("checkpoint of another run", func(t *testing.T) {
		runs := t.TempDir()
		run, err := train.Run(t.Context(), backend, small(), train.Options{Runs: runs})
		if err != nil {
			t.Fatal(err)
		}
		good := checkpointOf(t, run)
		other := small()
		other.Seed++
		moved, err := train.Run(t.Context(), backend, other, train.Options{Runs: runs})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(moved.Dir, "checkpoint.ngebm"), good, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err = train.Run(t.Context(), backend, other, train.Options{Runs: runs})
		testerror.Want(t, err, fmt.Sprintf("belongs to run %q", run.Hash), moved.Hash)
	})
	t.Run("no run to load", func(t *testing.T) {
		dir := t.TempDir()
		_, err := ngebm.Load(t.Context(), backend, dir, nil)
		testerror.Want(t, err, dir, "config.json")
	})
}

// imageFolder writes a folder odd5 of ten images, alone or of one class, and returns the name of the dataset.
func imageFolder(t *testing.T, class string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "odd5")
	if err := os.MkdirAll(filepath.Join(folder, class), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		image := fmt.Sprintf("P2 2 2 255\n%d 20 30 40\n", i) // gray
		if err := os.WriteFile(filepath.Join(folder, class, fmt.Sprintf("%d.pgm", i)), []byte(image), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return "folder:" + folder
}

// older is the table people with another age.
var older = strings.Replace(people, "60", "90", 1)

// open is the training set of a name.
func open(t *testing.T, name string) *data.Dataset {
	t.Helper()
	d, _, err := data.Open(t.Context(), name, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// classes is a set with other names of classes.
func classes(t *testing.T, d *data.Dataset, names ...string) *data.Dataset {
	t.Helper()
	changed := *d
	changed.Classes = names
	d, err := data.New(changed)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// hungry is a network that wants terabytes for each number of its input.
type hungry struct{ nets.Network }

func (h hungry) Logits(scope *model.Scope, x *Node, classes int) *Node {
	all := Sort(BroadcastPrefix(StopGradient(Mul(x, x)), 1<<20, 1<<20), -1, true)
	return Add(h.Network.Logits(scope, x, classes), MulScalar(StopGradient(ReduceAllSum(all)), 0))
}

// Where the device's memory does not suffice, the error says what to lower.
func TestOutOfMemory(t *testing.T) {
	cfg := small()
	_, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir(), Network: hungry{nets.MLP{Hidden: []int{16}}}})
	testerror.Want(t, err, "step 1", "too little memory", "lower batch", "-device")
}
