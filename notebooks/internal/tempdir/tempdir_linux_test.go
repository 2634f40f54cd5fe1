package tempdir

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A file system that is mounted with noexec is found out, for root too.
func TestCheckNoexec(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can mount a file system with noexec")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOEXEC, "size=1m"); err != nil {
		t.Skipf("SKIPPED: no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, 0) })
	if err := Check(dir); err == nil {
		t.Errorf("programs cannot be run from %s, and nobody says so", dir)
	}
	t.Setenv("TMPDIR", dir)
	fallback := t.TempDir()
	if got, err := Runnable(fallback); got != fallback || err != nil {
		t.Errorf("%s, %v; want %s", got, err, fallback)
	}
}
