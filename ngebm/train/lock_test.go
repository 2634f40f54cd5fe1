package train_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/data/testerror"
	"ngebm/ngebm/internal/ckpt"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/train"
)

// Who is stopped before the first step is told whether another process was waited for, and
// leaves the lock free.
func TestStoppedAtTheLock(t *testing.T) {
	backend, runs := testdevice.Open(t, "go"), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	run := func(ctx context.Context, o train.Options) error {
		o.Runs = runs
		_, err := train.Run(ctx, backend, small(), o)
		return err
	}
	for range 2 { // the second finds the lock free
		if err := run(ctx, train.Options{}); !errors.Is(err, train.ErrStopped) || strings.Contains(err.Error(), "another process") {
			t.Fatalf("nobody holds the lock: %v", err)
		}
	}
	unlock, err := ckpt.Folder(onlyRun(t, runs)).Lock(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	if err := run(ctx, train.Options{Progress: onTask{"wait for another process", cancel}}); !errors.Is(err, train.ErrStopped) || !strings.Contains(err.Error(), "while waiting for another process") {
		t.Errorf("another holds it: %v", err)
	}
}

// Who is stopped while a checkpoint is read is not told that the file is damaged.
func TestStoppedWhileLoading(t *testing.T) {
	backend, o := testdevice.Open(t, "go"), train.Options{Runs: t.TempDir()}
	if _, err := train.Run(t.Context(), backend, small(), o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := train.Run(ctx, backend, small(), o)
	if !errors.Is(err, train.ErrStopped) || !strings.Contains(err.Error(), "was loaded") || strings.Contains(err.Error(), "cannot be read") {
		t.Error(err)
	}
}

// Who waited for a run whose checkpoint was removed meanwhile does not train on with the weights that
// it had read before.
func TestRemovedWhileWaiting(t *testing.T) {
	backend, runs := testdevice.Open(t, "go"), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	half, err := train.Run(ctx, backend, small(), train.Options{Runs: runs, Progress: stopAfter{20, cancel}})
	if !errors.Is(err, train.ErrStopped) {
		t.Fatal(err)
	}
	unlock, err := ckpt.Folder(half.Dir).Lock(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	remove := func() {
		once.Do(func() {
			if err := os.Remove(filepath.Join(half.Dir, ckpt.LastFile)); err != nil {
				t.Error(err)
			}
			unlock()
		})
	}
	_, err = train.Run(t.Context(), backend, small(), train.Options{Runs: runs, Progress: onTask{"wait for another process", remove}})
	testerror.Want(t, err, "was removed after this process had read it; run the command again")
	again, err := train.Run(t.Context(), backend, small(), train.Options{Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := train.Run(t.Context(), backend, small(), train.Options{Runs: t.TempDir()})
	if err != nil || !slices.Equal(checkpointOf(t, alone), checkpointOf(t, again)) {
		t.Errorf("the command again gives other weights (%v)", err)
	}
}

// Who is stopped when the last example was evaluated has a complete run.
func TestStoppedAtTheEnd(t *testing.T) {
	backend, o := testdevice.Open(t, "go"), train.Options{Runs: t.TempDir()}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Progress = reports(func(r progress.Report) {
		if r.Unit == "steps" && r.Finished {
			cancel()
		}
	})
	run, err := train.Run(ctx, backend, small(), o)
	if err != nil || ctx.Err() == nil {
		t.Fatalf("%v, %v", err, ctx.Err())
	}
	if _, err := os.Stat(filepath.Join(run.Dir, ckpt.HistoryFile)); err != nil {
		t.Error(err)
	}
	if again, err := train.Run(t.Context(), backend, small(), o); err != nil || !again.Loaded {
		t.Errorf("it is not complete: %v", err)
	}
}

// Sets of one's own are the test and the validation set, whatever their split is called.
func TestOtherWordsForSplits(t *testing.T) {
	backend, cfg := testdevice.Open(t, "go"), small()
	all, _, err := data.Open(t.Context(), cfg.Data, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := train.Options{Runs: t.TempDir()}
	if o.TrainSet, o.TestSet, err = all.RandomSplit(60, 1, "seen", "validation"); err != nil {
		t.Fatal(err)
	}
	cfg.Data = ""
	for i := range 2 {
		run, err := train.Run(t.Context(), backend, cfg, o)
		if err != nil {
			t.Fatal(err)
		}
		if test, held := run.History.Last("test"), run.History.Last("validation"); run.Loaded != (i == 1) || test == nil || held == nil || test.Examples != 60 || held.Examples != cfg.Validation {
			t.Errorf("loaded %t, test %+v, validation %+v", run.Loaded, test, held)
		}
	}
}

// reports is a function that takes reports.
type reports func(progress.Report)

func (f reports) Report(r progress.Report) { f(r) }

// onlyRun is the folder of the only run below runs.
func onlyRun(t *testing.T, runs string) string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(runs, "*-*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("runs %v (%v)", dirs, err)
	}
	return dirs[0]
}

// onTask calls do when a task that begins so is reported.
type onTask struct {
	task string
	do   func()
}

func (o onTask) Report(r progress.Report) {
	if strings.HasPrefix(r.Task, o.task) {
		o.do()
	}
}
