package train_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/gomlx/go-xla/pjrt"

	"ngebm/data/testdisk"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/train"
)

// held is what this process holds.
type held struct {
	resident         int // bytes, those on XLA's CPU device among them; 0 where the system does not tell
	heap             int // bytes
	routines, handle int
	// What Go holds of XLA.
	buffers, executables int64
}

func (h held) String() string {
	return fmt.Sprintf("%.1f MiB resident, %.1f MiB heap, %d goroutines, %d file handles, %d device buffers, %d executables",
		float64(h.resident)/(1<<20), float64(h.heap)/(1<<20), h.routines, h.handle, h.buffers, h.executables)
}

func holding() held {
	for range 5 { // clean-ups let go of more, and run beside
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h := held{heap: int(m.HeapAlloc), routines: runtime.NumGoroutine(), buffers: pjrt.BuffersAlive(), executables: pjrt.LoadedExecutablesAlive()}
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		var all int
		_, _ = fmt.Sscan(string(b), &all, &h.resident)
		h.resident *= os.Getpagesize()
	}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		h.handle = len(open)
	}
	return h
}

// flat fails if the process holds more than it did, but for as many bytes as allocators
// may keep for later.
func flat(t *testing.T, before, after held, keep int, what string) {
	t.Helper()
	t.Logf("%s: %v, then %v", what, before, after)
	if after.resident > before.resident+keep || after.heap > before.heap+4<<20 || after.routines > before.routines+2 || after.handle > before.handle ||
		after.buffers > before.buffers || after.executables > before.executables {
		t.Errorf("%s leaves more and more: %v, then %v", what, before, after)
	}
}

// A long training in one process, evaluated and saved again and again, holds no more in
// its second half than in its first: ten thousand steps and a thousand evaluations in
// full, of a network whose steps are taken in loops and of one whose steps are not.
func TestLongTrainingStaysSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: 600 steps, with an evaluation and a checkpoint after each epoch")
	}
	for _, net := range []string{"mlp-16", "convnet"} {
		t.Run(net, func(t *testing.T) {
			cfg := small()
			if cfg.Net = net; net == "convnet" {
				cfg.Data, cfg.Limit = "digits", 240
			}
			cfg.Epochs = testdisk.Times(60, 1000)
			var half held
			run, err := train.Run(t.Context(), testdevice.Open(t, "cpu"), cfg, train.Options{Runs: t.TempDir(), SaveEvery: 1, OnEpochEnd: func(r *ngebm.Run) {
				if r.History.Steps() == cfg.Epochs/2*r.History.StepsPerEpoch {
					half = holding()
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			flat(t, half, holding(), 16<<20, fmt.Sprintf("training of %d steps with %d evaluations", run.History.Steps(), len(run.History.Evaluations)))
		})
	}
}

// Opening a run, asking it and letting it go, over and over, holds nothing: neither
// graphs nor buffers nor what XLA compiled.
func TestLongLoadingStaysSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it loads and compiles a run again and again")
	}
	backend := testdevice.Open(t, "cpu")
	run := trainedOnXLA(t)
	ask := func(n int) {
		for range n {
			loaded, err := ngebm.Load(t.Context(), backend, run.Dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := loaded.Classifier.GradientNorms(t.Context(), run.Test); err != nil {
				t.Fatal(err)
			}
		}
	}
	n := testdisk.Times(4, 200)
	ask(n)
	before := holding()
	ask(n)
	flat(t, before, holding(), 16<<20, fmt.Sprintf("%d times loaded and asked", n))
}
