package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// build makes the command once for all tests.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "ngebm")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// checkpoint returns the bytes of the only run's checkpoint in a folder of runs.
func checkpoint(t *testing.T, runs string) []byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(runs, "*", "checkpoint.ngebm"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("checkpoints in %s: %v (%v)", runs, paths, err)
	}
	b, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A training process killed with -9 ten times, at moments drawn uniformly over
// the time that it takes when left alone, resumes each time and ends with the
// bytes of the run that was left alone: weights, optimiser state, history.
func TestKilledAnywhereResumes(t *testing.T) {
	bin := build(t)
	args := func(runs string) []string {
		// Saving at each step makes it likely that some kills fall into a save.
		return []string{"train", "-preset", "digits-ngebm", "-set", "epochs=20,eval_every=2", "-runs", runs, "-save-every", "1ns", "-device", "cpu"}
	}
	alone := t.TempDir()
	began := time.Now()
	if out, err := exec.Command(bin, args(alone)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	whole := time.Since(began)
	killed := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	kills := 0
	for range 10 {
		after := time.Duration(rng.Float64() * float64(whole))
		ctx, cancel := context.WithTimeout(t.Context(), after)
		out, err := exec.CommandContext(ctx, bin, args(killed)...).CombinedOutput() // killed with SIGKILL
		if ctx.Err() == nil && err != nil {
			t.Fatalf("a resumed run failed: %v\n%s", err, out)
		}
		if err != nil {
			kills++
		}
		cancel()
	}
	out, err := exec.Command(bin, args(killed)...).CombinedOutput()
	if err != nil {
		t.Fatalf("the last resume failed: %v\n%s", err, out)
	}
	t.Logf("left alone it took %v; killed %d times", whole, kills)
	if kills == 0 {
		t.Error("no process was killed before it was done")
	}
	if !bytes.Equal(checkpoint(t, alone), checkpoint(t, killed)) {
		t.Error("the killed and resumed run ended with another checkpoint than the one left alone")
	}
	if left, _ := filepath.Glob(filepath.Join(killed, "*", ".*")); len(left) > 0 {
		t.Errorf("the killed processes' unfinished files are still there: %v", left)
	}
}

// SIGINT saves and stops, with a status and a line that say so.
func TestInterruptSavesAndStops(t *testing.T) {
	runs := t.TempDir()
	cmd := exec.Command(build(t), "train", "-preset", "digits", "-runs", runs, "-set", "epochs=5000", "-device", "cpu")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(2 * time.Minute)
	for saved := []string(nil); len(saved) == 0; time.Sleep(50 * time.Millisecond) { // until it trains
		saved, _ = filepath.Glob(filepath.Join(runs, "*", "checkpoint.ngebm"))
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			t.Fatalf("no checkpoint in two minutes\n%s", stderr.String())
		}
	}
	before := checkpoint(t, runs)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	if cmd.ProcessState.ExitCode() != 130 || !strings.Contains(stderr.String(), "and saved in") {
		t.Errorf("after SIGINT: %v\n%s", err, stderr.String())
	}
	if bytes.Equal(before, checkpoint(t, runs)) {
		t.Error("the steps since the checkpoint before were not saved")
	}
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args string
		out  []string // in what it prints
		err  string   // in the error; none if empty
	}{
		{"-h", []string{"train", "devices", "ngebm train -preset"}, ""},
		{"train -list", []string{"digits-ngebm", "cifar10-smoke", "moons", "energy-margin", "tar:PATH", "wrn-D-W"}, ""},
		{"train -preset digits -dry -set beta=.25 -limit 100", []string{`"beta": 0.25`, `"limit": 100`, `"net": "convnet"`}, ""},
		{"devices", []string{"cpu", "go"}, ""},
		{"trian", nil, `no verb "trian"`},
		{"train -preset digit", nil, `no preset is named "digit"; there are moons, digits`},
		{"train beta=1", nil, `"beta=1" is no flag`},
		{"train -set beta=-1", nil, "beta is -1; it must be"},
		{"train -set betta=1", nil, `no setting "betta"`},
		{"train -data tar:nowhere.tar.gz -preset cifar10-smoke", nil, "nowhere.tar.gz"},
		{"train -device tpu9", nil, "tpu9"},
	} {
		var out bytes.Buffer
		err := dispatch(t.Context(), strings.Fields(c.args), &out)
		if got := fmt.Sprint(err); c.err == "" && err != nil || !strings.Contains(got, c.err) {
			t.Errorf("ngebm %s: error %v, want %q", c.args, err, c.err)
		}
		for _, w := range c.out {
			if !strings.Contains(out.String(), w) {
				t.Errorf("ngebm %s does not print %q:\n%s", c.args, w, out.String())
			}
		}
	}
}
