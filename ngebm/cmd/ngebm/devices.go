package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"ngebm/data/progress"
	"ngebm/ngebm/device"
	"ngebm/ngebm/environment"
)

const devicesAbout = `List the devices that XLA can use, where each plugin comes from and how it was verified, and why a device
is not available.

XLA's CPU plugin is searched in this order:
  1. the file that -plugin names
  2. the folders in $PJRT_PLUGIN_LIBRARY_PATH
  3. ~/.local/lib/go-xla (macOS: ~/Library/Application Support/go-xla), /usr/local/lib/go-xla
  4. ngebm/pjrt in the user's cache folder ($XDG_CACHE_HOME or ~/.cache)
If it is in none of them, it is downloaded into the last one with pip (x86-64 Linux only), unless
$NGEBM_OFFLINE is set. The downloaded plugin is verified by SHA-256 before it is opened; those of 1 to 3
are not verified. A plugin that a user other than you and root could modify is refused. The CUDA plugin is
searched in 2, 3 and among the packages of python3.

Programs that XLA compiles for the CPU are kept in ngebm/compiled in the user's cache folder, 512 MiB at
most, so that the next command loads them; $NGEBM_COMPILE_CACHE names another folder, and 0 keeps none.`

func devices(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flagSet("devices", devicesAbout, "ngebm devices")
	o := environment.Device()
	fs.StringVar(&o.Plugin, "plugin", "", pluginUsage)
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("ngebm devices: unexpected argument %q", fs.Arg(0))
	}
	o.Progress = progress.ForTerminal(os.Stderr)
	for _, f := range device.List(ctx, o) {
		fmt.Fprintln(stdout, f)
	}
	_, err := fmt.Fprintln(stdout, "ngebm train -devices N trains data-parallel on N devices of one kind; the CPU can act as any number.")
	return err
}
