package train

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/ckpt"
	"ngebm/ngebm/internal/testdevice"
)

// trainerOf is a trainer of the configuration that is ready for its first step.
func trainerOf(t *testing.T, cfg ngebm.Config) *trainer { return trainerAt(t, cfg, 0) }

// trainerAt is one that takes so many steps at once.
func trainerAt(t *testing.T, cfg ngebm.Config, stepsPerCall int) *trainer {
	t.Helper()
	backend := testdevice.Open(t, "cpu")
	trainSet, testSet, err := data.Open(t.Context(), cfg.Data, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := ngebm.NewRun(backend, cfg, ngebm.Setup{Runs: t.TempDir(), Train: trainSet, Test: testSet})
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := r.Lock(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(unlock)
	out := &trainer{run: r, backend: backend, store: r.Classifier.Store(), total: 1000, opts: Options{Progress: progress.Discard{}}, stepsPerCall: stepsPerCall}
	if err := out.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.close)
	return out
}

func (t *trainer) weightsIn(test *testing.T, scope string) map[string][]float32 {
	test.Helper()
	all := map[string][]float32{}
	for v := range t.store.RootScope().At("%s", scope).IterVariables() {
		values, err := tensors.CopyFlatData[float32](v.MustValue())
		if err != nil {
			test.Fatal(err)
		}
		all[strings.TrimPrefix(v.Path(), "/"+scope)] = values
	}
	return all
}

// The average is d·average + (1-d)·weight at each step, of the weights as the step
// leaves them, with d = min(decay, (1+t)/(10+t)); it begins as the weights do, and it is
// what the classifier uses.
func TestEMA(t *testing.T) {
	cfg := ngebm.DefaultConfig("moons:100", "mlp-4")
	cfg.Batch, cfg.LearningRate, cfg.Warmup, cfg.EMA = 10, .1, 0, .3
	tr := trainerOf(t, cfg)
	want := map[string][]float64{}
	for path, values := range tr.weightsIn(t, ckpt.NetworkScope) {
		for _, v := range values {
			want[path] = append(want[path], float64(v))
		}
	}
	for step := range 6 {
		for path, values := range tr.weightsIn(t, ckpt.AverageScope) {
			for i, v := range values {
				if math.Abs(float64(v)-want[path][i]) > 1e-6 {
					t.Fatalf("before step %d the average of %s[%d] is %v, want %v", step, path, i, v, want[path][i])
				}
			}
		}
		if err := tr.trainSteps([]data.Batch{tr.batches.At(step)}); err != nil {
			t.Fatal(err)
		}
		d := min(.3, float64(1+step)/float64(10+step))
		for path, values := range tr.weightsIn(t, ckpt.NetworkScope) {
			for i, v := range values {
				want[path][i] = d*want[path][i] + (1-d)*float64(v)
			}
		}
	}
	if len(want) != 4 {
		t.Errorf("averages of %d weights, want 4", len(want))
	}
	// By hand: 2-4-2 with SiLU.
	logits, err := tr.run.Classifier.Logits(t.Context(), tr.run.Test)
	if err != nil {
		t.Fatal(err)
	}
	x := tr.run.Test.Points[:2]
	for k := range 2 {
		f := want["/fc1/bias"][k]
		for j := range 4 {
			h := want["/fc0/bias"][j] + float64(x[0])*want["/fc0/weight"][j] + float64(x[1])*want["/fc0/weight"][4+j]
			f += h / (1 + math.Exp(-h)) * want["/fc1/weight"][2*j+k]
		}
		if math.Abs(logits[0][k]-f) > 1e-5 {
			t.Errorf("logit %d is %v, by the average %v", k, logits[0][k], f)
		}
	}
}

// Weights that are not numbers replace no checkpoint.
func TestNoCheckpointOfNaN(t *testing.T) {
	tr := trainerOf(t, ngebm.DefaultConfig("moons:100", "mlp-4"))
	if err := tr.save(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(tr.run.Dir, ckpt.LastFile)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(-1)} {
		if err := tr.store.GetVariable("/net/fc1/bias").SetValue(tensors.FromFlatDataAndDimensions([]float32{1, float32(bad)}, 2)); err != nil {
			t.Fatal(err)
		}
		err := tr.save()
		if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "/net/fc1/bias is NaN or infinite at step 0") {
			t.Errorf("saved with a weight of %v: %v", bad, err)
		}
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the checkpoint was changed (%v)", err)
	}
	// A run goes back from them, whether it was asked to stop or is at its end.
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	tr.total = 0
	if _, err := tr.run.RestoreFrom(t.Context(), ngebm.LastCheckpoint); err != nil {
		t.Fatal(err)
	}
	moment, err := tr.store.CreateVariable("/moment", tensors.FromScalar(0.))
	if err != nil {
		t.Fatal(err)
	}
	for name, ctx := range map[string]context.Context{"stopped": canceled, "at its end": t.Context()} {
		if err := moment.SetValue(tensors.FromScalar(math.NaN())); err != nil {
			t.Fatal(err)
		}
		err := tr.loop(ctx)
		if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "/moment is NaN or infinite") || moment.HasValue() {
			t.Errorf("%s: %v, and it has the value still: %v", name, err, moment.HasValue())
		}
	}
}
