package ngebm_test

import (
	"fmt"
	"strings"
	"testing"

	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/train"
)

// What is printed of a run, its classifier and its sets tells a person what they are,
// without pointers and without folders of this machine.
func TestPrinted(t *testing.T) {
	backend, runs := testdevice.Open(t, "cpu"), t.TempDir()
	cfg := small()
	cfg.Name, cfg.EMA = "try", .9
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	summary, err := run.Classifier.Summary()
	if err != nil {
		t.Fatal(err)
	}
	for text, parts := range map[string][]string{
		fmt.Sprint(run):            {"try-" + run.Hash, "mlp-16 on moons", "seed 1", "40 steps (4 of 4 epochs)", "trained 20", "code source " + ngebm.Source(), "validation accuracy", "test accuracy", "on 240 examples"},
		fmt.Sprint(run.Classifier): {"mlp-16: [2] to 2 classes, 82 weights"},
		fmt.Sprint(run.Test):       {"moons", "examples of [2] in 2 classes"},
		summary:                    {"fc0     [16]      48", "fc1     [2]       34", "mlp-16  [2] to 2  82"},
	} {
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%q is not in\n%s", part, text)
			}
		}
		if strings.Contains(text, runs) || strings.Contains(text, "0x") {
			t.Errorf("folders or pointers are in\n%s", text)
		}
	}
}
