package faulttest

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Disk mounts a disk of its own in memory, of a size such as "64k" or "1m", until the
// test ends, and returns its folder. The test is skipped where that is not allowed.
func Disk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("ngebm", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("SKIPPED: a disk cannot be mounted here (%v); as root it can", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// Fill leaves no room on a disk of less than 2 MiB, and returns what makes it again.
func Fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	if err := os.WriteFile(path, make([]byte, 2<<20), 0o644); err == nil {
		t.Fatal("the disk has room for more than it should")
	}
	return func() { _ = os.Remove(path) }
}

// Remount gives a disk another size, and makes it read-only with syscall.MS_RDONLY as
// flags or writable with 0.
func Remount(t *testing.T, dir, size string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("ngebm", dir, "tmpfs", syscall.MS_REMOUNT|flags, "size="+size); err != nil {
		t.Fatal(err)
	}
}
