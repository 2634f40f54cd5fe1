package train_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/train"
)

// small is a configuration that trains in a blink.
func small() ngebm.Config {
	cfg := ngebm.DefaultConfig("moons:240", "mlp-16")
	cfg.Epochs, cfg.Batch, cfg.Warmup, cfg.Validation = 4, 20, 5, 40
	cfg.Beta, cfg.Gamma = .1, .1
	cfg.Augment.Noise = .03
	return cfg
}

// stopAfter cancels a context once training has reached a step.
type stopAfter struct {
	step   int64
	cancel func()
}

func (s stopAfter) Report(r progress.Report) {
	if r.Done >= s.step && r.Unit == "steps" {
		s.cancel()
	}
}

// trainedOnXLA returns a run of small on XLA, trained once for all tests, which leave it as
// it is. Its folder goes with this process.
func trainedOnXLA(t *testing.T) *ngebm.Run {
	t.Helper()
	run, err := onXLA()
	if err != nil {
		t.Fatal(err)
	}
	return run
}

var onXLA = sync.OnceValues(func() (*ngebm.Run, error) {
	dev, err := device.OpenContext(context.Background(), device.Options{Device: device.CPU, CompileCache: testdevice.CompileCache()})
	if err != nil {
		return nil, err
	}
	dir, err := scratch()
	if err != nil {
		return nil, err
	}
	return train.Run(context.Background(), dev.Backend, small(), train.Options{Runs: filepath.Join(dir, "runs")})
})

func checkpointOf(t *testing.T, r *ngebm.Run) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.Dir, "checkpoint.ngebm"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A run that was stopped again and again ends with the bytes (weights, optimizer
// state, history) of the run that was left alone; training it once more loads it.
func TestResumeIsExact(t *testing.T) {
	for _, c := range []struct {
		name, device string
		stops        []int64 // of 40 steps, 10 an epoch; of 200 where they are taken in loops
		change       func(*ngebm.Config)
		long         bool
	}{
		{"pure Go", "go", []int64{1, 7, 10, 11, 23, 39, 40}, func(*ngebm.Config) {}, false},
		{"steps in loops on XLA", "cpu", []int64{64, 100, 164}, func(c *ngebm.Config) { c.Batch, c.Epochs = 2, 2 }, false}, // 64 and 36 an epoch
		{"convolutions on XLA", "cpu", []int64{1, 7, 10, 11, 23, 39, 40}, func(c *ngebm.Config) {
			c.Net, c.Data, c.Limit, c.Augment.Pad, c.Augment.Flip = "convnet", "digits", 240, 1, true
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.long && testing.Short() {
				t.Skip("SKIPPED with -short: it compiles the step for every stop")
			}
			cfg := small()
			c.change(&cfg)
			backend := testdevice.Open(t, c.device)
			alone, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			runs := t.TempDir()
			for _, step := range c.stops {
				ctx, cancel := context.WithCancel(t.Context())
				stopped, err := train.Run(ctx, backend, cfg, train.Options{Runs: runs, Progress: stopAfter{step, cancel}, SaveEvery: time.Hour})
				cancel()
				if last := int(step) == cfg.Epochs*alone.History.StepsPerEpoch; last && err != nil {
					t.Fatalf("stopped at step %d, the last, when all was done: %v", step, err)
				} else if !last && (!errors.Is(err, train.ErrStopped) || !strings.Contains(err.Error(), "train the same configuration to resume")) {
					t.Fatalf("stopped at step %d: %v", step, err)
				}
				if got := stopped.History.Steps(); got != int(step) {
					t.Fatalf("stopped at step %d, not at %d", got, step)
				}
			}
			resumed, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(checkpointOf(t, alone), checkpointOf(t, resumed)) {
				t.Error("the resumed run ended with another checkpoint than the one left alone")
			}
			again, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
			if err != nil || !again.Loaded {
				t.Fatalf("trained once more: loaded is %v, error %v", again.Loaded, err)
			}
			a, err1 := alone.Classifier.Logits(t.Context(), alone.Test)
			b, err2 := again.Classifier.Logits(t.Context(), again.Test)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			for i := range a {
				if !slices.Equal(a[i], b[i]) {
					t.Fatalf("logits of example %d are %v when loaded, %v when trained", i, b[i], a[i])
				}
			}
		})
	}
}

// History holds every step's terms, and an evaluation each epoch and at the end.
func TestHistory(t *testing.T) {
	run := trainedOnXLA(t)
	h := run.History
	if h.Steps() != 40 || h.StepsPerEpoch != 10 || !slices.Equal(h.Terms, []string{"cross-entropy", "energy variance", "gradient norm"}) {
		t.Fatalf("%d steps, %d an epoch, terms %v", h.Steps(), h.StepsPerEpoch, h.Terms)
	}
	for i := range h.Loss {
		total := h.Values[0][i] + .1*h.Values[1][i] + .1*h.Values[2][i]
		if d := total - h.Loss[i]; d > 1e-5 || d < -1e-5 {
			t.Fatalf("step %d: loss %v, terms add up to %v", i+1, h.Loss[i], total)
		}
	}
	if h.Loss[39] >= h.Loss[0] {
		t.Errorf("the loss rose from %v to %v", h.Loss[0], h.Loss[39])
	}
	var at []string
	for _, e := range h.Evaluations {
		at = append(at, fmt.Sprintf("%s %d %d", e.Split, e.Step, e.Examples))
	}
	want := []string{"validation 10 40", "validation 20 40", "validation 30 40", "validation 40 40", fmt.Sprint("test 40 ", run.Test.Len())}
	if !slices.Equal(at, want) {
		t.Errorf("evaluations %q, want %q", at, want)
	}
	last := h.Evaluations[len(h.Evaluations)-1]
	accuracy, err := run.Classifier.Accuracy(t.Context(), run.Test)
	if err != nil || accuracy != last.Accuracy {
		t.Errorf("test accuracy is %v in the history and %v measured (%v)", last.Accuracy, accuracy, err)
	}
	csv, err := os.ReadFile(filepath.Join(run.Dir, "history.csv"))
	if err != nil || bytes.Count(csv, []byte("\n")) != 41 || !bytes.HasPrefix(csv, []byte("step,epoch,learning rate,loss,cross-entropy,energy variance,gradient norm\n")) {
		t.Errorf("history.csv: %v\n%.120s", err, csv)
	}
	// A run that was killed is gone on with until its checkpoint is complete, so what was
	// written later could be missing for ever.
	written := func(name string) time.Time {
		info, err := os.Stat(filepath.Join(run.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return info.ModTime()
	}
	if c, h := written("checkpoint.ngebm"), written("history.csv"); h.After(c) {
		t.Errorf("history.csv was written at %v, after the last checkpoint, at %v", h, c)
	}
}

// twoTowers is a network of a user's own, in a package of its own (this one),
// from this project's layers and GoMLX's operations.
type twoTowers struct{ width int }

func (n twoTowers) String() string { return fmt.Sprintf("two-towers-%d", n.width) }

func (n twoTowers) Logits(scope *model.Scope, x *Node, classes int) *Node {
	a := nets.SiLU(nets.Dense(scope.In("a"), x, n.width))
	b := Tanh(nets.Dense(scope.In("b"), x, n.width))
	return nets.Dense(scope.In("out"), Concatenate([]*Node{a, b}, 1), classes)
}

// renamed has the name of one network and the weights of another.
type renamed struct {
	nets.Network
	name string
}

func (r renamed) String() string { return r.name }

func TestOwnNetwork(t *testing.T) {
	cfg := small()
	cfg.Net, cfg.Epochs, cfg.LearningRate = "", 20, 1e-2
	backend, runs := testdevice.Open(t, "go"), t.TempDir()
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs, Network: twoTowers{8}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := run.Classifier.Parameters(), 2*(2*8+8)+16*2+2; got != want {
		t.Errorf("%d weights, want %d", got, want)
	}
	if last := run.History.Evaluations[len(run.History.Evaluations)-1]; last.Accuracy < .7 {
		t.Errorf("test accuracy %v", last.Accuracy)
	}
	loaded, err := ngebm.Load(t.Context(), backend, run.Dir, twoTowers{8})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := run.Classifier.Energies(t.Context(), run.Test)
	b, err := loaded.Classifier.Energies(t.Context(), run.Test)
	if err != nil || !slices.Equal(a, b) {
		t.Errorf("energies after Load differ (%v)", err)
	}

	// Another network under its name is another run; the first one's folder refuses it, and
	// stays as it is.
	before := checkpointOf(t, run)
	for _, other := range []nets.Network{renamed{twoTowers{9}, "two-towers-8"}, renamed{nets.MLP{Hidden: []int{8}}, "two-towers-8"}, leakyTowers{twoTowers{8}}} {
		again, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs, Network: other})
		if err != nil || again.Loaded || again.Dir == run.Dir {
			t.Errorf("%T: loaded %v, in %s, %v", other, again.Loaded, again.Dir, err)
		}
		_, err = ngebm.Load(t.Context(), backend, run.Dir, other)
		testerror.Want(t, err, "trained with another network of the name", "two-towers-8")
	}
	_, err = ngebm.Load(t.Context(), backend, run.Dir, leakyTowers{twoTowers{8}})
	testerror.Want(t, err, "it was", "Tanh")
	if !bytes.Equal(before, checkpointOf(t, run)) {
		t.Error("the checkpoint was changed")
	}
}

// leakyTowers is twoTowers after an edit that leaves names and shapes of weights.
type leakyTowers struct{ twoTowers }

func (n leakyTowers) Logits(scope *model.Scope, x *Node, classes int) *Node {
	a := nets.SiLU(nets.Dense(scope.In("a"), x, n.width))
	b := nets.LeakyReLU(nets.Dense(scope.In("b"), x, n.width))
	return nets.Dense(scope.In("out"), Concatenate([]*Node{a, b}, 1), classes)
}

// Weights and noise are drawn in Go, so the pure-Go backend and XLA start alike and stay
// close for an epoch, also with JEM's chains.
func TestBackendsStartAlike(t *testing.T) {
	for _, c := range []struct {
		name   string
		config ngebm.Config
		within float32
	}{
		{"cross-entropy and NG-EBM's terms", small(), 1e-4},
		{"JEM, chains and all", jemOnMoons(.01), 1e-3},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := c.config
			cfg.Epochs, cfg.Validation = 1, 0
			var losses [2][]float32
			for i, spec := range []string{"cpu", "go"} {
				run, err := train.Run(t.Context(), testdevice.Open(t, spec), cfg, train.Options{Runs: t.TempDir()})
				if err != nil {
					t.Fatal(err)
				}
				losses[i] = run.History.Loss
			}
			for i := range losses[0] {
				if d := losses[0][i] - losses[1][i]; d > c.within || d < -c.within {
					t.Errorf("step %d: loss %v on XLA, %v in pure Go", i+1, losses[0][i], losses[1][i])
				}
			}
		})
	}
}

// A run that diverges stops with the reason, and its last checkpoint stays. Without one it has no
// classifier.
func TestDivergence(t *testing.T) {
	for _, every := range []time.Duration{1, time.Hour} {
		cfg := small()
		cfg.Net, cfg.LearningRate, cfg.Warmup = "mlp-lrelu-16", 1e5, 0
		run, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir(), SaveEvery: every})
		if !errors.Is(err, train.ErrDiverged) {
			t.Fatalf("a learning rate of 1e5 gave %v", err)
		}
		defer run.Close()
		testerror.Want(t, err, "at step", "lower learning_rate")
		if run.History.Stopped == "" || !strings.Contains(err.Error(), run.History.Stopped) {
			t.Errorf("history says %q, the error %q", run.History.Stopped, err)
		}
		if _, err := os.Stat(filepath.Join(run.Dir, "history.csv")); err != nil {
			t.Error(err)
		}
		if has := run.HasCheckpoint(); has != (run.Classifier != nil) || every == time.Hour && has {
			t.Errorf("saved every %v: has a checkpoint: %v; its classifier is %v", every, has, run.Classifier)
		}
	}
}

// Classifier's four views of a set agree with each other.
func TestClassifier(t *testing.T) {
	run := trainedOnXLA(t)
	c, d := run.Classifier, run.Test
	logits, err1 := c.Logits(t.Context(), d)
	probabilities, err2 := c.Probabilities(t.Context(), d)
	energies, err3 := c.Energies(t.Context(), d)
	norms, err4 := c.GradientNorms(t.Context(), d)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	if len(logits) != d.Len() || len(probabilities) != d.Len() || len(energies) != d.Len() || len(norms) != d.Len() {
		t.Fatalf("%d examples gave %d, %d, %d, %d", d.Len(), len(logits), len(probabilities), len(energies), len(norms))
	}
	// The norm against a central difference of E along both axes.
	const h = 1e-2
	for i := range 5 {
		var squares float64
		for axis := range 2 {
			var e [2]float64
			for side, sign := range []float32{-1, 1} {
				p := slices.Clone(d.Points[2*i : 2*i+2])
				p[axis] += sign * h
				point, err := data.New(data.Dataset{Info: d.Info, Shape: d.Shape, Points: p, Labels: d.Labels[i : i+1]})
				if err != nil {
					t.Fatal(err)
				}
				moved, err := c.Energies(t.Context(), point)
				if err != nil {
					t.Fatal(err)
				}
				e[side] = moved[0]
			}
			g := (e[1] - e[0]) / (2 * h)
			squares += g * g
		}
		if d := norms[i]*norms[i] - squares; d > 1e-2*squares+1e-4 || d < -1e-2*squares-1e-4 {
			t.Errorf("example %d: ‖∂E/∂x‖² is %v, by differences %v", i, norms[i]*norms[i], squares)
		}
	}
	digits, _, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Logits(t.Context(), digits)
	testerror.Want(t, err, "shape [8 8 1]", "trained on shape [2]")
}

// A second process on one run waits for the first and then loads what it made.
func TestTwoProcessesTrainOneRun(t *testing.T) {
	backend, runs := testdevice.Open(t, "go"), t.TempDir()
	type result struct {
		run *ngebm.Run
		err error
	}
	results := make(chan result, 2)
	for range 2 {
		go func() {
			run, err := train.Run(context.Background(), backend, small(), train.Options{Runs: runs})
			results <- result{run, err}
		}()
	}
	a, b := <-results, <-results
	if err := errors.Join(a.err, b.err); err != nil {
		t.Fatal(err)
	}
	if a.run.Loaded || !b.run.Loaded {
		t.Errorf("first loaded %v, second loaded %v; want the first to train and the second to load", a.run.Loaded, b.run.Loaded)
	}
}
