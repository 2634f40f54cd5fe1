package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/environment"
)

// configFlags are the flags of all verbs that train: what, where and on which device.
type configFlags struct {
	preset, set, net, method, changes, runs, device, plugin string
	limit, devices                                          int
	save                                                    time.Duration
	fresh                                                   bool
}

func (f *configFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.preset, "preset", "digits", "where the configuration starts from; ngebm train -list shows them")
	fs.StringVar(&f.set, "data", "", "data set in place of the preset's: digits, moons, cifar10, folder:PATH, zip:PATH …; NAME@SIZE resizes its images")
	fs.IntVar(&f.limit, "limit", 0, "use at most this many training examples (0: all)")
	fs.StringVar(&f.net, "net", "", "network in place of the preset's: convnet, wrn-10-2, mlp-128-128 …")
	fs.StringVar(&f.method, "method", "", "way of training in place of the preset's: cross-entropy, ng-ebm, jem, adversarial … (ngebm train -list shows them)")
	listVar(fs, &f.changes, "set", "", ",", "settings to change, as in beta=.1,gamma=.1,epochs=20; ngebm train -dry shows all of them, with the values that will be used")
	fs.StringVar(&f.runs, "runs", environment.Runs(), "folder of runs (default $NGEBM_RUNS, else runs)")
	fs.DurationVar(&f.save, "save-every", 5*time.Second, "least time between two checkpoints")
	fs.BoolVar(&f.fresh, "fresh", false, "train again what is stored, and remove what was stored of these runs")
	fs.IntVar(&f.devices, "devices", 1, "share each step's batch among so many devices: all GPUs of this machine, say; it changes nothing but the speed")
	fs.StringVar(&f.device, "device", "", "cpu, cuda or go (default: $GOMLX_BACKEND, $NGEBM_DEVICE, else the best there is)")
	fs.StringVar(&f.plugin, "plugin", "", pluginAbout)
}

// config returns the configuration that the flags make.
func (f *configFlags) config() (ngebm.Config, error) {
	cfg, err := ngebm.PresetConfig(f.preset)
	if err != nil {
		return cfg, err
	}
	for field, value := range map[*string]string{&cfg.Data: f.set, &cfg.Net: f.net} {
		if value != "" {
			*field = value
		}
	}
	if f.limit != 0 {
		cfg.Limit = f.limit
	}
	if f.method != "" {
		if err := cfg.Use(f.method); err != nil {
			return cfg, err
		}
	}
	if err := cfg.Set(f.changes); err != nil {
		return cfg, err
	}
	return cfg, cfg.Validate()
}

// pluginAbout is the help of -plugin.
const pluginAbout = "file of XLA's plugin (default: one in $PJRT_PLUGIN_LIBRARY_PATH, ~/.local/lib/go-xla, /usr/local/lib/go-xla or the cache, else a download; ngebm devices -h)"

// open opens the device, says which it is, and returns what training needs besides a
// configuration.
func (f *configFlags) open(ctx context.Context) (*device.Device, ngebm.Options, error) {
	bar := progress.ForTerminal(os.Stderr)
	o := environment.Device().With(f.device)
	o.Devices, o.Plugin, o.Progress = f.devices, f.plugin, bar
	if o.Devices == 0 {
		return nil, ngebm.Options{}, fmt.Errorf("ngebm: -devices 0: ask for 1 or more")
	}
	d, err := device.OpenContext(ctx, o)
	if err != nil {
		return nil, ngebm.Options{}, err
	}
	fmt.Fprintf(os.Stderr, "device: %s\n", d)
	options := environment.Training(bar, f.fresh)
	options.Runs, options.SaveEvery, options.Devices = f.runs, f.save, f.devices
	return d, options, nil
}
