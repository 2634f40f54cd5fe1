package measure_test

import (
	"strings"
	"testing"

	"ngebm/ngebm"
	"ngebm/ngebm/attack"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/jem"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/train"
)

// A refined metric never stands alone: it has the plain one's row above it, and a
// report of its own beside one without refinement.
func TestRefined(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: three rounds of masking checks")
	}
	backend := testdevice.Open(t, "cpu")
	cfg := ngebm.DefaultConfig("moons:300", "mlp-16")
	cfg.Epochs, cfg.Validation = 4, 60
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	options := measure.Options{Attacks: []measure.Plan{{Attack: attack.FGSM(attack.L2), Epsilons: []float64{.2}, Examples: 20, Masking: true}}}
	plain, err := measure.MeasureCached(t.Context(), run, options)
	if err != nil {
		t.Fatal(err)
	}
	options.Refine = jem.Refinement{Steps: 2, Step: .05, Noise: .05}
	r, err := measure.MeasureCached(t.Context(), run, options)
	if err != nil {
		t.Fatal(err)
	}
	if plain.Refined != nil || r.Refined == nil {
		t.Fatalf("refined: %+v without, %+v with", plain.Refined, r.Refined)
	}
	if r.Calibration.NLL != plain.Calibration.NLL || r.Robustness[0].Points[0] != plain.Robustness[0].Points[0] {
		t.Error("the refinement changes the plain metrics")
	}
	if r.Refined.Calibration.NLL == r.Calibration.NLL || r.Refined.Calibration.Calibrated == nil || len(r.Refined.Robustness) != 1 || len(r.Refined.Masking) != 1 {
		t.Errorf("refined: %+v", r.Refined)
	}
	text := r.String()
	for _, want := range []string{
		"refined: by 2 SGLD steps of 0.05 with noise 0.05, mean of 5 copies with noise 0.03",
		"none, refined", "FGM L2, refined",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the table does not say %q:\n%s", want, text)
		}
	}
	if strings.Count(text, ", refined  ") != 2 || strings.Contains(plain.String(), "refined") {
		t.Errorf("rows:\n%s", text)
	}
	options.Refine.Steps = -1
	if _, err := measure.MeasureCached(t.Context(), run, options); err == nil || !strings.Contains(err.Error(), "-1 steps") {
		t.Errorf("-1 steps give %v", err)
	}
}
