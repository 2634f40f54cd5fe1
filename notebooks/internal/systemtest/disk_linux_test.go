package systemtest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ngebm/data/testdisk"
	"ngebm/notebooks/internal/notebooktest"
)

// Where a site or a notebook cannot be written, publish says so and leaves the notebook as
// it was; once that is mended, publishing again works. So it is where its folder vanishes.
func TestPublishOnFaultyDisk(t *testing.T) {
	b := ready(t)
	t.Parallel()
	root := pinsClone(t)
	const name = "disk_test"
	t.Cleanup(func() {
		left, _ := filepath.Glob(filepath.Join(b.workspace.Cache, "executed", name+"-*"))
		for _, file := range left {
			os.Remove(file)
		}
	})
	disk := testdisk.Disk(t, "16k")
	site, stored := filepath.Join(disk, "site"), filepath.Join(disk, name+".ipynb")
	notebooktest.Write(t, stored, "# Title\n\nWords.", "%noautoget", "!echo done")
	before := notebooktest.ReadFile(t, stored)
	publish := func(args ...string) (string, error) {
		printed, _, err := runProgramWith(t, root, []string{"NGEBM_RUNS="}, append([]string{"publish"}, args...)...)
		return printed, err
	}
	fails := func(want string, args ...string) {
		t.Helper()
		printed, err := publish(args...)
		if err == nil || !strings.Contains(printed, want) {
			t.Errorf("%v, without %q:\n%s", err, want, printed)
		}
		if after := notebooktest.ReadFile(t, stored); !bytes.Equal(before, after) {
			t.Error("the notebook was changed")
		}
	}
	fails("no space left on device", "-o", site, stored)
	if err := os.RemoveAll(site); err != nil {
		t.Fatal(err)
	}
	testdisk.Remount(t, disk, "16k", syscall.MS_RDONLY)
	fails("read-only file system", "-o", site, stored)
	fails("read-only file system", "-w", stored)
	testdisk.Remount(t, disk, "64m", 0)
	if printed, err := publish("-w", "-o", site, stored); err != nil {
		t.Errorf("once it is mended: %v\n%s", err, printed)
	}
	// A folder that is taken away while its notebook runs.
	away := filepath.Join(disk, "away")
	if err := os.Mkdir(away, 0o755); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(away, name+"_gone.ipynb")
	notebooktest.Write(t, gone, "# Title\n\nWords.", "%noautoget", "!mv "+away+" "+away+".now && echo done")
	if printed, err := publish("-w", "-o", site, gone); err == nil || !strings.Contains(printed, "no such file or directory") {
		t.Errorf("a folder that vanished: %v\n%s", err, printed)
	} else {
		t.Log(printed)
	}
	if _, err := os.Stat(filepath.Join(away+".now", name+"_gone.ipynb")); err != nil {
		t.Error(err)
	}
	for _, folder := range []string{disk, site} {
		if left, _ := filepath.Glob(filepath.Join(folder, ".*")); len(left) > 0 {
			t.Errorf("unfinished files are left: %v", left)
		}
	}
}
