package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ngebm/ngebm/environment"
	"ngebm/ngebm/internal/testdevice"
)

// built is the command, built once for all tests that need it.
var built = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(scratch, "ngebm")
	out, err := exec.Command("go", "build", "-ldflags=-s", "-o", bin, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return bin, err
})

// scratch is a folder that goes with this process.
var scratch string

func TestMain(m *testing.M) {
	const nested = "NGEBM_TEST_STARTED"
	if os.Getenv(nested) != "" { // as the worker of a benchmark, which would run all tests again
		panic("a test started the test program; run the built command")
	}
	err := os.Setenv(nested, "1")
	if err != nil {
		panic(err)
	}
	if scratch, err = os.MkdirTemp("", "ngebm-command-"); err != nil {
		panic(err)
	}
	if err = os.Setenv(environment.CompileCacheVar, testdevice.CompileCache()); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

func build(t *testing.T) string {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
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

// SIGINT and SIGTERM save and stop, with a status and a line that say so.
func TestSignalsSaveAndStop(t *testing.T) {
	bin := build(t)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			runs := t.TempDir()
			cmd := exec.Command(bin, "train", "-preset", "digits", "-runs", runs, "-set", "epochs=5000", "-save-every", "300ms", "-device", "cpu")
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
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			err := cmd.Wait()
			if cmd.ProcessState.ExitCode() != 130 || !strings.Contains(stderr.String(), "and saved in") {
				t.Errorf("it ended with %v\n%s", err, stderr.String())
			}
			if bytes.Equal(before, checkpoint(t, runs)) {
				t.Error("the steps since the checkpoint before were not saved")
			}
		})
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
		{"train -preset digits -dry-run -set beta=.25 -max-train 100", []string{`"beta": 0.25`, `"limit": 100`, `"net": "convnet"`}, ""},
		{"train -preset digits -method jem -dry-run", []string{`"jem.steps": 20`, `"jem.step": 1`, `"jem.buffer": 10000`, `"jem.restart": 0.05`, `"focal": 0`}, ""},
		{"train -preset digits-few -max-train 0 -dry-run", []string{`"limit": 0`}, ""},
		{"train -preset digits-few -dry-run", []string{`"limit": 500`}, ""},
		{"train -preset digits -method energy-margin -set data=moons,augment.pad=0,net=mlp-4 -dry-run", []string{`"margin.outliers": "uniform box"`}, ""},
		{"devices", []string{"cpu", "go"}, ""},
		{"trian", nil, `unknown command "trian"`},
		{"train -preset digit", nil, `no preset is named "digit" (did you mean digits?); there are moons, digits`},
		{"train beta=1", nil, `unexpected argument "beta=1"`},
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
