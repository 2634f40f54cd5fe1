package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ngebm/data/testdisk"
)

// Trained runs on a disk that is full or read-only cannot be judged, and that is said;
// once it is mended the table is the one that was had before.
func TestMeasuringOnFaultyDisk(t *testing.T) {
	runs := testdisk.Disk(t, "1m")
	sweep := func() (string, error) {
		var out strings.Builder
		err := dispatch(t.Context(), []string{"sweep", "-preset", "digits-few", "-model", "mlp-16", "-set", "epochs=4,eval_every=2", "-attack-examples", "20",
			"-grid", "beta=0,.1", "-seeds", "1", "-runs", runs, "-o", "-", "-device", "go"}, &out)
		return out.String(), err
	}
	table, err := sweep()
	if err != nil {
		t.Fatal(err)
	}
	forget := func() {
		judged, _ := filepath.Glob(filepath.Join(runs, "*", "judged-*.json")) // the pattern is well-formed
		for _, path := range judged {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	filler := filepath.Join(runs, "filler")
	remount := func(flags uintptr) { testdisk.Remount(t, runs, "1m", flags) }
	for _, c := range []struct {
		harm, mend func()
		want       string
	}{
		{func() { _ = os.WriteFile(filler, make([]byte, 2<<20), 0o644) }, func() { _ = os.Remove(filler) }, "no space left"},
		{func() { remount(syscall.MS_RDONLY) }, func() { remount(0) }, "read-only file system"},
	} {
		forget()
		c.harm()
		_, err := sweep()
		c.mend()
		if err == nil || !strings.Contains(err.Error(), "cannot store") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", c.want, err)
		}
		if again, err := sweep(); err != nil || again != table {
			t.Errorf("%s, mended: %v\n%s\nnot\n%s", c.want, err, again, table)
		}
	}
}
