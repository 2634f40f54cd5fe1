package train_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/train"
)

// jemOnMoons is JEM on the half-moons, healthy or not by its SGLD step.
func jemOnMoons(step float64) ngebm.Config {
	cfg := ngebm.DefaultConfig("moons:240", "mlp-16")
	cfg.Epochs, cfg.Batch, cfg.Warmup, cfg.Validation = 4, 20, 5, 40
	cfg.JEM.Weight, cfg.JEM.Step, cfg.JEM.Steps, cfg.JEM.Noise, cfg.JEM.Buffer = 1, step, 5, .05, 100
	return cfg
}

// JEM with an SGLD step of 1000 diverges: it stops with the reason in the history, in
// its events and in the error, and the checkpoint from before, of a state in which all
// was well, can still be loaded and gone on with.
func TestJEMDiverges(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it compiles two JEM runs; TestRollback trains one in pure Go")
	}
	backend, runs, cfg := testdevice.Open(t, "cpu"), t.TempDir(), jemOnMoons(1000)
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs, SaveEvery: 1})
	if !errors.Is(err, train.ErrDiverged) {
		t.Fatalf("an SGLD step of 1000 gave %v", err)
	}
	testerror.Want(t, err, "at step", "lower jem.step", "recover.times=3")
	h := run.History
	if h.Stopped == "" || !strings.Contains(err.Error(), h.Stopped) {
		t.Errorf("history says %q, the error %q", h.Stopped, err)
	}
	if n := len(h.Events); n != 1 || h.Events[0].Step != h.Steps() || !strings.Contains(h.Events[0].What, h.Stopped) {
		t.Errorf("events %v at step %d", h.Events, h.Steps())
	}
	again, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
	if !errors.Is(err, train.ErrDiverged) || again.History.Stopped != h.Stopped {
		t.Errorf("trained again: %v, want the same end", err)
	}
}

// A run whose weights become NaN in the middle keeps what it had: the checkpoint, saved
// at each step, is the last of weights that are numbers.
func TestDivergenceLosesNothing(t *testing.T) {
	backend, runs := testdevice.Open(t, "go"), t.TempDir()
	cfg := small()
	cfg.Net, cfg.Epochs = "", 8
	late := spoilt{after: 25}
	ctx, cancel := context.WithCancel(t.Context())
	stopped, err := train.Run(ctx, backend, cfg, train.Options{Runs: runs, Network: late, Progress: stopAfter{20, cancel}, SaveEvery: time.Hour})
	cancel()
	if !errors.Is(err, train.ErrStopped) {
		t.Fatal(err)
	}
	before := checkpointOf(t, stopped)
	diverged, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs, Network: late, SaveEvery: 1})
	if !errors.Is(err, train.ErrDiverged) {
		t.Fatalf("a gradient without bounds gave %v", err)
	}
	testerror.Want(t, err, "NaN", "at step")
	after := checkpointOf(t, diverged)
	if bytes.Equal(before, after) {
		t.Error("the healthy steps since the last checkpoint were not saved")
	}
	if _, err := ngebm.Load(t.Context(), backend, diverged.Dir, nil); err == nil || !strings.Contains(err.Error(), "a network of your own must be given to Load") {
		t.Errorf("without its network: %v", err)
	}
	loaded, err := ngebm.Load(t.Context(), backend, diverged.Dir, late)
	if err != nil {
		t.Fatal(err)
	}
	if n, reached := loaded.History.Steps(), diverged.History.Steps(); n < 20 || n >= reached {
		t.Errorf("the checkpoint is of step %d; the run was saved at 20 and broke at %d", n, reached)
	}
	for _, r := range []*ngebm.Run{diverged, loaded} {
		energies, err := r.Classifier.Energies(t.Context(), stopped.Test)
		if err != nil || slices.ContainsFunc(energies, func(e float64) bool { return e-e != 0 }) {
			t.Errorf("energies of the last good checkpoint: %v", err)
		}
	}
}

// spoilt is an MLP with a weight that training moves towards 0 and that counts by its
// root: at 0 the logits are still numbers, but their gradient is not. It gets there after
// about so many steps.
type spoilt struct{ after int }

func (s spoilt) String() string { return fmt.Sprint("spoilt-", s.after) }

func (s spoilt) Logits(scope *model.Scope, x *Node, classes int) *Node {
	v := scope.GetVariable("clock")
	if v == nil {
		v = scope.VariableWithValue("clock", tensors.FromScalar(float32(s.after)*1e-3)) // Adam moves it by the rate
	}
	root := Sqrt(MaxScalar(v.NodeValue(x.Graph()), 0))
	first := OneHot(Const(x.Graph(), []int32{0}), classes, x.DType()) // [1, classes]
	return Add(nets.MLP{Hidden: []int{16}}.Logits(scope, x, classes), Mul(first, root))
}

// A run that may recover goes back, tries again with a smaller step until it is well,
// and finishes; what happened is in its history.
func TestRollback(t *testing.T) {
	backend := testdevice.Open(t, "go")
	cfg := jemOnMoons(1000)
	cfg.Rollback.Times, cfg.Rollback.Shrink = 4, .01
	alone, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	h := alone.History
	if h.Rollbacks == 0 || h.Stopped != "" || h.Steps() != 40 {
		t.Fatalf("%d recoveries, stopped %q, %d steps", h.Rollbacks, h.Stopped, h.Steps())
	}
	if len(h.Events) != 2*h.Rollbacks {
		t.Errorf("%d recoveries, events %v", h.Rollbacks, h.Events)
	}
	for i, e := range h.Events {
		want := "diverged: "
		if i%2 == 1 {
			want = fmt.Sprintf("attempt %d with the SGLD step times", i/2+2)
		}
		if !strings.Contains(e.What, want) {
			t.Errorf("event %d is %q, want %q", i, e.What, want)
		}
	}
	if n := len(h.Evaluations); n != 5 || h.Evaluations[n-1].Split != "test" {
		t.Errorf("evaluations %v", h.Evaluations)
	}

	// Stopped in the middle, before and after it was set back, it ends as this one.
	runs := t.TempDir()
	for _, step := range []int64{1, 3, 11, 25} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := train.Run(ctx, backend, cfg, train.Options{Runs: runs, Progress: stopAfter{step, cancel}, SaveEvery: 1})
		cancel()
		if !errors.Is(err, train.ErrStopped) {
			t.Fatalf("stopped at %d: %v", step, err)
		}
	}
	resumed, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(checkpointOf(t, alone), checkpointOf(t, resumed)) {
		t.Errorf("the resumed run ended otherwise: events %v and %v", h.Events, resumed.History.Events)
	}
}

// A run that diverges as often as it may stops with the reason and says so.
func TestRollbackInVain(t *testing.T) {
	backend, runs := testdevice.Open(t, "go"), t.TempDir()
	cfg := jemOnMoons(1000)
	cfg.Rollback.Times, cfg.Rollback.Shrink = 2, 1
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
	if !errors.Is(err, train.ErrDiverged) {
		t.Fatalf("error %v", err)
	}
	testerror.Want(t, err, "rolled back 2 times already", run.History.Stopped)
	if len(run.History.Events) != 5 || run.History.Rollbacks != 2 || run.History.Stopped == "" {
		t.Errorf("events %v", run.History.Events)
	}
	if loaded, err := ngebm.Load(t.Context(), backend, run.Dir, nil); err != nil || loaded.History.Stopped != "" {
		t.Errorf("the last good checkpoint: %v", err)
	}
}

// Other methods recover with a smaller learning rate, from NaN too.
func TestRollbackLowersTheLearningRate(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it compiles the step again after each rollback")
	}
	cfg := small()
	cfg.Net, cfg.LearningRate, cfg.Warmup = "mlp-lrelu-16", 1e6, 0
	cfg.Rollback.Times, cfg.Rollback.Shrink = 3, 1e-4
	run, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	h := run.History
	if h.Rollbacks == 0 || !strings.Contains(h.Events[1].What, "learning rate times 0.0001") {
		t.Errorf("%d recoveries, events %v", h.Rollbacks, h.Events)
	}
	if want := float32(1e6 * pow(1e-4, h.Rollbacks)); h.LearningRate[39] != want {
		t.Errorf("the last rate is %v, want %v", h.LearningRate[39], want)
	}
}

func pow(base float64, n int) float64 {
	p := 1.
	for range n {
		p *= base
	}
	return p
}
