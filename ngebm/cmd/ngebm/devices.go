package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"ngebm/ngebm/device"
	"ngebm/ngebm/progress"
)

func devices(_ context.Context, args []string, stdout io.Writer) error {
	fs := flagSet("devices", "Say what there is to run on, where it comes from, and why the rest is not there.", "ngebm devices")
	if err := fs.Parse(args); err != nil {
		return err
	}
	for _, f := range device.List(progress.ForTerminal(os.Stderr)) {
		fmt.Fprintln(stdout, f)
	}
	_, err := fmt.Fprintln(stdout, "ngebm train -devices N shares each step among N devices of a kind; the CPU shows as many as are asked for.")
	return err
}
