package train

import (
	"maps"
	"math"
	"slices"
	"testing"

	"ngebm/data"
	"ngebm/ngebm"
)

// A loop on the device takes the steps that are taken one by one, whatever differs from
// step to step, within 1e-5, and to the last bit those of other loops of the same 20.
func TestMultistep(t *testing.T) {
	const steps = 20
	for name, change := range map[string]func(*ngebm.Config){
		"plain": func(*ngebm.Config) {},
		"ramp, average, mixup, noise, smoothing": func(c *ngebm.Config) {
			c.RampEpochs, c.EMA, c.Augment.Mixup, c.Augment.Noise, c.LabelSmoothing = 2, .9, 1, .1, .1
		},
		"bfloat16": func(c *ngebm.Config) { c.Precision = ngebm.BFloat16 },
	} {
		t.Run(name, func(t *testing.T) {
			if name != "plain" && testing.Short() {
				t.Skip("SKIPPED with -short: it compiles three steps")
			}
			cfg := ngebm.DefaultConfig("moons:200", "mlp-8-8")
			cfg.Batch, cfg.LearningRate, cfg.Warmup, cfg.Beta, cfg.Gamma = 10, .02, 3, .1, .1
			change(&cfg)
			take := func(stepsPerCall int, parts ...int) *trainer {
				tr := trainerAt(t, cfg, stepsPerCall)
				for _, n := range parts {
					var batches []data.Batch
					for i := range n {
						batches = append(batches, tr.batches.At(tr.run.History.Steps()+i))
					}
					if err := tr.trainSteps(batches); err != nil {
						t.Fatal(err)
					}
				}
				if got := tr.run.History.Steps(); got != steps {
					t.Fatalf("%d steps are recorded, want %d", got, steps)
				}
				return tr
			}
			alone := take(1, slices.Repeat([]int{1}, steps)...)
			whole, parted := take(steps, steps), take(steps, 1, 6, 13)
			if a, b := whole.run.History, parted.run.History; !slices.Equal(a.Loss, b.Loss) || !maps.EqualFunc(whole.weightsIn(t, "net"), parted.weightsIn(t, "net"), slices.Equal) {
				t.Errorf("losses are %v in one loop, %v in three", a.Loss, b.Loss)
			}
			limit := 1e-5
			if cfg.Precision == ngebm.BFloat16 {
				limit = .05
			}
			for i, of := range [][]float32{alone.run.History.Loss, alone.run.History.LearningRate, alone.run.History.Values[1], alone.run.History.Values[2]} {
				in := [][]float32{whole.run.History.Loss, whole.run.History.LearningRate, whole.run.History.Values[1], whole.run.History.Values[2]}[i]
				for k := range of {
					if d := math.Abs(float64(of[k] - in[k])); !(d <= limit) {
						t.Fatalf("step %d: %v alone, %v in a loop", k+1, of[k], in[k])
					}
				}
			}
			if alone.run.History.Loss[steps-1] >= alone.run.History.Loss[0] {
				t.Errorf("the losses %v do not fall", alone.run.History.Loss)
			}
		})
	}
}

// A loop takes short steps; one step is taken at a time where it is long, has
// convolutions, or something goes on beside it.
func TestStepsPerCall(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it compiles five networks")
	}
	for _, c := range []struct {
		data, net, set string
		want           int
	}{
		{"moons:2000", "mlp-128-128", "batch=16", 64},
		{"moons:200", "mlp-128-128", "batch=20,beta=1,gamma=1", 10}, // an epoch's
		{"moons:2000", "mlp-128-128", "batch=16,adversarial.epsilon=.1", 1},
		{"moons:2000", "mlp-512-512-512", "batch=128,beta=1,gamma=1", 1},
		{"digits", "convnet", "batch=4", 1},
	} {
		cfg := ngebm.DefaultConfig(c.data, c.net)
		if err := cfg.Set(c.set); err != nil {
			t.Fatal(err)
		}
		if got := trainerOf(t, cfg).stepsPerCall; got != c.want {
			t.Errorf("%s of %s with %s: %d steps at once, want %d", c.net, c.data, c.set, got, c.want)
		}
	}
}

// A loop that diverges ends the run at the first step that is not a number.
func TestMultistepDiverges(t *testing.T) {
	cfg := ngebm.DefaultConfig("moons:200", "mlp-8")
	cfg.Batch, cfg.LearningRate, cfg.Warmup = 10, 1e30, 0
	tr := trainerAt(t, cfg, 10)
	var batches []data.Batch
	for i := range 10 {
		batches = append(batches, tr.batches.At(i))
	}
	err := tr.trainSteps(batches)
	if n := tr.run.History.Steps(); err == nil || n > 5 {
		t.Errorf("%d steps, then %v; want divergence in the first 5", n, err)
	}
}
