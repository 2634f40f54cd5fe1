package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Where files may not grow, as with a quota, training says so and goes on once they may.
func TestFileSizeLimit(t *testing.T) {
	bin, runs := build(t), t.TempDir()
	train := []string{"train", "-preset", "digits-few", "-model", "mlp-64", "-set", "epochs=4", "-runs", runs, "-device", "go"}
	limited := exec.Command("sh", append([]string{"-c", `ulimit -f 8 && exec "$@"`, "sh", bin}, train...)...) // less than 10 kB
	out, err := limited.CombinedOutput()
	for _, want := range []string{"cannot write the checkpoint", "file too large", "raise the limit (ulimit -f) and train the same configuration to resume"} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v, without %q:\n%s", err, want, out)
		}
	}
	if out, err := exec.Command(bin, train...).CombinedOutput(); err != nil {
		t.Errorf("without the limit: %v\n%s", err, out)
	}
	if left, _ := filepath.Glob(filepath.Join(runs, "*", ".*")); len(left) > 0 {
		t.Errorf("unfinished files are left: %v", left)
	}
}
