package device

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/installer"
	"github.com/gomlx/go-xla/pjrt"

	"ngebm/ngebm/progress"
)

// Env is the environment variable that chooses a device, with the words of [Open].
const Env = "NGEBM_DEVICE"

// The kinds of device that [Open] takes by name.
const (
	CUDA = "cuda" // XLA on an NVIDIA GPU
	CPU  = "cpu"  // XLA on the CPU
	Go   = "go"   // GoMLX's pure-Go backend
)

// Advice says how to get XLA, for messages about the pure-Go backend.
const Advice = `to get XLA, connect to the network once and run "ngebm devices", ` +
	`or put a plugin named pjrt_c_api_cpu_plugin.so into a folder and name the folder in $PJRT_PLUGIN_LIBRARY_PATH`

// Device is an open device.
type Device struct {
	Backend compute.Backend // what graphs are compiled for and run on
	Kind    string          // [CUDA], [CPU], [Go], or the plugin's name where a GoMLX configuration named another
	Plugin  string          // the plugin's file; "" for pure Go
	Source  string          // where the plugin came from, for people; "" for pure Go
	Version string          // of the PJRT interface the plugin speaks, such as "0.98"; "" for pure Go
	Count   int             // number of devices the backend offers
}

// String is one line for people.
func (d *Device) String() string {
	if IsGo(d.Backend) {
		return "pure Go on the CPU (slow)"
	}
	unit := "devices"
	if d.Count == 1 {
		unit = "device"
	}
	return fmt.Sprintf("XLA on %s, %d %s, PJRT %s, plugin %s (%s)",
		strings.ToUpper(d.Kind), d.Count, unit, d.Version, d.Plugin, d.Source)
}

// Close waits for what runs on the device; what is compiled or executed afterwards fails
// with [ErrClosed]. It may be called at any time, and more than once. The device's memory
// is free once no tensor, executable or graph refers to it any more.
func (d *Device) Close() { d.Backend.Finalize() }

// IsGo reports whether a backend is the pure-Go one, some hundred times slower
// than XLA on convolutions. It goes by the backend's String, which is "go" for
// the pure-Go backend (its Name is "Go Backend") and "xla" for XLA with any plugin.
func IsGo(b compute.Backend) bool { return b.String() == gobackend.BackendName }

// Open opens a device. The spec is "cpu", "cuda", "go", or a GoMLX configuration
// such as "xla:cpu" or "go:parallelism=2"; "" follows $GOMLX_BACKEND, then
// $NGEBM_DEVICE, then chooses by itself (see the package comment). The first use
// of the CPU may download XLA's CPU plugin, some 63 MB; report is told of that and may be nil.
//
// XLA on the CPU shows one device, however many its plugin would show by default.
// The error is one line with the value, what was tried and the remedy.
func Open(spec string, report progress.Reporter) (*Device, error) {
	return newOpener(report).open(spec)
}

// OpenSeveral is Open for work that is shared by a number of devices, 1 or more. Of
// GPUs there must be as many; XLA on the CPU shows as many as are asked for, which
// share its cores: nothing gets faster, but all that several GPUs do can be tried.
func OpenSeveral(spec string, devices int, report progress.Reporter) (*Device, error) {
	if devices < 1 {
		return nil, fmt.Errorf("%d devices cannot be opened; ask for 1 or more", devices)
	}
	o := newOpener(report)
	o.devices = devices
	d, err := o.open(spec)
	if err != nil {
		return nil, err
	}
	if d.Count < devices {
		d.Close()
		return nil, fmt.Errorf("%d devices are asked for, but %s has %d; ask for fewer, or for %q, which shows any number", devices, d.Kind, d.Count, CPU)
	}
	return d, nil
}

// opener holds what Open takes from the world around it, so that tests can give
// it another one.
type opener struct {
	devices int // at least so many are wanted
	getenv  func(string) string
	log     io.Writer // lines that a person should see
	report  progress.Reporter
	gpu     func() bool                // is there an NVIDIA GPU?
	plugins func() (store, error)      // CPU plugins
	cuda    func() (cudaPlugin, error) // the CUDA plugin
}

func newOpener(report progress.Reporter) opener {
	if report == nil {
		report = progress.Silent{}
	}
	return opener{
		devices: 1,
		getenv:  os.Getenv,
		log:     os.Stderr,
		report:  report,
		gpu:     installer.HasNvidiaGPU,
		plugins: defaultStore,
		cuda:    findCUDA,
	}
}

func (o opener) open(spec string) (*Device, error) {
	asked := fmt.Sprintf("device %q", spec)
	if spec == "" {
		var env string
		if env, spec = o.environment(); spec == "" {
			return o.automatic()
		}
		asked = fmt.Sprintf("%s=%q", env, spec)
	}
	d, err := o.named(spec)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", asked, err)
	}
	return d, nil
}

// environment returns the variable that chooses a device and its value; "" where none does.
func (o opener) environment() (env, spec string) {
	for _, env := range []string{compute.ConfigEnvVar, Env} {
		if spec := o.getenv(env); spec != "" {
			return env, spec
		}
	}
	return "", ""
}

// automatic takes the fastest device that opens.
func (o opener) automatic() (*Device, error) {
	if o.gpu() {
		d, err := o.named(CUDA)
		if err == nil {
			return d, nil
		}
		fmt.Fprintf(o.log, "ngebm: the GPU is not used: %v; %s=%s leaves this line out\n", err, Env, CPU)
	}
	d, err := o.named(CPU)
	if err == nil {
		return d, nil
	}
	fmt.Fprintf(o.log, "ngebm: running on the pure-Go backend, which is slow (100 times and more on convolutions): %v\n", err)
	return o.named(Go)
}

// named opens the device of one word or one GoMLX configuration.
func (o opener) named(spec string) (*Device, error) {
	backend, config, _ := strings.Cut(spec, ":")
	name, options, _ := strings.Cut(config, ",")
	switch backend {
	case Go:
		if config == "" {
			// One operation at a time: side by side (its default), convolutions
			// of compute v0.1.6 wait for workers that the others hold, for ever.
			config = "ops_sequential"
		}
		b, err := gobackend.New(config)
		if err != nil {
			return nil, err
		}
		return &Device{Backend: &closable{Backend: b}, Kind: Go, Count: int(b.NumDevices())}, nil
	case CPU, CUDA:
		if config != "" {
			return nil, fmt.Errorf("options go with GoMLX's name for it: xla:%s,%s", backend, config)
		}
		name = backend
	case xla.BackendName, "stablehlo", "hlo", "shlo": // all the same to go-xla
	default:
		return nil, fmt.Errorf(`unknown; use "cpu", "cuda", "go" or a GoMLX configuration such as "xla:cpu"`)
	}
	if name == "" { // as go-xla prefers
		name = CPU
		if o.gpu() {
			name = CUDA
		}
	}
	switch name {
	case CPU:
		return o.openCPU(options)
	case CUDA:
		return o.openCUDA(options)
	}
	return openXLA(plugin{path: name, source: "named by the configuration"}, options, nil)
}

func (o opener) openCPU(options string) (*Device, error) {
	s, err := o.plugins()
	if err != nil {
		return nil, err
	}
	p, err := s.obtain(context.Background(), o.report)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, Advice)
	}
	if err := checkPath(p.path, "cuda", "nvidia"); err != nil {
		return nil, err
	}
	// Of its own accord the plugin shows four on two cores.
	return openXLA(p, options, pjrt.NamedValuesMap{"cpu_device_count": int64(o.devices)})
}

// checkPath refuses a plugin whose path go-xla would misread: it cuts it at a
// comma and tells the kind of plugin by words anywhere in it.
func checkPath(path string, words ...string) error {
	for _, w := range append(words, ",") {
		if strings.Contains(strings.ToLower(path), w) {
			return fmt.Errorf("XLA plugin %s cannot be used because go-xla misreads the %q in its path; copy it to a folder without that and name the folder in $%s",
				path, w, pjrt.PJRTPluginPathsEnv)
		}
	}
	return nil
}

// openXLA opens a plugin by its file, or by a name for go-xla to look up.
func openXLA(p plugin, options string, values pjrt.NamedValuesMap) (d *Device, err error) {
	defer func() { // go-xla v0.4.5 panics where its look-up meets a file that does not load
		if r := recover(); r != nil {
			err = fmt.Errorf("XLA plugin %s does not load: %v", p.path, r)
		}
	}()
	if err := checkFlags(p.path, os.Getenv(xlaFlags)); err != nil {
		return nil, err
	}
	config := p.path
	if options != "" {
		config += "," + options
	}
	b, err := xla.NewWithOptions(config, values)
	if err != nil {
		return nil, fmt.Errorf("XLA plugin %s (%s) does not open: %w; if the file is damaged, remove it", p.path, p.source, err)
	}
	loaded, err := pjrt.GetPlugin(b.PluginName()) // the one just loaded
	if err != nil {
		return nil, err
	}
	kind := b.PluginName()
	switch {
	case b.IsCUDA():
		kind = CUDA
	case b.IsCPU():
		kind = CPU
	}
	major, minor := loaded.Version()
	return &Device{
		Backend: &closable{Backend: b},
		Kind:    kind,
		Plugin:  loaded.Path(),
		Source:  p.source,
		Version: fmt.Sprintf("%d.%d", major, minor),
		Count:   int(b.NumDevices()),
	}, nil
}
