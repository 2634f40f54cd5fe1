package measure_test

import (
	"slices"
	"strings"
	"testing"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/train"
)

// JEM's samples of the moons fall on the moons: their squared MMD to held-out points
// is at most a fifth of that of samples drawn the same way from the model that
// cross-entropy trained. One chain drawn twice is the same chain.
func TestSamplesFallOnTheMoons(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: trains with JEM")
	}
	backend := testdevice.Open(t, "cpu")
	discrepancy := map[string]float64{}
	for _, method := range []string{"cross-entropy", "jem"} {
		cfg, err := ngebm.PresetConfig("moons-jem")
		if err != nil {
			t.Fatal(err)
		}
		jem := cfg.JEM
		if err := cfg.SetMethod(method); err != nil {
			t.Fatal(err)
		}
		run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		sampling := ngebm.Sampling{Count: 500, Steps: 200, Every: 50, Step: jem.Step, Noise: jem.Noise, Seed: 1}
		samples, err := run.Classifier.Sample(t.Context(), run.Train, sampling)
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{0, 50, 100, 150, 200}; !slices.Equal(samples.Steps, want) {
			t.Errorf("kept the steps %v, want %v", samples.Steps, want)
		}
		again, err := run.Classifier.Sample(t.Context(), run.Train, sampling)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(samples.X[4], again.X[4]) {
			t.Error("the same chains drawn twice differ")
		}
		end, err := samples.At(4)
		if err != nil {
			t.Fatal(err)
		}
		held, _, err := run.Test.RandomSplit(run.Test.Len()-500, 1, "test", "rest")
		if err != nil {
			t.Fatal(err)
		}
		if discrepancy[method], err = measure.MMD(end, held); err != nil {
			t.Fatal(err)
		}
		_, err = run.ReplayBuffer(t.Context())
		if has := err == nil; has != (method == "jem") {
			t.Errorf("%s: replay buffer: %v", method, err)
		}
	}
	t.Logf("squared MMD %v", discrepancy)
	if !(discrepancy["jem"] <= .2*discrepancy["cross-entropy"]) {
		t.Errorf("squared MMD of JEM's samples is %.4f, of cross-entropy's %.4f", discrepancy["jem"], discrepancy["cross-entropy"])
	}
}

// Every method trains by its name, on points and on images, and differs from the others.
func TestMethodsByName(t *testing.T) {
	backend := testdevice.Open(t, "go") // compiles nothing: many methods, few steps
	for _, name := range []string{"moons:200", "digits"} {
		if testing.Short() && name == "digits" {
			continue
		}
		hashes := map[string]string{}
		for _, m := range append(ngebm.Methods(), ngebm.Controls()...) {
			cfg := ngebm.DefaultConfig(name, "mlp-16")
			cfg.Limit, cfg.Epochs = 200, 1
			if err := cfg.SetMethod("ng-ebm-paper"); err != nil { // of which nothing may stay
				t.Fatal(err)
			}
			if err := cfg.SetMethod(m.Name); err != nil {
				t.Fatal(err)
			}
			run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
			if err != nil {
				t.Errorf("%s on %s: %v", m.Name, name, err)
				continue
			}
			if other, taken := hashes[run.Hash]; taken {
				t.Errorf("on %s %s is the same run as %s", name, m.Name, other)
			}
			hashes[run.Hash] = m.Name
		}
	}
	cfg := ngebm.DefaultConfig("moons", "mlp-16")
	if err := cfg.SetMethod("gem"); err == nil || !strings.Contains(err.Error(), `no method is named "gem" (did you mean jem?); there are cross-entropy, `) {
		t.Errorf("a method that does not exist gives %v", err)
	}
}

func TestSampleRefuses(t *testing.T) {
	run := trained(t)
	moons, _, err := data.Open(t.Context(), "moons", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fewer, _, err := run.Train.HoldOutClasses("3", "4", "5", "6", "7", "8", "9")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		set   *data.Dataset
		ask   ngebm.Sampling
		wants string
	}{
		{"no set", nil, ngebm.Sampling{Count: 1, Steps: 1}, "no dataset is given to start chains from"},
		{"fewer classes", fewer, ngebm.Sampling{Count: 4, Steps: 1, Start: "data"}, "has 3 classes, while this classifier has 10"},
		{"long chains", run.Train, ngebm.Sampling{Count: 1000, Steps: 1_000_000}, "keep samples more often, every 4194 steps at most"},
		{"another shape", moons, ngebm.Sampling{Count: 1, Steps: 1}, "shape [2]"},
		{"no chains", run.Train, ngebm.Sampling{Steps: 1}, "0 samples"},
		{"no steps", run.Train, ngebm.Sampling{Count: 1}, "chains of 0 steps"},
		{"negative noise", run.Train, ngebm.Sampling{Count: 1, Steps: 1, Noise: -1}, "jem.noise is -1"},
		{"unknown start", run.Train, ngebm.Sampling{Count: 1, Steps: 1, Start: "zero"}, `jem.start is "zero"`},
		{"a step that breaks out", run.Train, ngebm.Sampling{Count: 1, Steps: 100, Step: 1e38}, "lower the step size"},
	} {
		if _, err := run.Classifier.Sample(t.Context(), c.set, c.ask); err == nil || !strings.Contains(err.Error(), c.wants) {
			t.Errorf("%s gives %v, want an error with %q", c.name, err, c.wants)
		}
	}
}
