package files

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"ngebm/data/testdisk"
)

func TestAFullDiskLeavesWhatWasThere(t *testing.T) {
	dir := testdisk.Disk(t, "1m")
	path := filepath.Join(dir, "report")
	err := WriteFile(path, make([]byte, 2<<20), 0o644)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("%v", err)
	}
	for _, name := range names(t, dir) {
		if isTemporary(name, "report") {
			t.Errorf("%s stays on a full disk", name)
		}
	}
}
