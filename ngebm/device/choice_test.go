package device

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/ngebm/progress"
)

// world is an opener with nothing in it: no environment, no GPU, no plugin to be
// had. Tests add what they need.
func world(t *testing.T, env map[string]string) (opener, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	return opener{
		devices: 1,
		getenv:  func(k string) string { return env[k] },
		log:     &log,
		report:  progress.Silent{},
		gpu:     func() bool { return false },
		plugins: func() (store, error) { return store{cache: t.TempDir(), sources: []source{offline}}, nil },
		cuda:    func() (cudaPlugin, error) { return findJAX(nil, t.TempDir()) },
	}, &log
}

var offline = source{name: "demo", fetch: func(context.Context, string, progress.Reporter) (string, error) {
	return "", errors.New("no network")
}}

// Messages name what was asked for, in which way, and the remedy; in one line.
func TestOpenErrors(t *testing.T) {
	broken := filepath.Join(t.TempDir(), pluginFile)
	if err := os.WriteFile(broken, []byte("not a library"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		spec string
		env  map[string]string
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
		{spec: "xla:/no/such.so", want: []string{"/no/such.so", "does not open"}},
		{env: map[string]string{"NGEBM_DEVICE": "tpu"}, want: []string{`NGEBM_DEVICE="tpu"`, "unknown"}},
		{env: map[string]string{"GOMLX_BACKEND": "tpu", "NGEBM_DEVICE": "go"}, want: []string{`GOMLX_BACKEND="tpu"`}},
	} {
		o, log := world(t, c.env)
		d, err := o.open(c.spec)
		if err == nil {
			t.Errorf("%q %v opened %v", c.spec, c.env, d)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q %v: %q does not say %q", c.spec, c.env, err, want)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: more than one line: %q", c.spec, err)
		}
		if log.Len() > 0 { // what was asked for by name does not fall back
			t.Errorf("%q wrote %q", c.spec, log)
		}
	}
}

func TestChoice(t *testing.T) {
	for _, c := range []struct {
		name, spec string
		env        map[string]string
		gpu        bool
		want       string   // kind
		log        []string // what the person is told
	}{
		{name: "flag beats both", spec: "go", env: map[string]string{"GOMLX_BACKEND": "xla:cpu", "NGEBM_DEVICE": "cuda"}, want: Go},
		{name: "GoMLX's variable beats ours", env: map[string]string{"GOMLX_BACKEND": "go", "NGEBM_DEVICE": "cuda"}, want: Go},
		{name: "our variable", env: map[string]string{"NGEBM_DEVICE": "go"}, want: Go},
		{name: "nothing to be had", want: Go, log: []string{"pure-Go", "slow", "no network", "ngebm devices", "PJRT_PLUGIN_LIBRARY_PATH"}},
		{name: "a GPU without its plugin", gpu: true, want: Go, log: []string{"the GPU is not used", `jax[cuda13]`, "NGEBM_DEVICE=cpu"}},
	} {
		o, log := world(t, c.env)
		o.gpu = func() bool { return c.gpu }
		d, err := o.open(c.spec)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d.Kind != c.want || IsGo(d.Backend) != (c.want == Go) {
			t.Errorf("%s: %s, want %s", c.name, d.Kind, c.want)
		}
		for _, want := range c.log {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%s: %q does not say %q", c.name, log, want)
			}
		}
		if c.log == nil && log.Len() > 0 {
			t.Errorf("%s: wrote %q", c.name, log)
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
	} {
		err := checkPath(c.path, "cuda", "nvidia")
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "PJRT_PLUGIN_LIBRARY_PATH")) {
			t.Errorf("%s: %v, want %s", c.path, err, c.want)
		}
	}
}

func TestList(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string // the default's line starts like this
	}{
		{nil, "* go    pure Go"},
		{map[string]string{"NGEBM_DEVICE": "cpu"}, "* cpu   not available: XLA's CPU plugin"},
		{map[string]string{"GOMLX_BACKEND": "go:parallelism=x"}, `* GOMLX_BACKEND=go:parallelism=x  not available: GOMLX_BACKEND="go:parallelism=x"`},
	} {
		o, log := world(t, c.env)
		var lines []string
		defaults := 0
		for _, f := range o.list() {
			lines = append(lines, f.String())
			if f.Default {
				defaults++
			}
		}
		all := strings.Join(lines, "\n")
		for _, want := range []string{c.want, "cuda  not available: no NVIDIA GPU", "demo: no network", "go    pure Go"} {
			if !strings.Contains(all, want) {
				t.Errorf("%v: no %q in\n%s", c.env, want, all)
			}
		}
		if defaults != 1 {
			t.Errorf("%v: %d defaults in\n%s", c.env, defaults, all)
		}
		if log.Len() > 0 {
			t.Errorf("wrote %q", log)
		}
	}
}
