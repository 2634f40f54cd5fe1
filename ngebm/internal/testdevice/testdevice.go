// Package testdevice opens devices in tests.
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
	d, err := device.Open(kind, progress.Discard{})
	if err != nil {
		t.Fatal(err)
	}
	return d.Backend
}

// OpenSeveral opens XLA's CPU backend as N devices.
func OpenSeveral(t testing.TB, devices int) compute.Backend {
	t.Helper()
	d, err := device.OpenContext(t.Context(), device.Options{Device: device.CPU, Devices: devices})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d.Backend
}
