package device

import (
	"context"
	"fmt"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"

	"ngebm/data/progress"
)

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
	// DeviceFrom is what named Device, for messages: an environment variable, say. "" is
	// the caller.
	DeviceFrom string
	// Devices is how many devices share the work; 0 is 1. Of GPUs there must be as many;
	// XLA on the CPU shows as many as are asked for, which share its cores: nothing gets
	// faster, but all that several GPUs do can be tried.
	Devices int
	// Plugin is the file of XLA's plugin, in place of the search (see the package comment). It is that
	// of CUDA if Device is, else that of the CPU.
	Plugin string
	// PluginFolders are searched for plugins first, before go-xla's own folders.
	PluginFolders []string
	// XLAFlags is what the environment variable XLA_FLAGS holds in this process. XLA reads
	// it itself, and ends the process at a flag that it does not know: a flag that is given
	// here and that the plugin does not know is an error instead.
	XLAFlags string
	// SetXLAFlags sets XLA_FLAGS in this process. CUDA needs that where XLAFlags does not
	// say where NVIDIA's tools are; without this function it is an error then, which says
	// what to set.
	SetXLAFlags func(flags string) error
	// CompileCache is a folder in which XLA's compiled programs for the CPU are kept, so
	// that another process does not compile them again (see the package comment); it is made
	// if it does not exist. "" keeps none.
	CompileCache string
	// Offline forbids downloads: a plugin that is not on this machine is an error.
	Offline bool
	// Progress reports downloads, and why XLA, a GPU or CompileCache is not used; nil shows
	// nothing.
	Progress progress.Reporter
}

// With returns the options with another device, unless that is "".
func (o Options) With(device string) Options {
	if device != "" {
		o.Device, o.DeviceFrom = device, ""
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

// Open is OpenContext without a context, for the two options that most programs need. The
// spec is [Options].Device, "" for the best that is available; report is
// [Options].Progress, nil for none.
func Open(spec string, report progress.Reporter) (*Device, error) {
	return OpenContext(context.Background(), Options{Device: spec, Progress: report})
}

// OpenContext opens a device as the options say, whatever the environment says. It ends
// with ctx. Where XLA's CPU plugin is not
// installed it is downloaded, some 63 MB, unless that is forbidden; see the package comment.
//
// A device that is asked for is opened or is an error. Without a choice the best one is
// opened that can be, down to pure Go, and Warning says what is in the way of a better one.
// The error is one line with the value, what was tried and the remedy.
func OpenContext(ctx context.Context, o Options) (*Device, error) {
	const maxDevices = 256 // XLA makes as many CPU devices as it is asked for
	if o.Devices > maxDevices {
		return nil, fmt.Errorf("%d devices cannot be opened; ask for %d at most", o.Devices, maxDevices)
	}
	return newOpener(o).open(ctx)
}
