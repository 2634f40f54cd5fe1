// Package testdevice opens devices in tests. What they compile is kept in [CompileCache].
package testdevice

import (
	"os"
	"testing"

	"github.com/gomlx/compute"

	"ngebm/data/progress"
	"ngebm/ngebm/device"
)

// Open opens the device of that kind, "cpu" (XLA), "go" (GoMLX's pure-Go backend) or ""
// for the best that the machine has. $NGEBM_TEST_DEVICE, if set, takes the place of "cpu".
func Open(t testing.TB, kind string) compute.Backend {
	t.Helper()
	if other := os.Getenv("NGEBM_TEST_DEVICE"); kind == device.CPU && other != "" {
		kind = other
	}
	return open(t, device.Options{Device: kind, Progress: progress.Discard{}}).Backend
}

// OpenSeveral opens XLA's CPU backend as N devices.
func OpenSeveral(t testing.TB, devices int) compute.Backend {
	t.Helper()
	d := open(t, device.Options{Device: device.CPU, Devices: devices})
	t.Cleanup(d.Close)
	return d.Backend
}

func open(t testing.TB, o device.Options) *device.Device {
	t.Helper()
	o.CompileCache = CompileCache()
	d, err := device.OpenContext(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
