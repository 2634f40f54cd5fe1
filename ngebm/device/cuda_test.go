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
	got := searchFolders([]string{at("plain"), "", at("mac")})
	if len(got) < 3 || got[0] != at("plain") || got[1] != at("mac") || got[len(got)-1] != "/usr/local/lib/go-xla" {
		t.Errorf("folders %q", got)
	}
}

// XLA_FLAGS names the folder of NVIDIA's tools before CUDA opens, without a change where
// it does already, and is set by the caller alone.
func TestNameToolkit(t *testing.T) {
	root := t.TempDir()
	touch(t, filepath.Join(root, "lib", "plugin.so"), filepath.Join(root, "nvidia", "cu13", "bin", "ptxas"))
	of := func(toolkit string) cudaPlugin {
		return cudaPlugin{plugin: plugin{path: filepath.Join(root, "lib", "plugin.so")}, toolkit: toolkit}
	}
	jax, own := filepath.Join(root, "nvidia", "cu13"), filepath.Join(root, "nvidia")
	for _, c := range []struct{ name, toolkit, flags, want string }{
		{"of jax", jax, "", "--xla_gpu_cuda_data_dir=" + jax},
		{"of go-xla", "", "", "--xla_gpu_cuda_data_dir=" + own},
		{"more flags", jax, "--xla_one=1", "--xla_one=1 --xla_gpu_cuda_data_dir=" + jax},
		{"named already", jax, "--xla_gpu_cuda_data_dir=/cuda", ""},
		{"not there", filepath.Join(root, "none"), "", ""},
	} {
		set := ""
		o := opener{Options: Options{XLAFlags: c.flags, SetXLAFlags: func(flags string) error { set = flags; return nil }}}
		if err := o.nameToolkit(of(c.toolkit)); err != nil || set != c.want {
			t.Errorf("%s: it sets %q, want %q (%v)", c.name, set, c.want, err)
		}
		o = opener{Options: Options{XLAFlags: c.flags}}
		err := o.nameToolkit(of(c.toolkit))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, where nobody sets it: %v", c.name, err)
		}
	}
}
