package device

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/installer"
	"github.com/gomlx/go-xla/pjrt"
	"golang.org/x/sys/cpu"

	"ngebm/data/progress"
)

// opener holds what OpenContext finds on the machine, so that tests can replace it.
type opener struct {
	Options
	gpu     func() bool                                   // is there an NVIDIA GPU?
	plugins func() store                                  // CPU plugins
	cuda    func(ctx context.Context) (cudaPlugin, error) // the CUDA plugin
	proc    string                                        // a file of the system's that XLA reads
	lacks   func() []string                               // which of the downloaded plugin's instructions the processor lacks
}

func newOpener(o Options) opener {
	if o.Progress == nil {
		o.Progress = progress.Discard{}
	}
	if o.Devices == 0 {
		o.Devices = 1
	}
	return opener{
		Options: o,
		gpu:     installer.HasNvidiaGPU,
		plugins: func() store { return defaultStore(o) },
		cuda:    func(ctx context.Context) (cudaPlugin, error) { return findCUDA(ctx, o.PluginFolders) },
		proc:    "/proc/self/maps",
		lacks:   lackedInstructions,
	}
}

func (o opener) open(ctx context.Context) (d *Device, err error) {
	asked := fmt.Sprintf("device %q", o.Device)
	switch {
	case o.Devices < 0:
		return nil, fmt.Errorf("%d devices cannot be opened; ask for 1 or more", o.Devices)
	case o.DeviceFrom != "":
		asked = fmt.Sprintf("%s=%q", o.DeviceFrom, o.Device)
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
		return nil, fmt.Errorf("%d devices are asked for, but %s has %d; ask for fewer, or for %q, which can act as any number", o.Devices, d.Kind, d.Count, CPU)
	}
	return d, nil
}

// automatic opens the fastest device that is available, and reports why a faster one is not.
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
			warn("the GPU is not used: %v; ask for device %q (NGEBM_DEVICE=%[2]s) to leave this line out", err, CPU)
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
			// One operation at a time: in parallel (its default), convolutions
			// of compute v0.1.6 deadlock on its pool of workers.
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
		folders := searchFolders(o.PluginFolders)
		found, ok := findInstalled(folders, name)
		if !ok {
			return nil, fmt.Errorf("no plugin of this name is in %q", folders)
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
	// By default the plugin has four devices on two cores.
	return o.openXLA(p, options, pjrt.NamedValuesMap{"cpu_device_count": int64(o.Devices)})
}

// lackedInstructions lists the instructions that the processor lacks, of those that the plugin has which this package
// downloads: it is built for processors of 2013 (Haswell) and later.
func lackedInstructions() (lacks []string) {
	if runtime.GOARCH != "amd64" {
		return nil
	}
	x := cpu.X86
	for _, needed := range []struct {
		name string
		has  bool
	}{{"AVX2", x.HasAVX2}, {"FMA", x.HasFMA}, {"BMI1", x.HasBMI1}, {"BMI2", x.HasBMI2}} {
		if !needed.has {
			lacks = append(lacks, needed.name)
		}
	}
	return lacks
}

// checkPath refuses a plugin whose path go-xla would misread: it cuts it at a
// comma and infers the kind of plugin from words anywhere in it. This module looks
// for the kind in the file's name.
func checkPath(path, kind string, words ...string) error {
	if !strings.Contains(filepath.Base(path), kind) {
		return fmt.Errorf("XLA plugin %q cannot be used because its kind is inferred from its name; rename it to pjrt_c_api_%s_plugin.so", path, kind)
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
	if lacks := o.lacks(); len(lacks) > 0 && p.sha256 != "" {
		return nil, fmt.Errorf("XLA's plugin would crash on this processor, which has no %s; use the pure-Go device, or name a plugin that is built for it", strings.Join(lacks, " and no "))
	}
	defer func() { // go-xla v0.4.5 panics at a file that does not load
		if r := recover(); r != nil {
			err = fmt.Errorf("XLA plugin %s does not load: %v", p.path, r)
		}
	}()
	if err := checkFlags(p.path, o.XLAFlags); err != nil {
		return nil, err
	}
	config := p.path
	if options != "" {
		config += "," + options
	}
	loading.Lock()
	defer loading.Unlock()
	defer quietXLA()()
	compiler := o.compiler(p, options, values)
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
	version := fmt.Sprintf("%d.%d", major, minor)
	return &Device{
		Backend: &closable{Backend: b, compiler: compiler, version: sync.OnceValue(func() string { return compiler.version(p.version(version)) })},
		Kind:    kind,
		Plugin:  p.path,
		Source:  p.source,
		Version: version,
		Count:   int(b.NumDevices()),
	}, nil
}
