package train_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ngebm/data/testdisk"
	"ngebm/data/testerror"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/train"
)

// A disk that is full, becomes read-only or is taken away while a run trains stops it
// with the reason; the checkpoint before is good, and once the fault is mended the run
// goes on and ends as the one that was left alone.
func TestTrainingOnFaultyDisk(t *testing.T) {
	cfg, backend := small(), testdevice.Open(t, "go")
	alone, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		harm func(disk, run string) (mend func())
		want []string
	}{
		{"full", func(disk, _ string) func() { return testdisk.Fill(t, disk) },
			[]string{"cannot write the checkpoint", "no space left", "make room and train the same configuration", "what was written before is untouched"}},
		{"read-only", func(disk, _ string) func() {
			testdisk.Remount(t, disk, "1m", syscall.MS_RDONLY)
			return func() { testdisk.Remount(t, disk, "1m", 0) }
		}, []string{"cannot write the checkpoint", "read-only file system", "make its folder writable, or choose another with -runs"}},
		{"vanished", func(_, run string) func() {
			_ = os.Rename(run, run+".away")
			return func() { _ = os.Rename(run+".away", run) }
		}, []string{"cannot write the checkpoint", "the run's folder is gone"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := testdisk.Disk(t, "1m")
			var mend func()
			var good []byte
			_, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: disk, SaveEvery: 1, OnEpochEnd: func(r *ngebm.Run) {
				if r.History.Steps() == 20 {
					good = readFile(t, filepath.Join(r.Dir, "checkpoint.ngebm"))
					mend = c.harm(disk, r.Dir)
				}
			}})
			testerror.Want(t, err, c.want...)
			if mend == nil {
				t.Fatal("nothing was harmed")
			}
			mend()
			if !bytes.Equal(readFile(t, file(t, disk, "checkpoint.ngebm")), good) {
				t.Error("the checkpoint before the fault was changed")
			}
			loaded, err := ngebm.Load(t.Context(), backend, filepath.Dir(file(t, disk, "checkpoint.ngebm")), nil)
			if err != nil || loaded.Warning != "" || loaded.History.Steps() == 0 {
				t.Fatalf("the checkpoint before the fault: %v", err)
			}
			resumed, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: disk})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(checkpointOf(t, alone), checkpointOf(t, resumed)) {
				t.Error("it ended with another checkpoint than the run left alone")
			}
			if left, _ := filepath.Glob(filepath.Join(resumed.Dir, ".*")); len(left) > 0 {
				t.Errorf("unfinished files are left: %v", left)
			}
		})
	}
	t.Run("from the start", func(t *testing.T) {
		disk := testdisk.Disk(t, "1m")
		empty := testdisk.Fill(t, disk)
		_, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: disk})
		if err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("a full disk: %v", err)
		}
		empty()
		testdisk.Remount(t, disk, "1m", syscall.MS_RDONLY)
		_, err = train.Run(t.Context(), backend, cfg, train.Options{Runs: disk})
		testerror.Want(t, err, "read-only file system", "choose another with -runs")
		testdisk.Remount(t, disk, "1m", 0)
		if _, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: disk}); err != nil {
			t.Fatal(err)
		}
		testdisk.Remount(t, disk, "1m", syscall.MS_RDONLY)
		if again, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: disk}); err != nil || !again.Loaded {
			t.Errorf("a complete run on a read-only disk: %v", err)
		}
	})
}
