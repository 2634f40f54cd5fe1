package ngebm

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// All shows what will be used: JEM's defaults are those of jem.Settings' comments. The
// configuration, and with it the run's hash, stays as it was.
func TestAllSettings(t *testing.T) {
	cfg := DefaultConfig("digits", "convnet")
	if err := cfg.SetMethod("jem"); err != nil {
		t.Fatal(err)
	}
	before := cfg.Hash("data")
	var all map[string]any
	if err := json.Unmarshal([]byte(cfg.All()), &all); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"jem.weight": 1., "jem.noise": .03, "jem.steps": 20., "jem.step": 1., "jem.buffer": 10000., "jem.restart": .05,
		"jem.start": "uniform", "jem.max_gap": 100., "focal": 0., "augment.mixup": 0., "adversarial.steps": 0., "start": "",
		"beta": 0., "epochs": 20., "decay_epochs": nil, "augment.flip": false,
	} {
		if got, ok := all[key]; !ok || got != want {
			t.Errorf("%s is %v (there: %v), want %v", key, got, ok, want)
		}
	}
	if cfg.Hash("data") != before || cfg.JEM.Steps != 0 {
		t.Error("it changed the configuration")
	}
	// Each key is one that Set takes, but for its spelling of nothing.
	for key, value := range all {
		if text, err := json.Marshal(value); err != nil {
			t.Error(err)
		} else if err := cfg.Set(key + "=" + strings.Trim(string(text), `"`)); err != nil {
			t.Error(err)
		}
	}
	if cfg.Hash("data") != before {
		t.Error("set to what it shows, the configuration is another run")
	}
}

func TestMethodName(t *testing.T) {
	for _, set := range []string{"digits", "moons"} {
		for _, m := range append(Methods(), Controls()...) {
			cfg := DefaultConfig(set, "mlp-8")
			cfg.Seed, cfg.Epochs, cfg.Augment.Noise = 3, 7, .1 // no part of a method
			if err := cfg.SetMethod(m.Name); err != nil {
				t.Fatal(err)
			}
			if got := cfg.Method(); got != m.Name {
				t.Errorf("%s on %s calls itself %q", m.Name, set, got)
			}
			if cfg = cfg.WithDefaults(); cfg.Method() != m.Name {
				t.Errorf("%s on %s, as it is trained, calls itself %q", m.Name, set, cfg.Method())
			}
		}
	}
	cfg := DefaultConfig("digits", "convnet")
	if err := cfg.Set("gamma=.05,jem.weight=.5,jem.start=data"); err != nil {
		t.Fatal(err)
	}
	const want = "gamma=0.05,jem.weight=0.5,jem.steps=20,jem.step=1,jem.noise=0.01,jem.buffer=10000,jem.restart=0.05,jem.start=data,jem.max_gap=100"
	if got := cfg.Method(); got != want {
		t.Errorf("it calls itself %q, want %q", got, want)
	}
}

func TestWarmupWarning(t *testing.T) {
	for _, c := range []struct {
		warmup, steps int
		warns         bool
	}{{0, 0, false}, {0, 1, false}, {50, 100, false}, {51, 100, true}, {50, 99, true}, {1 << 62, 10, true}, {1, 1, true}, {1 << 40, math.MaxInt, false}} {
		got := Config{Warmup: c.warmup, LearningRate: .1}.WarmupWarning(c.steps)
		if (got != "") != c.warns || strings.Contains(got, "\n") {
			t.Errorf("%d of %d steps: %q", c.warmup, c.steps, got)
		}
	}
	for steps, want := range map[int]string{9: "set warmup=0, or", 10: "set warmup=1 or less, or"} {
		if got := (Config{Warmup: 50}).WarmupWarning(steps); !strings.Contains(got, want) {
			t.Errorf("of %d steps: %q, want %q", steps, got, want)
		}
	}
}
