package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"ngebm/data/progress"
	"ngebm/ngebm"
	"ngebm/ngebm/device"
	"ngebm/ngebm/environment"
	"ngebm/ngebm/study"
	"ngebm/ngebm/train"
)

// configFlags are the flags of all commands that train: what, where and on which device.
type configFlags struct {
	preset, set, model, method, changes, runs, device, plugin string
	maxTrain, devices                                         int
	save                                                      time.Duration
	fresh                                                     bool
}

// defaultSeeds are the seeds of a command that trains several: three give an interval.
const defaultSeeds = "1,2,3"

const seedsUsage = "random seeds; each sets the initial weights, the order of the data and the validation split"

func (f *configFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.preset, "preset", "digits", "`name` of the configuration to start from; ngebm train -list shows all presets")
	fs.StringVar(&f.set, "data", "", "`dataset` to use instead of the preset's: digits, moons, cifar10, folder:PATH, zip:PATH …; NAME@SIZE resizes the images; csv:PATH@LABEL for rows of a table")
	fs.IntVar(&f.maxTrain, "max-train", 0, "maximum number of training examples (0: all; default: the preset's)")
	fs.StringVar(&f.model, "model", "", "`network` to use instead of the preset's: convnet, wrn-10-2, mlp-128-128 …")
	fs.StringVar(&f.method, "method", "", "training `method` to use instead of the preset's: cross-entropy, ng-ebm, jem, adversarial … (ngebm train -list shows all)")
	listVar(fs, &f.changes, "set", "", ",", "`settings` to change, as in beta=.1,gamma=.1,epochs=20; ngebm train -dry-run prints all settings")
	fs.StringVar(&f.runs, "runs", environment.Runs(), "`folder` in which runs are stored; $NGEBM_RUNS changes the default")
	fs.DurationVar(&f.save, "save-every", 5*time.Second, "minimum time between checkpoints, above 0")
	fs.BoolVar(&f.fresh, "fresh", false, "discard stored runs of this configuration and train again; for one process alone: several that share a folder would each train every run, so give them a new folder with -runs")
	fs.IntVar(&f.devices, "devices", 1, "number of devices for data parallelism; does not change the result")
	fs.StringVar(&f.device, "device", "", deviceUsage)
	fs.StringVar(&f.plugin, "plugin", "", pluginUsage)
}

// refuseSeed refuses a seed in -set, for commands that train with those of -seeds.
func (f *configFlags) refuseSeed(command string) error {
	if seed, ok := ngebm.FindSetting(f.changes, "seed"); ok {
		return fmt.Errorf("ngebm %s: -set seed=%.60q has no effect; give the seeds with -seeds", command, seed)
	}
	return nil
}

// refuseGrid returns an error if -set names a setting of the grid, which would have no effect.
func (f *configFlags) refuseGrid(grid study.Grid) error {
	for _, setting := range grid {
		for key := range strings.SplitSeq(setting.Key, "+") {
			if value, ok := ngebm.FindSetting(f.changes, key); ok {
				return fmt.Errorf("ngebm sweep: -set %s=%.60q has no effect, since -grid sets %s; leave one out", key, value, key)
			}
		}
	}
	return nil
}

// config returns the configuration that the flags describe.
func (f *configFlags) config(fs *flag.FlagSet) (ngebm.Config, error) {
	cfg, err := ngebm.PresetConfig(f.preset)
	if err != nil {
		return cfg, err
	}
	if f.save <= 0 {
		return cfg, fmt.Errorf("ngebm: -save-every is %s; it must be above 0, such as 5s", f.save)
	}
	given := given(fs)
	for _, same := range [][2]string{{"data", "data"}, {"model", "net"}, {"max-train", "limit"}} {
		if value, ok := ngebm.FindSetting(f.changes, same[1]); ok && given[same[0]] {
			return cfg, fmt.Errorf("ngebm: -%s and -set %s=%.60q are one setting; leave one out", same[0], same[1], value)
		}
	}
	for field, value := range map[*string]string{&cfg.Data: f.set, &cfg.Net: f.model} {
		if value != "" {
			*field = value
		}
	}
	if given["max-train"] {
		cfg.Limit = f.maxTrain
	}
	if err := cfg.SetAll(f.method, f.changes); err != nil {
		return cfg, err
	}
	return cfg, cfg.Validate()
}

const deviceUsage = "`kind` of device: cpu, cuda or go (default $GOMLX_BACKEND or $NGEBM_DEVICE, else the fastest available)"

const pluginUsage = "`file` of XLA's PJRT plugin (default: searched in the folders that ngebm devices -h lists, else downloaded)"

// open opens the device, says which it is, and returns what training needs besides a
// configuration.
func (f *configFlags) open(ctx context.Context) (*device.Device, train.Options, error) {
	bar := progress.ForTerminal(os.Stderr)
	o := environment.Device().With(f.device)
	o.Devices, o.Plugin, o.Progress = f.devices, f.plugin, bar
	if o.Devices == 0 {
		return nil, train.Options{}, fmt.Errorf("ngebm: -devices is 0; it must be 1 or more")
	}
	d, err := device.OpenContext(ctx, o)
	if err != nil {
		return nil, train.Options{}, err
	}
	fmt.Fprintf(os.Stderr, "device: %s\n", d)
	options := environment.Training(bar, f.fresh)
	options.Runs, options.SaveEvery, options.Devices = f.runs, f.save, f.devices
	return d, options, nil
}
