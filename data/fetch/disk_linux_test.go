package fetch

import (
	"bytes"
	"net/http"
	"os"
	"slices"
	"syscall"
	"testing"
)

// smallDisk mounts a disk of its own that is too small for the published file.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("ngebm", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("SKIPPED: a disk cannot be mounted here (%v); as root it can", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func remount(t *testing.T, dir, size string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("ngebm", dir, "tmpfs", syscall.MS_REMOUNT|flags, "size="+size); err != nil {
		t.Fatal(err)
	}
}

// A disk that fills up, is read-only or is taken away while a file comes ends the
// download with the reason; once that is mended it goes on from what had come.
func TestGetOnFaultyDisk(t *testing.T) {
	t.Run("full", func(t *testing.T) {
		disk, s := smallDisk(t), serve(t)
		_, err := impatient(disk).get(t.Context(), file(s.url(), s.url()))
		refused(t, disk, err, "the disk is full", "no space left on device", "make room, or set NGEBM_DATA to a folder on another", "came and are kept")
		part, err := os.ReadFile(file().Path(disk) + partSuffix)
		if err != nil || len(part) == 0 || !bytes.HasPrefix(published, part) {
			t.Errorf("kept are %d bytes (%v)", len(part), err)
		}
		remount(t, disk, "1m", 0)
		path, err := impatient(disk).get(t.Context(), file(s.url()))
		right(t, path, err)
		if asked := s.asked(); len(asked) != 2 || asked[1].ranged == "" {
			t.Errorf("it asked %v, want the rest the second time", asked)
		}
	})
	t.Run("read-only", func(t *testing.T) {
		disk, s := smallDisk(t), serve(t)
		remount(t, disk, "1m", syscall.MS_RDONLY)
		_, err := impatient(disk).get(t.Context(), file(s.url()))
		mentions(t, err, "set.bin.lock", "read-only file system", "set NGEBM_DATA to another")
		remount(t, disk, "1m", 0)
		path, err := impatient(disk).get(t.Context(), file(s.url()))
		right(t, path, err)
		remount(t, disk, "1m", syscall.MS_RDONLY)
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
