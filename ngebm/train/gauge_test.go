package train_test

import (
	"math"
	"testing"

	"ngebm/data/testerror"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/nets"
	"ngebm/ngebm/train"
)

// With a head that sets E to 0 everywhere, both terms of NG-EBM are 0 and have no gradient
// but rounding: what is trained is the network of cross-entropy with the same seed.
func TestExactGaugeTurnsNGEBMIntoCrossEntropy(t *testing.T) {
	backend := testdevice.Open(t, "go")
	plain, exact := small(), small()
	plain.Beta, plain.Gamma = 0, 0
	exact.Net += "+gauge-exact"
	want, err := train.Run(t.Context(), backend, plain, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	got, err := train.Run(t.Context(), backend, exact, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for term, name := range got.History.Terms {
		last := got.History.Values[term][got.History.Steps()-1]
		switch {
		case name == "cross-entropy":
			if alone := want.History.Values[term][want.History.Steps()-1]; math.Abs(float64(last-alone)) > 1e-5 {
				t.Errorf("cross-entropy at the last step is %g, without the two terms %g", last, alone)
			}
		case math.Abs(float64(last)) > 1e-5:
			t.Errorf("%s at the last step is %g, not 0", name, last)
		}
	}
}

// A network of a person's own, of unknown size, can have a head, whose name is checked.
func TestGaugeOfOwnNetwork(t *testing.T) {
	cfg := small()
	cfg.Net, cfg.Epochs, cfg.Warmup = "", 1, 0
	for _, head := range nets.Heads() {
		if _, err := train.Run(t.Context(), testdevice.Open(t, "go"), cfg, train.Options{Runs: t.TempDir(), Network: nets.Gauge{Net: twoTowers{3}, Head: head[0]}}); err != nil {
			t.Errorf("%s: %v", head[0], err)
		}
	}
	_, err := train.Run(t.Context(), testdevice.Open(t, "go"), cfg, train.Options{Runs: t.TempDir(), Network: nets.Gauge{Net: twoTowers{3}, Head: "netwrk"}})
	testerror.Want(t, err, `no head is named "netwrk"`, "exact, logits, mlp, network")
}
