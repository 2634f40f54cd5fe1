package device

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/installer"
	"github.com/gomlx/go-xla/pjrt"

	"ngebm/data/progress"
)

// Env is the environment variable that chooses a device, with the words of [Open].
const Env = "NGEBM_DEVICE"

// The kinds of device that [Open] takes by name.
const (
	CUDA = "cuda" // XLA on an NVIDIA GPU
	CPU  = "cpu"  // XLA on the CPU
	Go   = "go"   // GoMLX's pure-Go backend
)

// Options say which device is opened and how. The zero value opens the best there is.
type Options struct {
	// Device is "cpu", "cuda", "go", or a GoMLX configuration such as "xla:cpu" or
	// "go:parallelism=2"; "" chooses (see the package comment).
	Device string
	// Devices is how many devices share the work; 0 is 1. Of GPUs there must be as many;
	// XLA on the CPU shows as many as are asked for, which share its cores: nothing gets
	// faster, but all that several GPUs do can be tried.
	Devices int
	// Plugin is the file of XLA's plugin, in place of the search by [Plugin]. It is that
	// of CUDA if Device is, else that of the CPU.
	Plugin string
	// Offline forbids downloads: a plugin that is not on this machine is an error.
	Offline bool
	// Progress is told of downloads, and why XLA or a GPU is not used; nil is nobody.
	Progress progress.Reporter

	variable string // of the environment, from which Device comes
}

// OfflineEnv is the environment variable that forbids downloads, unless it is 0 or empty.
const OfflineEnv = "NGEBM_OFFLINE"

// Environment returns what the environment says: $GOMLX_BACKEND, else $NGEBM_DEVICE, is
// the device, and $NGEBM_OFFLINE forbids downloads.
func Environment() Options { return environment(os.Getenv) }

func environment(getenv func(string) string) Options {
	offline := getenv(OfflineEnv)
	o := Options{Offline: offline != "" && offline != "0"}
	for _, name := range []string{compute.ConfigEnvVar, Env} {
		if spec := getenv(name); spec != "" {
			o.Device, o.variable = spec, name
			break
		}
	}
	return o
}

// With returns the options with another device, unless that is "".
func (o Options) With(device string) Options {
	if device != "" {
		o.Device, o.variable = device, ""
	}
	return o
}

// Device is an open device.
type Device struct {
	Backend compute.Backend // what graphs are compiled for and run on
	Kind    string          // [CUDA], [CPU], [Go], or the plugin's name where a GoMLX configuration named another
	Plugin  string          // the plugin's file; "" for pure Go
	Source  string          // where the plugin came from and what was checked, for people; "" for pure Go
	Version string          // of the PJRT interface the plugin speaks, such as "0.98"; "" for pure Go
	Count   int             // number of devices the backend offers
	Warning string          // why no faster device was opened, if none was asked for; or ""
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

// Open opens a device with the options of the [Environment], in a program that nothing
// ends early. The spec is [Options].Device, and beats the environment unless it is "";
// report is [Options].Progress.
func Open(spec string, report progress.Reporter) (*Device, error) {
	return OpenSeveral(spec, 1, report)
}

// OpenSeveral is Open for work that is shared by a number of devices, 1 or more.
func OpenSeveral(spec string, devices int, report progress.Reporter) (*Device, error) {
	if devices < 1 {
		return nil, fmt.Errorf("%d devices cannot be opened; ask for 1 or more", devices)
	}
	o := Environment().With(spec)
	o.Devices, o.Progress = devices, report
	return OpenContext(context.Background(), o)
}

// OpenContext opens a device as the options say; the environment says nothing here, but
// in which folders to look for a plugin. It ends with ctx. Where XLA's CPU plugin is not
// installed it is downloaded, some 63 MB, unless that is forbidden; see [Plugin].
//
// A device that is asked for is opened or is an error. Without a choice the best one is
// opened that can be, down to pure Go, and Warning says what is in the way of a better one.
// The error is one line with the value, what was tried and the remedy.
func OpenContext(ctx context.Context, o Options) (*Device, error) {
	const most = 256 // XLA makes as many CPU devices as it is asked for
	if o.Devices > most {
		return nil, fmt.Errorf("%d devices cannot be opened; ask for %d at most", o.Devices, most)
	}
	return newOpener(o).open(ctx)
}

// opener holds what OpenContext takes from the world around it, so that tests can give
// it another one.
type opener struct {
	Options
	getenv  func(string) string
	gpu     func() bool                                   // is there an NVIDIA GPU?
	plugins func() store                                  // CPU plugins
	cuda    func(ctx context.Context) (cudaPlugin, error) // the CUDA plugin
	proc    string                                        // a file of the system's that XLA reads
}

func newOpener(o Options) opener {
	if o.Progress == nil {
		o.Progress = progress.Silent{}
	}
	if o.Devices == 0 {
		o.Devices = 1
	}
	return opener{
		Options: o,
		getenv:  os.Getenv,
		gpu:     installer.HasNvidiaGPU,
		plugins: func() store { return defaultStore(o.Offline) },
		cuda:    findCUDA,
		proc:    "/proc/self/maps",
	}
}

func (o opener) open(ctx context.Context) (d *Device, err error) {
	asked := fmt.Sprintf("device %q", o.Device)
	switch {
	case o.Devices < 0:
		return nil, fmt.Errorf("%d devices cannot be opened; ask for 1 or more", o.Devices)
	case o.variable != "":
		asked = fmt.Sprintf("%s=%q", o.variable, o.Device)
	case o.Device == "" && o.Plugin != "":
		o.Device, asked = CPU, fmt.Sprintf("plugin %q", o.Plugin)
	}
	if o.Device == "" {
		d, err = o.automatic(ctx)
	} else if d, err = o.named(ctx, o.Device); err != nil {
		err = fmt.Errorf("%s: %w", asked, err)
	}
	if err != nil {
		return nil, err
	}
	if d.Count < o.Devices {
		d.Close()
		return nil, fmt.Errorf("%d devices are asked for, but %s has %d; ask for fewer, or for %q, which shows any number", o.Devices, d.Kind, d.Count, CPU)
	}
	return d, nil
}

// automatic takes the fastest device that opens, and says why a faster one does not.
func (o opener) automatic(ctx context.Context) (*Device, error) {
	var warnings []string
	warn := func(text string, args ...any) {
		warnings = append(warnings, fmt.Sprintf(text, args...))
		o.Progress.Report(progress.Report{Task: warnings[len(warnings)-1], Finished: true})
	}
	kinds := []string{CPU, Go}
	if o.gpu() {
		kinds = []string{CUDA, CPU, Go}
	}
	for _, kind := range kinds {
		d, err := o.named(ctx, kind)
		switch {
		case err == nil:
			d.Warning = strings.Join(warnings, "; ")
			return d, nil
		case ctx.Err() != nil || kind == Go:
			return nil, err
		case kind == CUDA:
			warn("the GPU is not used: %v; %s=%s leaves this line out", err, Env, CPU)
		default:
			warn("running on the pure-Go backend, which is slow (100 times and more on convolutions): %v", err)
		}
	}
	panic("unreachable: pure Go is opened or an error")
}

// named opens the device of one word or one GoMLX configuration.
func (o opener) named(ctx context.Context, spec string) (*Device, error) {
	backend, config, _ := strings.Cut(spec, ":")
	name, options, _ := strings.Cut(config, ",")
	switch backend {
	case Go:
		if o.Plugin != "" {
			return nil, fmt.Errorf("pure Go takes no plugin such as %q", o.Plugin)
		}
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
		return o.openCPU(ctx, options)
	case CUDA:
		return o.openCUDA(ctx, options)
	}
	if o.Plugin != "" {
		return nil, fmt.Errorf("two plugins are named, this one and %q", o.Plugin)
	}
	p := plugin{path: name, source: "named by the configuration, compared with no checksum"}
	if !filepath.IsAbs(name) {
		found, ok := findInstalled(installedFolders(o.getenv), name)
		if !ok {
			return nil, fmt.Errorf("no plugin of this name is in %q", installedFolders(o.getenv))
		}
		p = found
	}
	if err := checkOwners(p.path); err != nil {
		return nil, err
	}
	return o.openXLA(p, options, nil)
}

func (o opener) openCPU(ctx context.Context, options string) (*Device, error) {
	p, err := o.plugin(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkPath(p.path, CPU, "cuda", "nvidia"); err != nil {
		return nil, err
	}
	// Of its own accord the plugin shows four on two cores.
	return o.openXLA(p, options, pjrt.NamedValuesMap{"cpu_device_count": int64(o.Devices)})
}

// checkPath refuses a plugin whose path go-xla would misread: it cuts it at a
// comma and tells the kind of plugin by words anywhere in it.
func checkPath(path, kind string, words ...string) error {
	if !strings.Contains(strings.ToLower(path), kind) {
		return fmt.Errorf("XLA plugin %q cannot be used because go-xla tells by its name what it is for; call it pjrt_c_api_%s_plugin.so", path, kind)
	}
	for _, w := range append(words, ",") {
		if strings.Contains(strings.ToLower(path), w) {
			return fmt.Errorf("XLA plugin %q cannot be used because go-xla misreads the %q in its path; copy it to a folder without that and name the folder in $%s",
				path, w, pjrt.PJRTPluginPathsEnv)
		}
	}
	return nil
}

// openXLA opens a plugin by its file.
func (o opener) openXLA(p plugin, options string, values pjrt.NamedValuesMap) (d *Device, err error) {
	if _, err := os.Stat(o.proc); err != nil && runtime.GOOS == "linux" {
		return nil, fmt.Errorf("XLA's plugin would crash without the system's /proc (%w); mount it: mount -t proc proc /proc", err)
	}
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
