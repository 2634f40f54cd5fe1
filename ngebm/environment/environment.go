// Package environment is where this project's programs, the command ngebm and the
// notebooks, meet the process around them: it turns environment variables into options and
// signals into a context. Libraries do neither; they take the options and the context. Only
// programs import this package.
//
//	NGEBM_DEVICE   cpu, cuda or go; GoMLX's own GOMLX_BACKEND beats it
//	NGEBM_OFFLINE  forbids downloads, unless it is 0 or empty
//	NGEBM_DATA     folder of downloads and decoded images
//	NGEBM_RUNS     folder of runs
//
//	NGEBM_COMPILE_CACHE  folder of XLA's compiled programs, in place of ngebm/compiled in the
//	                     user's cache folder; 0 keeps none
//
// Relative folders are in the working folder; for notebooks, in the one where their program started.
//
// Read as well: PJRT_PLUGIN_LIBRARY_PATH, go-xla's list of folders with plugins; XLA_FLAGS,
// which XLA reads itself; and what Jupyter and GoNB tell a notebook's cell of its kernel.
package environment

import (
	"context"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/pjrt"

	"ngebm/data"
	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/train"
)

// The environment variables that are this project's own.
const (
	DeviceVar  = "NGEBM_DEVICE"
	OfflineVar = "NGEBM_OFFLINE"
	DataVar    = "NGEBM_DATA"
	RunsVar    = "NGEBM_RUNS"

	CompileCacheVar = "NGEBM_COMPILE_CACHE"
)

// xlaFlags is the variable that XLA reads.
const xlaFlags = "XLA_FLAGS"

// Device returns the options to open a device with: $GOMLX_BACKEND, else $NGEBM_DEVICE, is
// the device, and CUDA may set $XLA_FLAGS in this process.
func Device() device.Options {
	o := device.Options{
		PluginFolders: filepath.SplitList(os.Getenv(pjrt.PJRTPluginPathsEnv)),
		XLAFlags:      os.Getenv(xlaFlags),
		SetXLAFlags:   func(flags string) error { return os.Setenv(xlaFlags, flags) },
		CompileCache:  compileCache(),
		Offline:       Offline(),
	}
	for _, name := range []string{compute.ConfigEnvVar, DeviceVar} {
		if spec := os.Getenv(name); spec != "" {
			o.Device, o.DeviceFrom = spec, name
			break
		}
	}
	return o
}

// compileCache returns the folder of compiled programs, or "".
func compileCache() string {
	switch folder := os.Getenv(CompileCacheVar); folder {
	case "":
		folder, _ = device.DefaultCompileCache() // without a home folder none are kept
		return folder
	case "0":
		return ""
	default:
		return folder
	}
}

// Open opens the device that the environment chooses.
func Open(ctx context.Context, report progress.Reporter) (*device.Device, error) {
	o := Device()
	o.Progress = report
	return device.OpenContext(ctx, o)
}

// Data returns the options to open datasets with: their folder, and whether one that is
// not there may be downloaded.
func Data(report progress.Reporter) data.Options {
	return data.Options{Cache: os.Getenv(DataVar), Offline: Offline(), Progress: report}
}

// Training returns the options to train with: the folders of runs and datasets, and
// whether datasets may be downloaded. With fresh, what is stored is trained again.
func Training(report progress.Reporter, fresh bool) train.Options {
	return train.Options{Runs: Runs(), Cache: os.Getenv(DataVar), Offline: Offline(), Progress: report, Fresh: fresh}
}

// Runs returns the folder of runs: $NGEBM_RUNS, else "runs" in the current folder.
func Runs() string {
	if folder := os.Getenv(RunsVar); folder != "" {
		return folder
	}
	return ngebm.DefaultRuns
}

// Offline reports whether $NGEBM_OFFLINE forbids downloads.
func Offline() bool {
	v := os.Getenv(OfflineVar)
	return v != "" && v != "0"
}
