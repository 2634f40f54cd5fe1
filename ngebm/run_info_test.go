package ngebm

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute/gobackend"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/ngebm/internal/ckpt"
	"ngebm/ngebm/nets"
)

// infoOf is a config.json with some of its parts replaced.
func infoOf(t testing.TB, net string, shape []int, classes []string) []byte {
	t.Helper()
	cfg, err := json.Marshal(DefaultConfig("moons", net))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(runInfo{Hash: "0123456789ab", Algorithm: algorithm, Config: cfg, Data: data.Info{Classes: classes}, Shape: shape})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// An untrusted run folder is refused, by name, before memory is taken for
// what it promises; a checkpoint with a right checksum and odd content likewise.
func TestLoadRefusesUntrustedNetworks(t *testing.T) {
	two := []string{"a", "b"}
	good := string(infoOf(t, "mlp-3", []int{2}, two))
	lacking := exampleCheckpoint()
	lacking.weights = []ckpt.Tensor{{Name: "/net/hidden0/weight", Trainable: true, Value: tensors.FromFlatDataAndDimensions(make([]float32, 6), 2, 3)}}
	for name, c := range map[string]struct {
		config     string
		checkpoint checkpoint
		want       string
	}{
		"not JSON":             {"{", exampleCheckpoint(), `config.json": it cannot be read`},
		"no configuration":     {"{}", exampleCheckpoint(), `config.json": EOF`},
		"no classes":           {string(infoOf(t, "mlp-3", []int{2}, nil)), exampleCheckpoint(), "0 classes"},
		"no shape":             {string(infoOf(t, "mlp-3", nil, two)), exampleCheckpoint(), "examples of shape []"},
		"empty shape":          {string(infoOf(t, "mlp-3", []int{0}, two)), exampleCheckpoint(), "examples of shape [0]"},
		"negative shape":       {string(infoOf(t, "mlp-3", []int{-2, -2}, two)), exampleCheckpoint(), "examples of shape [-2 -2]"},
		"huge shape":           {string(infoOf(t, "mlp-3", []int{1 << 40, 1 << 40}, two)), exampleCheckpoint(), "not of 1 to 16777216 numbers"},
		"an encoder of others": {strings.Replace(good, `"shape":[2]`, `"shape":[2],"encoder":{"label":"y","columns":[{"name":"x","deviation":1}]}`, 1), exampleCheckpoint(), "its encoder makes 1 inputs of a row"},
		"a false encoder":      {strings.Replace(good, `"shape":[2]`, `"shape":[2],"encoder":{"label":"y","columns":[{"name":"x"}]}`, 1), exampleCheckpoint(), "its encoder of rows: column \"x\""},
		"huge layers":          {string(infoOf(t, "mlp-65536-65536", []int{2}, two)), exampleCheckpoint(), "another architecture than mlp-65536-65536"},
		"huge Wide ResNet":     {string(infoOf(t, "wrn-28-1000", []int{8, 8, 1}, two)), exampleCheckpoint(), "another architecture than wrn-28-1000"},
		"unknown setting":      {strings.Replace(good, `"alpha"`, `"run"`, 1), exampleCheckpoint(), `unknown field "run"`},
		"too long":             {good + strings.Repeat(" ", maxInfo), exampleCheckpoint(), "more than the limit of 16777216"},
		"other weights":        {good, exampleCheckpoint(), "another architecture"},
		"a lacking weight":     {good, lacking, "another architecture"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, ckpt.ConfigFile), []byte(c.config), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, ckpt.LastFile), written(t, c.checkpoint), 0o644); err != nil {
				t.Fatal(err)
			}
			backend, err := gobackend.New("")
			if err != nil {
				t.Fatal(err)
			}
			_, err = Load(t.Context(), backend, dir, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// A run is not to name files of this machine: programs store no folders of datasets.
func TestRunNamesNoFolders(t *testing.T) {
	for set, want := range map[string]string{
		"csv:/home/ada/private.csv@class": "csv:private.csv@class", "folder:/home/ada": "folder:ada", "folder:../..": "folder:", "folder:.": "folder:.",
		"folder:..\x1b": `folder:..\x1b`, "moons": "moons",
	} {
		cfg := DefaultConfig(set, "mlp-3")
		cfg.Margin.Outliers = set
		text, err := json.Marshal(cfg)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(runInfo{Hash: "0123456789ab", Algorithm: algorithm, Config: text, Data: data.Info{Classes: []string{"a", "b"}}, Shape: []int{2}})
		if err != nil {
			t.Fatal(err)
		}
		_, got, err := parseInfo(raw)
		if err != nil || got.Data != want || got.Margin.Outliers != want || got.Hash("x") != cfg.Hash("x") {
			t.Errorf("%q: the data are %q and the outliers %q (%v), not %q", set, got.Data, got.Margin.Outliers, err, want)
		}
	}
}

func FuzzRunInfo(f *testing.F) {
	f.Add(infoOf(f, "mlp-3", []int{2}, []string{"a", "b"}))
	f.Add(infoOf(f, "wrn-10-1", []int{1 << 40, 3}, []string{"a"}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		info, cfg, err := parseInfo(raw)
		if err != nil {
			return
		}
		if len(info.Data.Classes) == 0 || !fitsIn(info.Shape, maxInputs) {
			t.Errorf("classes %v and shape %v were accepted", info.Data.Classes, info.Shape)
		}
		net, err := cfg.findNetwork(nil)
		if err != nil {
			return
		}
		_ = hasWeightsOf(ckpt.Header{}, net, info) // must not panic
	})
}

// ownGradient is a network with a gradient of its own, of a weight alone.
type ownGradient struct{ nets.MLP }

func (ownGradient) String() string { return "own-gradient" }

func (n ownGradient) Logits(scope *model.Scope, x *Node, classes int) *Node {
	b := scope.In("shift").VariableWithValue("shift", make([]float32, classes)).NodeValue(x.Graph())
	b = IdentityWithCustomGradient(b, func(_, v *Node) *Node { return MulScalar(v, 2) })
	return Add(n.MLP.Logits(scope, x, classes), ExpandAxes(b, 0))
}

// A run of a network with gradients of weights' own that was described without these is found and loaded,
// with a note.
func TestFormerDescription(t *testing.T) {
	backend, err := gobackend.New("")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	trainSet, test, err := data.Open(t.Context(), "moons:40", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	setup := Setup{Runs: t.TempDir(), Network: ownGradient{nets.MLP{Hidden: []int{4}}}, Train: trainSet, Test: test}
	now := func() *Run {
		run, err := NewRun(backend, DefaultConfig("moons:40", ""), setup)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { run.Close() })
		return run
	}
	run := now()
	const former = "97063fd0cbde" // of 7b1db17^
	before := filepath.Join(setup.Runs, dirName(run.Config, former))
	if err := os.Mkdir(before, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(before, ckpt.ConfigFile), infoOf(t, "mlp-4", []int{2}, test.Classes), 0o644); err != nil {
		t.Fatal(err)
	}
	found := now()
	if found.Hash != former || found.Dir != before {
		t.Errorf("the run is %s in %s, want %s", found.Hash, found.Dir, former)
	}
	note, err := found.sameNetwork(&networkInfo{found.network.Former, gomlx})
	if err != nil || !strings.Contains(note, "recorded without its weights' own gradients") {
		t.Errorf("note %q, %v", note, err)
	}
	setup.Fresh = true
	if fresh := now(); fresh.Hash != run.Hash || run.Hash == former {
		t.Errorf("a fresh run has the hash %s, want %s", fresh.Hash, run.Hash)
	}
	setup.Network = nets.MLP{Hidden: []int{4}}
	if _, err := now().sameNetwork(&networkInfo{"", gomlx}); err == nil {
		t.Error("a network without a sum is taken for one of before")
	}
}
