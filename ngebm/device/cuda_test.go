package device

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// touch makes empty files, and their folders.
func touch(t *testing.T, paths ...string) {
	t.Helper()
	for _, p := range paths {
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The trees are those of the wheels jax-cuda12-pjrt and jax-cuda13-pjrt 0.12.0.1
// and of NVIDIA's; the plugin's RPATH begins with $ORIGIN/../../nvidia/… and
// $ORIGIN/../nvidia/… in both (readelf -d).
func TestFindJAX(t *testing.T) {
	root, links := t.TempDir(), t.TempDir()
	at := func(parts ...string) string { return filepath.Join(append([]string{root}, parts...)...) }
	touch(t,
		at("twelve", "jax_plugins", "xla_cuda12", "xla_cuda_plugin.so"), at("twelve", "nvidia", "cuda_nvcc", "bin", "ptxas"),
		at("both", "jax_plugins", "xla_cuda12", "xla_cuda_plugin.so"), at("both", "nvidia", "cuda_nvcc", "bin", "ptxas"),
		at("both", "jax_plugins", "xla_cuda13", "xla_cuda_plugin.so"), at("both", "nvidia", "cu13", "bin", "ptxas"),
		at("bare", "jax_plugins", "xla_cuda13", "xla_cuda_plugin.so"),
	)
	for _, c := range []struct {
		packages []string
		plugin   string // the file behind the link
		toolkit  string
		err      string
	}{
		{packages: []string{at("none"), at("twelve")}, plugin: at("twelve", "jax_plugins", "xla_cuda12", "xla_cuda_plugin.so"), toolkit: at("twelve", "nvidia", "cuda_nvcc")},
		{packages: []string{at("both"), at("twelve")}, plugin: at("both", "jax_plugins", "xla_cuda13", "xla_cuda_plugin.so"), toolkit: at("both", "nvidia", "cu13")},
		{packages: []string{at("bare")}, err: "NVIDIA's libraries are not in " + at("bare", "nvidia")},
		{packages: []string{at("none")}, err: `pip install "jax[cuda13]"`},
	} {
		for range 2 { // the second time the links are there
			p, err := findJAX(c.packages, links)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v: %v, want %q", c.packages, err, c.err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%v: %v", c.packages, err)
				continue
			}
			if filepath.Base(p.path) != "pjrt_c_api_cuda_plugin.so" {
				t.Errorf("%s is not what go-xla calls a CUDA plugin", p.path)
			}
			if got, _ := os.Readlink(p.path); got != c.plugin {
				t.Errorf("%s leads to %s, want %s", p.path, got, c.plugin)
			}
			// As the dynamic linker reads $ORIGIN/../nvidia: from the link.
			nvidia := filepath.Join(filepath.Dir(p.path), "..", "nvidia")
			if a, err := os.Stat(nvidia); err != nil {
				t.Error(err)
			} else if b, err := os.Stat(filepath.Dir(c.toolkit)); err != nil || !os.SameFile(a, b) {
				t.Errorf("%s is not %s", nvidia, filepath.Dir(c.toolkit))
			}
			if p.toolkit != c.toolkit {
				t.Errorf("toolkit %s, want %s", p.toolkit, c.toolkit)
			}
		}
	}
}

func TestFindInstalled(t *testing.T) {
	root := t.TempDir()
	at := func(parts ...string) string { return filepath.Join(append([]string{root}, parts...)...) }
	touch(t,
		at("plain", pluginFile), at("plain", "pjrt_c_api_cpu_v0.1.0_plugin.so"),
		at("versioned", "pjrt_c_api_cpu_v0.114.0_plugin.so"), at("versioned", "pjrt_c_api_cpu_v0.114.0_plugin.so.lock"),
		at("mac", "pjrt_c_api_cpu_plugin.dylib"),
		at("other", "pjrt_c_api_cuda_plugin.so"),
		at("od[d", pluginFile),
	)
	for _, c := range []struct {
		folders []string
		want    string
	}{
		{[]string{at("none"), at("versioned"), at("plain")}, at("versioned", "pjrt_c_api_cpu_v0.114.0_plugin.so")},
		{[]string{at("plain")}, at("plain", pluginFile)},
		{[]string{at("mac")}, at("mac", "pjrt_c_api_cpu_plugin.dylib")},
		{[]string{at("od[d")}, at("od[d", pluginFile)},
		{[]string{at("other"), at("none")}, ""},
		{nil, ""},
	} {
		p, ok := findInstalled(c.folders, CPU)
		if p.path != c.want || ok != (c.want != "") {
			t.Errorf("%v: %q, want %q", c.folders, p.path, c.want)
		}
	}
	env := map[string]string{"PJRT_PLUGIN_LIBRARY_PATH": at("plain") + ":" + ":" + at("mac")}
	got := installedFolders(func(k string) string { return env[k] })
	if len(got) < 3 || got[0] != at("plain") || got[1] != at("mac") || got[len(got)-1] != "/usr/local/lib/go-xla" {
		t.Errorf("folders %q", got)
	}
}
