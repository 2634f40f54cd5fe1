package train_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/compute"

	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/train"
)

// dataParallelConfigs are runs of 20 steps: all three terms of NG-EBM on two networks, and
// the methods whose steps follow gradients in a loop on the device.
func dataParallelConfigs(t *testing.T) map[string]ngebm.Config {
	all := map[string]ngebm.Config{}
	for name, c := range map[string]struct{ set, net, changes string }{
		"NG-EBM, MLP":     {"moons:240", "mlp-32-32", "beta=1,gamma=1,augment.mixup=.2"},
		"NG-EBM, ConvNet": {"digits", "convnet", "beta=1,gamma=1,augment.mixup=.2"},
		"JEM":             {"moons:240", "mlp-32-32", "jem.weight=1,jem.buffer=100,jem.conditional=true"},
		"dropout":         {"digits", "convnet+dropout.2", ""},
		"Jacobian":        {"moons:240", "mlp-32-32", "jacobian=.1"},
		"adversarial":     {"moons:240", "mlp-32-32", "adversarial.epsilon=.1"},
	} {
		cfg := ngebm.DefaultConfig(c.set, c.net)
		cfg.Epochs, cfg.Batch, cfg.Limit, cfg.Warmup = 4, 40, 200, 5
		cfg.LearningRate, cfg.EMA, cfg.RampEpochs, cfg.Augment.Noise = .01, .9, 1, .03
		if err := cfg.Set(c.changes); err != nil {
			t.Fatal(err)
		}
		all[name] = cfg
	}
	return all
}

func farthest(a, b []float32) float64 {
	worst := 0.
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i]-b[i])))
	}
	return worst
}

// Four devices take the steps that one takes: every term of the loss, the variance
// over the whole batch among them, to 1e-5, with second derivatives of convolutions;
// and a run that goes from one device to four and back is still the same.
func TestDataParallel(t *testing.T) {
	four := testdevice.OpenSeveral(t, 4)
	for name, cfg := range dataParallelConfigs(t) {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "NG-EBM, MLP" {
				t.Skip("SKIPPED with -short: it compiles the step five times")
			}
			fit := func(runs string, devices int, stop int64) *ngebm.Run {
				t.Helper()
				options := train.Options{Runs: runs, Devices: devices, SaveEvery: time.Hour}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if stop > 0 {
					options.Progress = stopAfter{stop, cancel}
				}
				r, err := train.Run(ctx, four, cfg, options)
				if err != nil && !(stop > 0 && errors.Is(err, train.ErrStopped)) {
					t.Fatal(err)
				}
				return r
			}
			one := fit(t.TempDir(), 1, 0)
			if one.History.Steps() != 20 {
				t.Fatalf("%d steps, want 20", one.History.Steps())
			}
			same := func(what string, r *ngebm.Run) {
				t.Helper()
				if r.Hash != one.Hash {
					t.Errorf("%s: hash %s, want %s: the number of devices is no part of it", what, r.Hash, one.Hash)
				}
				curves := append([][]float32{r.History.Loss}, r.History.Values...)
				for i, want := range append([][]float32{one.History.Loss}, one.History.Values...) {
					f, scale := farthest(curves[i], want), farthest(want, make([]float32, len(want)))
					t.Logf("%s: curve %d of at most %.3g is at most %.2g away", what, i, scale, f)
					if !(f <= 1e-5) || !(f <= 1e-4*scale) {
						t.Errorf("%s: curve %d is %.2g from one device's", what, i, f)
					}
				}
				if a, b := r.History.Evaluations[len(r.History.Evaluations)-1], one.History.Evaluations[len(one.History.Evaluations)-1]; math.Abs(a.Loss-b.Loss) > 1e-5 {
					t.Errorf("%s: test loss %v, want %v", what, a.Loss, b.Loss)
				}
			}
			same("four devices", fit(t.TempDir(), 4, 0))
			if testing.Short() {
				return // the full test changes the number of devices too
			}
			runs := t.TempDir()
			fit(runs, 1, 6)
			fit(runs, 4, 13)
			same("one, four, one", fit(runs, 1, 0))
		})
	}
}

func TestDataParallelRefuses(t *testing.T) {
	four := testdevice.OpenSeveral(t, 4)
	cfg := small()
	for _, c := range []struct {
		backend compute.Backend
		devices int
		want    string
	}{
		{four, 3, "batch is 20, which 3 devices cannot share evenly; make batch a multiple of 3"},
		{four, 5, "5 devices are asked for, but this backend was opened with 4"},
		{four, -1, "-1 devices cannot train"},
		{testdevice.Open(t, "go"), 2, "the pure-Go backend has one"},
	} {
		_, err := train.Run(t.Context(), c.backend, cfg, train.Options{Runs: t.TempDir(), Devices: c.devices})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d devices: %v, want %q", c.devices, err, c.want)
		}
	}
}
