package device

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/data/progress"
)

// emptyMachine is an opener on a machine with no GPU and no plugin. Tests add what they
// need.
func emptyMachine(t *testing.T, o Options) (opener, *recorder) {
	t.Helper()
	seen := &recorder{}
	o.Progress, o.Devices = seen, 1
	return opener{
		Options: o,
		gpu:     func() bool { return false },
		plugins: func() store { return store{cache: t.TempDir(), sources: []source{unreachable}, offline: o.Offline} },
		cuda:    func(context.Context) (cudaPlugin, error) { return findJAX(nil, t.TempDir()) },
		proc:    os.Args[0],
		lacks:   func() []string { return nil },
	}, seen
}

var unreachable = source{
	name: "demo", what: "test", size: 8, sha256: contentSHA, byHand: "get demo.whl (SHA-256 00aa), unzip demo.so from that",
	fetch: func(context.Context, string, progress.Reporter) (string, error) { return "", errors.New("no network") },
}

// told are the events that were reported.
func (r *recorder) told() (lines []string) {
	for _, report := range r.reports {
		if report.Unit == "" && report.Finished {
			lines = append(lines, report.Task)
		}
	}
	return lines
}

// Messages name what was asked for, in which way, and the remedy; in one line.
func TestOpenErrors(t *testing.T) {
	broken := filepath.Join(t.TempDir(), pluginFile)
	if err := os.WriteFile(broken, []byte("not a library"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		spec string
		Options
		want []string
	}{
		{spec: "gpu", want: []string{`device "gpu"`, `use "cpu", "cuda", "go"`}},
		{spec: "CPU", want: []string{`device "CPU"`, `use "cpu"`}},
		{spec: "cpu:noshared_buffers", want: []string{"xla:cpu,noshared_buffers"}},
		{spec: "cpu", want: []string{`device "cpu"`, "demo: no network", "PJRT_PLUGIN_LIBRARY_PATH"}},
		{spec: "xla:cpu", want: []string{`device "xla:cpu"`, "demo: no network"}},
		{spec: "cuda", want: []string{`device "cuda"`, "no NVIDIA GPU", "nvidia-smi"}},
		{spec: "xla:cuda,tf32=false", want: []string{`device "xla:cuda,tf32=false"`, "no NVIDIA GPU"}},
		{spec: "go:speed=9", want: []string{`device "go:speed=9"`, "speed"}},
		{spec: "xla:" + broken, want: []string{broken, "does not open"}},
		{spec: "xla:/no/such.so", want: []string{`device "xla:/no/such.so"`, "no such file"}},
		{spec: "xla:t[pu", want: []string{`device "xla:t[pu"`, "no plugin of this name", "/usr/local/lib/go-xla"}},
		{spec: "cpu", Options: Options{Offline: true}, want: []string{"downloads are forbidden (offline)", "get demo.whl (SHA-256 00aa), unzip demo.so from that; put it as " + pluginFile + " into a folder", "$PJRT_PLUGIN_LIBRARY_PATH"}},
		{spec: "cpu", Options: Options{DeviceFrom: "NGEBM_DEVICE", Offline: true}, want: []string{`NGEBM_DEVICE="cpu"`, "downloads are forbidden (offline)"}},
		{spec: "xla:cpu", Options: Options{DeviceFrom: "GOMLX_BACKEND"}, want: []string{`GOMLX_BACKEND="xla:cpu"`, "demo: no network"}},
		{spec: "tpu", Options: Options{DeviceFrom: "NGEBM_DEVICE"}, want: []string{`NGEBM_DEVICE="tpu"`, "unknown"}},
	} {
		c.Device = c.spec
		o, seen := emptyMachine(t, c.Options)
		d, err := o.open(t.Context())
		if err == nil {
			t.Errorf("%q %v opened %v", c.spec, c.Options, d)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q %v: %q does not say %q", c.spec, c.Options, err, want)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: more than one line: %q", c.spec, err)
		}
		if told := seen.told(); told != nil { // what was asked for by name does not fall back
			t.Errorf("%q told %q", c.spec, told)
		}
	}
}

func TestChoice(t *testing.T) {
	for _, c := range []struct {
		name string
		Options
		gpu     bool
		want    string   // kind
		warning []string // what is in the warning
	}{
		{name: "asked for", Options: Options{Device: Go}, gpu: true, want: Go},
		{name: "nothing available", want: Go, warning: []string{"pure-Go", "slow", "no network", "get demo.whl", "PJRT_PLUGIN_LIBRARY_PATH"}},
		{name: "nothing available offline", Options: Options{Offline: true}, want: Go, warning: []string{"pure-Go", "downloads are forbidden"}},
		{name: "a GPU without its plugin", gpu: true, want: Go, warning: []string{"the GPU is not used", `jax[cuda13]`, "NGEBM_DEVICE=cpu", "; running on the pure-Go"}},
	} {
		o, seen := emptyMachine(t, c.Options)
		o.gpu = func() bool { return c.gpu }
		d, err := o.open(t.Context())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d.Kind != c.want || IsGo(d.Backend) != (c.want == Go) {
			t.Errorf("%s: %s, want %s", c.name, d.Kind, c.want)
		}
		for _, want := range c.warning {
			if !strings.Contains(d.Warning, want) {
				t.Errorf("%s: %q does not say %q", c.name, d.Warning, want)
			}
		}
		if told := strings.Join(seen.told(), "; "); told != d.Warning || strings.Contains(told, "\n") || c.warning == nil && told != "" {
			t.Errorf("%s: it told %q, and the warning is %q", c.name, told, d.Warning)
		}
		d.Close()
	}
}

// A folder that go-xla would misread is refused with the way out.
func TestCheckPath(t *testing.T) {
	for _, c := range []struct {
		path, want string
	}{
		{"/home/ann/.cache/pjrt_c_api_cpu_plugin.so", ""},
		{"/home/nvidia/.cache/pjrt_c_api_cpu_plugin.so", `"nvidia"`},
		{"/home/CUDA lab/pjrt_c_api_cpu_plugin.so", `"cuda"`},
		{"/data/a,b/pjrt_c_api_cpu_plugin.so", `","`},
		{"/data/plugin.so", "rename it to pjrt_c_api_cpu_plugin.so"},
		{"/opt/xla-cpu/plugin.so", "rename it to pjrt_c_api_cpu_plugin.so"},
		{"/opt/PJRT_CPU.so", "rename it to pjrt_c_api_cpu_plugin.so"},
	} {
		err := checkPath(c.path, CPU, "cuda", "nvidia")
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(c.want, `"`) && !strings.Contains(err.Error(), "PJRT_PLUGIN_LIBRARY_PATH")) {
			t.Errorf("%s: %v, want %s", c.path, err, c.want)
		}
	}
}

func TestList(t *testing.T) {
	for _, c := range []struct {
		Options
		want string // the default's line starts like this
	}{
		{Options{}, "* go    pure Go"},
		{Options{Device: CPU, DeviceFrom: "NGEBM_DEVICE"}, "* cpu   not available: XLA's CPU plugin"},
		{Options{Device: CUDA, Plugin: "/opt/pjrt_c_api_cuda_plugin.so"}, "* cuda  not available: no NVIDIA GPU"},
		{Options{Device: "xla:cuda", Plugin: "/opt/pjrt_c_api_cuda_plugin.so"}, "* xla:cuda  not available: "},
		{Options{Device: "go:parallelism=x", DeviceFrom: "GOMLX_BACKEND"}, `* GOMLX_BACKEND=go:parallelism=x  not available: GOMLX_BACKEND="go:parallelism=x"`},
	} {
		o, seen := emptyMachine(t, c.Options)
		var lines []string
		defaults := 0
		for _, f := range o.list(t.Context()) {
			lines = append(lines, f.String())
			if f.Default {
				defaults++
			}
		}
		all := strings.Join(lines, "\n")
		for _, want := range []string{c.want, "cuda  not available: no NVIDIA GPU", "demo: no network", "go    pure Go"} {
			if !strings.Contains(all, want) {
				t.Errorf("%v: no %q in\n%s", c.Options, want, all)
			}
		}
		if defaults != 1 {
			t.Errorf("%v: %d defaults in\n%s", c.Options, defaults, all)
		}
		if told := seen.told(); told != nil {
			t.Errorf("told %q", told)
		}
	}
}

// A plugin that is named is the CPU's, or CUDA's where that is asked for, and is opened or
// an error: pure Go does not stand in for it.
func TestNamedPlugin(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "mine_cpu.so")
	if err := os.WriteFile(broken, []byte("not a library"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		spec, plugin string
		want         []string
	}{
		{"", broken, []string{"plugin \"" + broken, broken + " (named by the caller, compared with no checksum) does not open"}},
		{"cpu", broken, []string{`device "cpu"`, broken, "does not open"}},
		{"cuda", broken, []string{`device "cuda"`, broken, "rename it to pjrt_c_api_cuda_plugin.so"}},
		{"", "/no/such.so", []string{"/no", "no such file"}},
		{"go", broken, []string{"pure Go takes no plugin such as", broken}},
		{"xla:/other.so", broken, []string{"two plugins are named", broken}},
	} {
		o, _ := emptyMachine(t, Options{Device: c.spec})
		o.Plugin, o.gpu = c.plugin, func() bool { return true }
		_, err := o.open(t.Context())
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q with %s: %v, want a line with %q", c.spec, c.plugin, err, want)
			}
		}
	}
}

// Instructions that the processor lacks would end the process where the plugin is the one that is downloaded.
func TestWithoutInstructions(t *testing.T) {
	o := newOpener(Options{})
	o.lacks = func() []string { return []string{"AVX2", "BMI2"} }
	path := filepath.Join(t.TempDir(), pluginFile)
	_, err := o.openXLA(plugin{path: path, sha256: "0123"}, "", nil)
	if err == nil || !strings.Contains(err.Error(), "would crash on this processor, which has no AVX2 and no BMI2; use the pure-Go device") {
		t.Error(err)
	}
	if _, err := o.openXLA(plugin{path: path}, "", nil); err == nil || strings.Contains(err.Error(), "AVX2") {
		t.Errorf("another plugin, which is not there: %v", err)
	}
}

// Without /proc XLA's plugin would end the process.
func TestNoProc(t *testing.T) {
	o, _ := emptyMachine(t, Options{})
	o.Plugin, o.proc = filepath.Join(t.TempDir(), pluginFile), "/no/proc"
	touch(t, o.Plugin)
	if _, err := o.open(t.Context()); err == nil || !strings.Contains(err.Error(), "/no/proc") || !strings.Contains(err.Error(), "mount -t proc") {
		t.Errorf("the error is %v", err)
	}
}

// What ends the context ends the opening, and does not fall back.
func TestOpenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o, _ := emptyMachine(t, Options{})
	waits := unreachable
	waits.fetch = func(ctx context.Context, _ string, _ progress.Reporter) (string, error) {
		cancel()
		<-ctx.Done()
		return "", ctx.Err()
	}
	o.plugins = func() store { return store{cache: t.TempDir(), sources: []source{waits}} }
	if d, err := o.open(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", d, err)
	}
}
