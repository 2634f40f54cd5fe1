package device

import (
	"testing"

	"github.com/gomlx/compute"

	"ngebm/data/files"
)

// described is a backend of XLA's that only says what it is.
type described struct {
	compute.Backend
	path string
}

func (d described) PluginName() string { return d.path }

func (d described) Description() string {
	return "xla:" + d.path + " - PJRT plugin (" + d.path + ") v0.106 [1 device(s)]"
}

// What is published of a description names no folder, also if the path of the plugin has a space.
func TestDescriptionWithoutFolders(t *testing.T) {
	for path, want := range map[string]string{"/opt/my plugins/xla/cpu.so": "cpu.so", "/opt/xla/cpu.so": "cpu.so", "cpu": "cpu"} {
		b := &closable{Backend: described{path: path}}
		if got, want := files.WithoutFolders(b.Description()), "xla:"+want+" - PJRT plugin ("+want+") v0.106 [1 device(s)]"; got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
