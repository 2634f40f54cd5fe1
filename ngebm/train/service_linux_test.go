package train_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"ngebm/data"
	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/train"
)

// serviceRun names the run that the part of TestService in another process serves.
const serviceRun = "NGEBM_TEST_SERVICE_RUN"

// serviceScript makes everything read-only, takes the network away, and runs a program as
// user 65532 without groups, home folder or any other environment.
const serviceScript = `set -e
mount --make-rprivate /
mount --bind "$PLUGIN" "$PUBLIC/xla"
mount -o remount,bind,ro "$PUBLIC/xla"
mount -o remount,bind,ro "$(stat -c %m "$PUBLIC")"
if touch "$PUBLIC/written" 2>/dev/null; then echo "the disk is not read-only"; exit 1; fi
exec setpriv --reuid=65532 --regid=65532 --clear-groups --no-new-privs \
	env -i PJRT_PLUGIN_LIBRARY_PATH="$PUBLIC/xla" ` + serviceRun + `="$RUN" "$PUBLIC/service" -test.run='^TestServicePart$' -test.v`

// A service loads a run, answers many requests at once and is closed in the midst of them:
// as a user with a number alone, on a disk that cannot be written to, without network and
// home folder. With -race the service is built with it.
func TestService(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it starts a second process with XLA")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make the disk read-only and become another user")
	}
	if out, err := exec.Command("unshare", "-mn", "mount", "--make-rprivate", "/").CombinedOutput(); err != nil {
		t.Skipf("may not mount here: %v, %s", err, out)
	}
	public, err := os.MkdirTemp("", "ngebm-service") // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(public) })
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(os.Chmod(public, 0o755), os.Mkdir(filepath.Join(public, "xla"), 0o755),
		os.WriteFile(filepath.Join(public, "service"), program, 0o755))
	if err != nil {
		t.Fatal(err)
	}
	dev, err := device.Open(device.CPU, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	run, err := train.Run(t.Context(), dev.Backend, small(), train.Options{Runs: filepath.Join(public, "runs")})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "-mn", "/bin/sh", "-c", serviceScript)
	cmd.Env = append(os.Environ(), "PUBLIC="+public, "PLUGIN="+filepath.Dir(dev.Plugin), "RUN="+run.Dir)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "uid 65532 served") || strings.Contains(string(out), "DATA RACE") {
		t.Errorf("the service ended with %v", err)
	}
}

// TestServicePart is the service of TestService.
func TestServicePart(t *testing.T) {
	dir := os.Getenv(serviceRun)
	if dir == "" {
		t.Skip("a part of TestService")
	}
	dev, err := device.OpenContext(t.Context(), device.Options{
		Device: device.CPU, Offline: true, PluginFolders: []string{os.Getenv("PJRT_PLUGIN_LIBRARY_PATH")},
	})
	if err != nil {
		t.Fatal(err)
	}
	run, err := ngebm.Load(t.Context(), dev.Backend, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, test, err := data.Open(context.Background(), "moons:240", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := run.Classifier.Energies(t.Context(), test)
	if err != nil {
		t.Fatal(err)
	}
	var requests sync.WaitGroup
	var served, refused atomic.Int64
	for range 16 {
		requests.Go(func() {
			for {
				got, err := run.Classifier.Energies(t.Context(), test)
				if errors.Is(err, device.ErrClosed) {
					refused.Add(1)
					return
				}
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("a request gave %d energies, %v", len(got), err)
					return
				}
				if served.Add(1) == 50 {
					go dev.Close()
				}
			}
		})
	}
	requests.Wait()
	dev.Close()
	if _, err := run.Classifier.Energies(t.Context(), test); !errors.Is(err, device.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
	t.Logf("uid %d served %d requests, refused %d", os.Getuid(), served.Load(), refused.Load())
}
