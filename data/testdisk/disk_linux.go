package testdisk

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Disk mounts a tmpfs of a size such as "64k" or "1m" until the test ends, and returns its
// folder. It skips the test, with the reason, where mounting is not permitted.
func Disk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("ngebm", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("SKIPPED: cannot mount a tmpfs (%v): run as root", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// Fill uses up a disk of less than 2 MiB and returns a function that frees it again.
func Fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	if err := os.WriteFile(path, make([]byte, 2<<20), 0o644); err == nil {
		t.Fatal("the disk has room for more than it should")
	}
	return func() { _ = os.Remove(path) }
}

// Remount changes the size of a disk and its flags: syscall.MS_RDONLY makes it read-only,
// 0 writable.
func Remount(t *testing.T, dir, size string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("ngebm", dir, "tmpfs", syscall.MS_REMOUNT|flags, "size="+size); err != nil {
		t.Fatal(err)
	}
}
