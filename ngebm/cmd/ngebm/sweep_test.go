package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ngebm/ngebm/study"
)

// sweepArgs are those of 2×2 weights with three seeds on digits, with a network so small
// that XLA would only compile: in pure Go a run takes a tenth of a second.
func sweepArgs(runs string) []string {
	return []string{"sweep", "-preset", "digits-few", "-model", "mlp-16", "-set", "epochs=20,eval_every=5", "-attack-examples", "50",
		"-grid", "beta=0,.1;gamma=0,.1", "-seeds", "1,2,3", "-runs", runs, "-o", "-", "-device", "go", "-save-every", "1ns"}
}

// counted finds how many runs a sweep trained and how many it loaded.
var counted = regexp.MustCompile(`(\d+) runs trained, (\d+) loaded`)

// A sweep of 2×2 weights with three seeds, killed with -9 in the middle, goes on where
// it was, trains no run that was done again, and prints the table of a sweep left
// alone in another folder, byte for byte.
func TestKilledSweepResumes(t *testing.T) {
	bin := build(t)
	sweepIn := func(ctx context.Context, runs string) (stdout, stderr string, err error) {
		var out, log bytes.Buffer
		cmd := exec.CommandContext(ctx, bin, sweepArgs(runs)...)
		cmd.Stdout, cmd.Stderr = &out, &log
		err = cmd.Run()
		return out.String(), log.String(), err
	}
	alone, log, err := sweepIn(t.Context(), t.TempDir())
	if err != nil || !strings.Contains(log, "12 runs trained, 0 loaded") {
		t.Fatalf("%v\n%s", err, log)
	}
	runs := t.TempDir()
	ctx, kill := context.WithTimeout(t.Context(), 5*time.Minute)
	go func() { // once four runs were judged it is in the fifth
		for ctx.Err() == nil && len(judged(runs)) < 4 {
			time.Sleep(10 * time.Millisecond)
		}
		kill() // SIGKILL
	}()
	if _, log, err := sweepIn(ctx, runs); err == nil {
		t.Fatalf("the sweep was done before it was killed\n%s", log)
	}
	before := judged(runs)
	continued, log, err := sweepIn(t.Context(), runs)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	if continued != alone {
		t.Errorf("left alone\n%s\nkilled and continued\n%s", alone, continued)
	}
	var trained, loaded int
	if _, err := fmt.Sscanf(counted.FindString(log), "%d runs trained, %d loaded", &trained, &loaded); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	// The fifth may have been trained and not yet judged.
	if len(before) < 4 || loaded < len(before) || loaded > len(before)+1 || trained+loaded != 12 {
		t.Errorf("of 12 runs %d were judged when the sweep was killed; then %d were trained and %d loaded", len(before), trained, loaded)
	}
	for path, written := range before {
		if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(written) {
			t.Errorf("%s was judged again (%v)", path, err)
		}
	}
	t.Logf("killed after %d runs; then %d were trained, %d loaded", len(before), trained, loaded)

	var table study.SweepTable
	if err := json.Unmarshal([]byte(continued), &table); err != nil {
		t.Fatal(err)
	}
	if front, err := table.Pareto(study.ParetoMetrics()...); err != nil || len(front) == 0 || len(table.Rows) != 4 {
		t.Errorf("%d rows, front %v (%v)", len(table.Rows), front, err)
	}
	for _, row := range table.Rows {
		for k, e := range row.Metrics {
			if len(e.Values) != 3 || !(e.Low <= e.Mean && e.Mean <= e.High) {
				t.Errorf("%v, %s: %+v", row.Settings, table.Metrics[k].Name, e)
			}
		}
	}
}

// judged lists the judgments below a folder of runs and when they were written.
func judged(runs string) map[string]time.Time {
	paths, _ := filepath.Glob(filepath.Join(runs, "*", "judged-*.json")) // the pattern is well-formed
	times := map[string]time.Time{}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			times[path] = info.ModTime()
		}
	}
	return times
}

// SIGINT saves and stops a sweep as it does a training, whatever it is at; the same
// command resumes it.
func TestInterruptStopsSweep(t *testing.T) {
	runs := t.TempDir()
	args := []string{"sweep", "-preset", "digits-few", "-model", "mlp-16", "-set", "epochs=40,eval_every=5", "-attack-examples", "50",
		"-grid", "beta=0,.1,1", "-seeds", "1,2", "-runs", runs, "-o", "-", "-device", "go", "-save-every", "1ns"}
	cmd := exec.Command(build(t), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Minute); len(judged(runs)) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			t.Fatalf("no run was judged in two minutes\n%s", stderr.String())
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	if cmd.ProcessState.ExitCode() != 130 || !strings.Contains(stderr.String(), "run the same sweep again to resume") {
		t.Errorf("after SIGINT: %v\n%s", err, stderr.String())
	}
	out, err := exec.Command(build(t), args...).CombinedOutput()
	var trained, loaded int
	if _, e := fmt.Sscanf(counted.FindString(string(out)), "%d runs trained, %d loaded", &trained, &loaded); err != nil || e != nil || loaded == 0 || trained+loaded != 6 {
		t.Errorf("resumed, it trained %d and loaded %d of 6 runs (%v)\n%s", trained, loaded, err, out)
	}
}

func TestSweepCommandLine(t *testing.T) {
	for _, c := range []struct{ args, err string }{
		{"sweep", "-grid is missing; give"},
		{"sweep -grid beta=0 -ood rotatd", "did you mean rotated?"},
		{"sweep -grid beta=0 -set seed=3", `-set seed="3" has no effect; give the seeds with -seeds`},
		{"train -save-every 0s", "-save-every is 0s; it must be above 0"},
		{"train -data moons -set data=digits", `-data and -set data="digits" are one setting; leave one out`},
		{"train -model mlp-4 -set net=mlp-8", `-model and -set net="mlp-8" are one setting`},
		{"train -max-train 100 -set limit=200", `-max-train and -set limit="200" are one setting`},
		{"sweep -grid beta=0 -epsilon -1", "(-epsilon) is -1"},
		{"sweep -grid beta=0 -attacked -1", "(-attack-examples) is -1"},
		{"sweep -grid beta=0 -o nowhere/sweep.json", "its folder does not exist"},
		{"experiment -o nowhere/results.json", "its folder does not exist"},
		{"merge a.json -o b.json", "flags come before the files"},
		{"train -save-every 5", "give a duration, as in 5s or 2m"},
		{"devices cpu", `unexpected argument "cpu"`},
		{"sweep -grid beta", `"beta" of the grid has no values`},
		{"sweep -grid beta=0 gamma=0", `unexpected argument "gamma=0"`},
		{"sweep -grid beta=0 -seeds 1,x", `"x" is not a seed`},
		{"sweep -grid beta=0 -seeds ,", "no seeds"},
		{"sweep -grid beta=0 -set validation=0 -device cpu", "never by the test set"},
		{"sweep -grid beta=0 -set validation=10 -device cpu", "10 validation examples are too few for 15 bins"},
		{"sweep -grid betta=0 -device cpu", `no setting "betta"`},
		{"sweep -grid beta=0 -pareto accuracy,robust", `-pareto names "robust"`},
	} {
		var out bytes.Buffer
		if err := dispatch(t.Context(), strings.Fields(c.args), &out); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("ngebm %s: error %v, want %q", c.args, err, c.err)
		}
	}
}
