package environment_test

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ngebm/ngebm/device"
	"ngebm/ngebm/environment"
)

// clear unsets what a person, or CI, has set.
func clear(t *testing.T) {
	t.Helper()
	for _, name := range []string{"GOMLX_BACKEND", "NGEBM_DEVICE", "NGEBM_OFFLINE", "NGEBM_DATA", "NGEBM_RUNS", "NGEBM_COMPILE_CACHE", "PJRT_PLUGIN_LIBRARY_PATH", "XLA_FLAGS",
		"GONB_PIPE", "GONB_JUPYTER_KERNEL_ID", "JPY_SESSION_NAME"} {
		t.Setenv(name, "")
	}
}

func TestDevice(t *testing.T) {
	for _, c := range []struct {
		env          map[string]string
		device, from string
	}{
		{nil, "", ""},
		{map[string]string{"NGEBM_DEVICE": "cpu"}, "cpu", "NGEBM_DEVICE"},
		{map[string]string{"GOMLX_BACKEND": "xla:cpu"}, "xla:cpu", "GOMLX_BACKEND"},
		{map[string]string{"GOMLX_BACKEND": "go", "NGEBM_DEVICE": "cuda"}, "go", "GOMLX_BACKEND"}, // GoMLX's own beats ours
	} {
		clear(t)
		for name, value := range c.env {
			t.Setenv(name, value)
		}
		o := environment.Device()
		if o.Device != c.device || o.DeviceFrom != c.from {
			t.Errorf("%v: device %q from %q, want %q from %q", c.env, o.Device, o.DeviceFrom, c.device, c.from)
		}
		if o := o.With("cpu"); o.Device != "cpu" || o.DeviceFrom != "" { // a flag beats both
			t.Errorf("%v: with a flag it is %q from %q", c.env, o.Device, o.DeviceFrom)
		}
	}
}

func TestXLA(t *testing.T) {
	clear(t)
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", "/a:/b")
	t.Setenv("XLA_FLAGS", "--xla_one=1")
	o := environment.Device()
	if !slices.Equal(o.PluginFolders, []string{"/a", "/b"}) || o.XLAFlags != "--xla_one=1" {
		t.Errorf("folders %q, flags %q", o.PluginFolders, o.XLAFlags)
	}
	if err := o.SetXLAFlags("--xla_two=2"); err != nil || os.Getenv("XLA_FLAGS") != "--xla_two=2" {
		t.Errorf("XLA_FLAGS=%q (%v)", os.Getenv("XLA_FLAGS"), err)
	}
}

func TestCompileCache(t *testing.T) {
	clear(t)
	t.Setenv("XDG_CACHE_HOME", "/cache")
	t.Setenv("HOME", "/home/me")
	own, err := device.DefaultCompileCache()
	if err != nil || !strings.HasSuffix(own, filepath.Join("ngebm", "compiled")) {
		t.Fatalf("%q, %v", own, err)
	}
	for value, want := range map[string]string{"": own, "0": "", "/compiled": "/compiled"} {
		t.Setenv("NGEBM_COMPILE_CACHE", value)
		if got := environment.Device().CompileCache; got != want {
			t.Errorf("NGEBM_COMPILE_CACHE=%q is the folder %q, want %q", value, got, want)
		}
	}
	t.Setenv("NGEBM_COMPILE_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if got := environment.Device().CompileCache; got != "" {
		t.Errorf("without a home folder it is %q", got)
	}
}

func TestOffline(t *testing.T) {
	clear(t)
	for value, want := range map[string]bool{"": false, "0": false, "1": true, "yes": true} {
		t.Setenv("NGEBM_OFFLINE", value)
		if environment.Offline() != want || environment.Device().Offline != want || environment.Data(nil).Offline != want {
			t.Errorf("NGEBM_OFFLINE=%q does not mean %v everywhere", value, want)
		}
	}
}

func TestFolders(t *testing.T) {
	clear(t)
	if data, runs := environment.Data(nil).Cache, environment.Runs(); data != "" || runs != "runs" {
		t.Errorf("without variables: data %q, runs %q", data, runs)
	}
	t.Setenv("NGEBM_DATA", "/data")
	t.Setenv("NGEBM_RUNS", "/runs")
	if data, runs := environment.Data(nil).Cache, environment.Runs(); data != "/data" || runs != "/runs" {
		t.Errorf("data %q, runs %q", data, runs)
	}
}

// A kernel without Jupyter's server has no browser.
func TestKernel(t *testing.T) {
	clear(t)
	t.Setenv("GONB_PIPE", "/pipe")
	t.Setenv("GONB_JUPYTER_KERNEL_ID", "7")
	if id := environment.Kernel(); id != "" {
		t.Errorf("without a server the kernel is %q", id)
	}
	t.Setenv("JPY_SESSION_NAME", "a.ipynb")
	if id := environment.Kernel(); id != "7" {
		t.Errorf("the kernel is %q, want 7", id)
	}
}

// The first signal ends the context, and the next one is the system's again.
func TestInterruptible(t *testing.T) {
	guard := make(chan os.Signal, 2) // keeps a signal from ending the tests
	signal.Notify(guard, os.Interrupt)
	defer signal.Stop(guard)
	ctx, stop := environment.Interruptible(t.Context())
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the context does not end at SIGINT")
	}
	if ctx.Err() != context.Canceled {
		t.Error(ctx.Err())
	}
}
