package measure_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ngebm/data/testdisk"
	"ngebm/ngebm"
	"ngebm/ngebm/internal/testdevice"
	"ngebm/ngebm/measure"
	"ngebm/ngebm/train"
)

// A disk that is full, read-only or taken away when a run is measured gives the reason,
// and the measurement all the same where there was one; the run is good, and once the
// fault is mended it is measured as ever.
func TestStoredOnFaultyDisk(t *testing.T) {
	backend := testdevice.Open(t, "cpu")
	disk := testdisk.Disk(t, "1m")
	cfg := ngebm.DefaultConfig("moons:200", "mlp-8")
	cfg.Epochs, cfg.Batch = 1, 20
	run, err := train.Run(t.Context(), backend, cfg, train.Options{Runs: disk})
	if err != nil {
		t.Fatal(err)
	}
	checkpoint := func() []byte {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(run.Dir, "checkpoint.ngebm"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	before := checkpoint()
	for _, c := range []struct {
		name     string
		harm     func() (mend func())
		want     []string
		measured bool
	}{
		{"full", func() func() { return testdisk.Fill(t, disk) },
			[]string{"cannot store the result", "no space left on device", "make room"}, true},
		{"read-only", func() func() {
			testdisk.Remount(t, disk, "1m", syscall.MS_RDONLY)
			return func() { testdisk.Remount(t, disk, "1m", 0) }
		}, []string{"cannot store the result", "read-only file system", "the folder writable"}, true},
		{"vanished", func() func() {
			_ = os.Rename(run.Dir, run.Dir+".away")
			return func() { _ = os.Rename(run.Dir+".away", run.Dir) }
		}, []string{"the run's folder", "no such file or directory"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := measure.Options{Bins: 5 + len(c.name)} // not measured before
			mend := c.harm()
			r, err := measure.MeasureCached(t.Context(), run, options)
			mend()
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
			}
			if c.measured != (r != nil) {
				t.Errorf("the report is %v", r)
			}
			if left, _ := filepath.Glob(filepath.Join(run.Dir, ".*")); len(left) > 0 {
				t.Errorf("unfinished files are left: %v", left)
			}
			if !bytes.Equal(before, checkpoint()) {
				t.Error("the checkpoint was changed")
			}
			again, err := measure.MeasureCached(t.Context(), run, options)
			if err != nil {
				t.Fatal(err)
			}
			if c.measured {
				one, _ := json.Marshal(r)
				other, _ := json.Marshal(again)
				if !bytes.Equal(one, other) {
					t.Errorf("once it is mended the report is\n%s, it was\n%s", other, one)
				}
			}
		})
	}
}
