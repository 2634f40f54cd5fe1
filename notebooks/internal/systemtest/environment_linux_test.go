package systemtest

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ngebm/notebooks/internal/setup"
)

// readOnly makes a folder one where nobody can write, until the test ends. Its path stays, as Go
// compiles packages again for each folder that they are in.
func readOnly(t *testing.T, folder string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can mount a folder to be read only")
	}
	if err := unix.Mount(folder, folder, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("SKIPPED: nothing can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(folder, unix.MNT_DETACH) })
	if err := unix.Mount("", folder, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
}

// Where programs cannot be run from the folder for temporary files, the program and its
// kernels take another.
func testEnvironmentWithoutExecution(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can mount a file system with noexec")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOEXEC, "size=64m"); err != nil {
		t.Skipf("SKIPPED: nothing can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	if err := setup.CheckCache(dir); err == nil || !strings.Contains(err.Error(), "set XDG_CACHE_HOME to a folder whose programs may be run") {
		t.Errorf("a cache there: %v", err)
	}
	publishes(t, wholeClone(t), []string{"TMPDIR=" + dir}, "runs on cpu", usesLibrary)
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// otherJupyter puts the settings and an extension of another Jupyter where they are for the
// whole machine, for the command that follows only, and starts that.
const otherJupyter = `set -e
for d in /usr/local/etc /usr/local/share; do mount -t tmpfs tmpfs $d; done
mkdir -p /usr/local/etc/jupyter /usr/local/share/jupyter/labextensions/of-others
echo '{"ServerApp": {"certfile": "/elsewhere", "base_url": "/elsewhere/"}}' >/usr/local/etc/jupyter/jupyter_server_config.json
echo '{"name": "of-others", "version": "1.0.0", "jupyterlab": {"_build": {"load": "static/x.js"}}}' >/usr/local/share/jupyter/labextensions/of-others/package.json
exec "$0" "$@"`

// besideAnotherJupyter is a command before others that stands in for another Jupyter, for them only.
func besideAnotherJupyter(t *testing.T) []string {
	t.Helper()
	if os.Getuid() != 0 || exec.Command("unshare", "-m", "true").Run() != nil {
		t.Log("not checked: only root can stand in for another Jupyter, by mounts of its own (unshare -m)")
		return nil
	}
	return []string{"unshare", "-m", "sh", "-c", otherJupyter}
}
