package device

import (
	"os"
	"path/filepath"
	"regexp"
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

// The version of a plugin is that of its content, wherever it lies and whether or not its checksum
// was verified; without the file it is not known.
func TestPluginVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), pluginFile)
	if err := os.WriteFile(path, []byte("abc"), 0o755); err != nil {
		t.Fatal(err)
	}
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-4
	for _, p := range []plugin{{path: path}, {sha256: abc}} {
		if got := p.version("0.98"); got != "PJRT 0.98, SHA-256 ba7816bf8f01" {
			t.Errorf("the version of %+v is %q", p, got)
		}
	}
	if got := (plugin{path: path + "x"}).version("0.98"); got != "" {
		t.Errorf("without a file it is %q", got)
	}
	if got := (&closable{}).PluginVersion(); got != "" {
		t.Errorf("pure Go has %q", got)
	}
}

// What computes is named with this module's own code where it takes part.
func TestVersionWithConvolutions(t *testing.T) {
	if got := (compiler{}).version("PJRT 0.98"); got != "PJRT 0.98" {
		t.Errorf("without convolutions it is %q", got)
	}
	with := compiler{convolves: true}
	if got := with.version("PJRT 0.98"); !regexp.MustCompile(`^PJRT 0.98, convolutions [0-9a-f]{12}$`).MatchString(got) {
		t.Errorf("with convolutions it is %q", got)
	}
	if got := with.version(""); got != "" {
		t.Errorf("of a plugin that cannot be read it is %q", got)
	}
}
