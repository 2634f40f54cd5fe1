package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"ngebm/data/testdisk"
)

// killer starts a command again and again and kills it with -9.
type killer struct {
	t           *testing.T
	bin         string
	rng         *rand.Rand
	whole       time.Duration // that the command takes when left alone
	kills, runs int
	temp        string // $TMPDIR, on the disk of the runs
}

func (k *killer) cmd(args []string) *exec.Cmd {
	cmd := exec.Command(k.bin, args...)
	cmd.Env = append(os.Environ(), "NGEBM_TEST_MARK="+k.t.Name(), "TMPDIR="+k.temp)
	return cmd
}

// finish runs the command to its end and returns what it printed.
func (k *killer) finish(args []string) string {
	k.t.Helper()
	var out, log bytes.Buffer
	cmd := k.cmd(args)
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		k.t.Fatalf("%v: %v\n%s%s", args, err, &out, &log)
	}
	if left, err := os.ReadDir(k.temp); err != nil || len(left) > 0 {
		k.t.Errorf("$TMPDIR holds %v (%v)", left, err)
	}
	return out.String()
}

// kill starts the command and kills it at a moment drawn uniformly over the time that
// it takes when left alone; it may be done before. No process is left, no lock is held,
// and each checkpoint that is there is whole.
func (k *killer) kill(runs string, args []string) {
	k.t.Helper()
	cmd := k.cmd(args)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	timer := time.AfterFunc(time.Duration(k.rng.Float64()*float64(k.whole)), func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if k.runs++; timer.Stop() {
		if err != nil {
			k.t.Fatalf("%v: %v\n%s", args, err, &log)
		}
		return
	}
	k.kills++
	// A helper, such as the Python that is asked where CUDA is, ends by itself.
	left := carriers(k.t.Name())
	for died := time.Now(); len(left) > 0 && time.Since(died) < 3*time.Second; left = carriers(k.t.Name()) {
		time.Sleep(20 * time.Millisecond)
	}
	if len(left) > 0 {
		k.t.Errorf("processes left: %q", left)
	}
	locks, _ := filepath.Glob(filepath.Join(runs, "*", "lock")) // the pattern is well-formed
	for _, path := range locks {
		lock := flock.New(path)
		if free, err := lock.TryLock(); err != nil || !free {
			k.t.Errorf("%s is still locked (%v)", path, err)
		}
		_ = lock.Close()
	}
	files, _ := filepath.Glob(filepath.Join(runs, "*", "*.ngebm"))
	for _, path := range files {
		b, err := os.ReadFile(path)
		if n := len(b) - sha256.Size; err != nil || n < 0 || sha256.Sum256(b[:n]) != [sha256.Size]byte(b[n:]) {
			k.t.Errorf("%s with %d bytes is not whole (%v)", path, len(b), err)
		}
	}
}

// carriers returns the processes with that mark in their environment, where the system
// tells.
func carriers(mark string) (found []string) {
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environs {
		if env, err := os.ReadFile(path); err == nil && bytes.Contains(env, []byte("NGEBM_TEST_MARK="+mark+"\x00")) {
			found = append(found, path)
		}
	}
	return found
}

// newKiller measures how long the command takes when left alone, and returns what it
// prints.
func newKiller(t *testing.T, args []string) (*killer, string) {
	t.Helper()
	k := &killer{t: t, bin: build(t), rng: rand.New(rand.NewPCG(1, 2)), temp: t.TempDir()}
	began := time.Now()
	out := k.finish(args)
	k.whole = time.Since(began)
	return k, out
}

// without returns a folder's files but cost.json, which tells times, the checkpoint
// before the last, which depends on them, and locks, as one text of names and checksums.
func without(t *testing.T, runs string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(runs, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	hidden, _ := filepath.Glob(filepath.Join(runs, "*", ".*"))
	var all strings.Builder
	for _, path := range append(paths, hidden...) {
		switch name := filepath.Base(path); {
		case slices.Contains([]string{"cost.json", "previous.ngebm", "lock"}, name):
		default:
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&all, "%s/%s %x\n", filepath.Base(filepath.Dir(path)), name, sha256.Sum256(b))
		}
	}
	return all.String()
}

// Trainings that are killed, twice each, resume and end with the files of the one that
// was left alone, byte for byte: weights, optimizer state, history, the best checkpoint.
func TestLongKilledTraining(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it trains again and again")
	}
	args := func(runs string) []string {
		// Saving at each step makes it likely that some kills fall into a save.
		return []string{"train", "-preset", "digits-ngebm", "-set", "epochs=6,eval_every=2", "-runs", runs, "-save-every", "1ns", "-device", "cpu"}
	}
	alone, again := t.TempDir(), t.TempDir()
	k, _ := newKiller(t, args(alone))
	began := time.Now()
	k.finish(args(again)) // what it compiles is kept now
	k.whole = time.Since(began)
	want, resumed := without(t, alone), 0
	if got := without(t, again); got != want {
		t.Errorf("left alone\n%sand left alone once more\n%s", want, got)
	}
	for k.kills < testdisk.Times(4, 50) && k.runs < 400 {
		runs := t.TempDir()
		k.kill(runs, args(runs))
		k.kill(runs, args(runs))
		k.finish(args(runs))
		resumed++
		if got := without(t, runs); got != want {
			t.Errorf("left alone\n%skilled and resumed\n%s", want, got)
		}
	}
	t.Logf("left alone it took %v; %d kills, %d resumed runs compared", k.whole, k.kills, resumed)
}

// Measurements that are killed end, when they are made again, with the table and the
// stored judgments of those that were left alone.
func TestLongKilledMeasuring(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it measures again and again; TestKilledSweepResumes kills a sweep")
	}
	trained := t.TempDir()
	args := func(runs string) []string {
		return []string{"sweep", "-preset", "digits-few", "-model", "mlp-16", "-set", "epochs=20,eval_every=5", "-attack-examples", "50",
			"-grid", "beta=0,.1;gamma=0,.1", "-seeds", "1,2", "-runs", runs, "-o", "-", "-device", "go"}
	}
	k, _ := newKiller(t, args(trained))
	judgments := func() []string {
		paths, err := filepath.Glob(filepath.Join(trained, "*", "judged-*.json"))
		if err != nil || len(paths) != 8 {
			t.Fatalf("%d runs judged (%v)", len(paths), err)
		}
		return paths
	}
	forget := func() {
		t.Helper()
		for _, path := range judgments() {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	forget()
	began := time.Now()
	table := k.finish(args(trained)) // all are loaded and judged
	k.whole = time.Since(began)
	want, made := without(t, trained), 0
	for k.kills < testdisk.Times(4, 50) && k.runs < 400 {
		forget()
		k.kill(trained, args(trained))
		k.kill(trained, args(trained))
		if got := k.finish(args(trained)); got != table {
			t.Errorf("left alone\n%s\nkilled and made again\n%s", table, got)
		}
		made++
		if got := without(t, trained); got != want {
			t.Errorf("left alone\n%skilled and made again\n%s", want, got)
		}
	}
	t.Logf("left alone it took %v; %d kills, %d tables compared", k.whole, k.kills, made)
}
