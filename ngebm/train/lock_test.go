package train_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/data/progress"
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
