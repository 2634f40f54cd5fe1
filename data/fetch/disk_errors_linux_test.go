package fetch

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"syscall"
	"testing"

	"ngebm/data/testdisk"
)

// A disk that fills up, is read-only or is taken away while a file comes ends the
// download with the reason; once that is mended it goes on from what had come.
func TestGetOnFaultyDisk(t *testing.T) {
	t.Run("full", func(t *testing.T) {
		disk, s := testdisk.Disk(t, "64k"), serve(t)
		_, err := impatient(disk).get(t.Context(), file(s.url(), s.url()))
		refused(t, disk, err, "the disk is full", "no space left on device", "make room, or set NGEBM_DATA to a folder on another", "came and are kept")
		part, err := os.ReadFile(file().Path(disk) + partSuffix)
		if err != nil || len(part) == 0 || !bytes.HasPrefix(published, part) {
			t.Errorf("kept are %d bytes (%v)", len(part), err)
		}
		testdisk.Remount(t, disk, "1m", 0)
		path, err := impatient(disk).get(t.Context(), file(s.url()))
		right(t, path, err)
		if asked := s.asked(); len(asked) != 2 || asked[1].ranged == "" {
			t.Errorf("it asked %v, want the rest the second time", asked)
		}
	})
	t.Run("read-only", func(t *testing.T) {
		disk, s := testdisk.Disk(t, "64k"), serve(t)
		testdisk.Remount(t, disk, "1m", syscall.MS_RDONLY)
		_, err := impatient(disk).get(t.Context(), file(s.url()))
		mentions(t, err, "set.bin.lock", "read-only file system", "set NGEBM_DATA to another")
		testdisk.Remount(t, disk, "1m", 0)
		path, err := impatient(disk).get(t.Context(), file(s.url()))
		right(t, path, err)
		testdisk.Remount(t, disk, "1m", syscall.MS_RDONLY)
		path, err = impatient(disk).get(t.Context(), file())
		right(t, path, err)
	})
	t.Run("vanished", func(t *testing.T) {
		folder := t.TempDir() + "/cache"
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			_ = os.Rename(folder, folder+".away")
			good(w, r)
		})
		_, err := impatient(folder).get(t.Context(), file(s.url()))
		mentions(t, err, "download of set.bin", "no such file or directory", "run again, or get it from")
		path, err := impatient(folder).get(t.Context(), file(s.url()))
		right(t, path, err)
		if left := names(t, folder); !slices.Contains(left, "set.bin") {
			t.Errorf("the folder holds %v", left)
		}
	})
}

// A folder that cannot be synced takes a download all the same; one that is not there does not.
func TestSyncFolder(t *testing.T) {
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip(err)
	}
	unreadable := t.TempDir()
	if err := os.Chmod(unreadable, 0o300); err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]error{t.TempDir(): nil, unreadable: nil, "/proc/self": nil, "/no/such/folder": fs.ErrNotExist} {
		if err := syncFolder(folder); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", folder, err, want)
		}
	}
}
