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

const devicesAbout = `Say what there is to run on, where it comes from, what was checked, and why the rest is
not there.

XLA's CPU plugin is looked for in this order:
  1. the file that -plugin names
  2. the folders of $PJRT_PLUGIN_LIBRARY_PATH
  3. ~/.local/lib/go-xla (macOS: ~/Library/Application Support/go-xla), /usr/local/lib/go-xla
  4. ngebm/pjrt in the user's cache folder ($XDG_CACHE_HOME or ~/.cache)
and, if it is in none of them, downloaded into the last with pip (x86-64 Linux), unless
NGEBM_OFFLINE is set. That one is compared with a SHA-256 in this program's source before
it is opened; those of 1 to 3 are run as they are. A plugin that another user than root
could change is refused. CUDA's is looked for in 2, 3 and among the packages of python3.`

func devices(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flagSet("devices", devicesAbout, "ngebm devices")
	o := environment.Device()
	fs.StringVar(&o.Plugin, "plugin", "", "file of XLA's CPU plugin, in place of the search")
	if err := parse(fs, args); err != nil {
		return err
	}
	o.Progress = progress.ForTerminal(os.Stderr)
	for _, f := range device.List(ctx, o) {
		fmt.Fprintln(stdout, f)
	}
	_, err := fmt.Fprintln(stdout, "ngebm train -devices N shares each step among N devices of a kind; the CPU shows as many as are asked for.")
	return err
}
