package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// JEM killed with -9 in mid-training, at moments drawn uniformly, resumes each time,
// buffer and all, and ends with the bytes of the run left alone; so does a run that
// diverges at first and is set back, which tells so in its table.
func TestBaselinesKilledAnywhereResume(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it kills three methods many times")
	}
	bin := build(t)
	for name, set := range map[string]string{
		"JEM":     "epochs=60,gamma=0,jem.weight=1,jem.steps=5,jem.step=.01,jem.noise=.1,jem.buffer=200",
		"recover": "epochs=60,gamma=0,jem.weight=1,jem.steps=5,jem.step=1000,jem.noise=.1,jem.buffer=200,recover.times=4,recover.shrink=.01,eval_every=5",
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			// train runs the command until it ends, or kills it so long after its first
			// save; it returns how long it ran after that, and whether it was killed.
			train := func(runs string, kill time.Duration) (time.Duration, bool) {
				out.Reset()
				cmd := exec.Command(bin, "train", "-preset", "moons", "-set", set, "-runs", runs, "-save-every", "1ns", "-device", "cpu")
				cmd.Stdout, cmd.Stderr = &out, &out
				before := savedAt(runs)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- cmd.Wait() }()
				var first time.Time
				var when <-chan time.Time
				for poll := time.Tick(2 * time.Millisecond); ; {
					select {
					case err := <-ended:
						if err != nil {
							t.Fatalf("%v\n%s", err, out.String())
						}
						return time.Since(first), false
					case <-when:
						_ = cmd.Process.Kill() // it may have ended
						return time.Since(first), <-ended != nil
					case <-poll:
						if first.IsZero() && savedAt(runs) != before {
							first, when = time.Now(), time.After(kill)
						}
					}
				}
			}
			alone, killed := t.TempDir(), t.TempDir()
			whole, _ := train(alone, time.Hour)
			if name == "recover" && (!bytes.Contains(out.Bytes(), []byte("diverged: ")) || !bytes.Contains(out.Bytes(), []byte("attempt 2 with the SGLD step times"))) {
				t.Errorf("the table does not say that the run was set back:\n%s", out.String())
			}
			rng := rand.New(rand.NewPCG(3, uint64(len(name))))
			kills := 0
			for range 4 {
				// Each goes on where the one before was killed: together they stay below
				// the whole, mostly.
				if _, was := train(killed, time.Duration(rng.Float64()*float64(whole)/2)); was {
					kills++
				}
			}
			train(killed, time.Hour)
			t.Logf("training took %v when left alone; killed %d times", whole, kills)
			if kills == 0 {
				t.Error("no process was killed before it was done")
			}
			if !bytes.Equal(checkpoint(t, alone), checkpoint(t, killed)) {
				t.Error("the killed and resumed run ended with another checkpoint than the one left alone")
			}
		})
	}
}

// savedAt says when the only run in a folder was saved last, "" if never.
func savedAt(runs string) string {
	paths, _ := filepath.Glob(filepath.Join(runs, "*", "checkpoint.ngebm")) // the pattern is well-formed
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			return fmt.Sprint(info.ModTime().UnixNano())
		}
	}
	return ""
}
