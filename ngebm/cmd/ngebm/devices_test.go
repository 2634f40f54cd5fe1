package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A plugin that is named is the one that is tried, and one that others could change is not.
func TestDevicesPlugin(t *testing.T) {
	writable := filepath.Join(t.TempDir(), "pjrt_c_api_cpu_plugin.so")
	if err := os.WriteFile(writable, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(writable, 0o666); err != nil {
		t.Fatal(err)
	}
	for plugin, want := range map[string]string{"/no/such_cpu.so": "no such file", writable: "may be changed by others"} {
		var out bytes.Buffer
		if err := dispatch(t.Context(), []string{"devices", "-plugin", plugin}, &out); err != nil {
			t.Error(err)
		}
		if got := out.String(); !strings.Contains(got, "* cpu   not available: ") || !strings.Contains(got, want) || !strings.Contains(got, "go    pure Go") {
			t.Errorf("with %s it says %s, want %q", plugin, got, want)
		}
		err := dispatch(t.Context(), []string{"train", "-preset", "moons", "-runs", t.TempDir(), "-plugin", plugin}, &out)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("training with %s: %v, want %q", plugin, err, want)
		}
	}
}
