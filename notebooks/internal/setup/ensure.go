package setup

import (
	"context"
	"fmt"
	"os"

	"ngebm/data/files"
	"ngebm/notebooks/internal/display"
)

// Ensure makes a folder unless it is there. It is made under another name and
// renamed when whole; a second process that needs it meanwhile waits.
func Ensure(ctx context.Context, folder, task string, d *display.Display, make func(ctx context.Context, dir string) error) error {
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	d.Begin(task)
	err := makeLocked(ctx, folder, d, make)
	switch {
	case err == nil:
		d.Done("ready")
	case ctx.Err() != nil:
		d.Done("stopped")
	default:
		d.Done("failed")
	}
	return err
}

func makeLocked(ctx context.Context, folder string, d *display.Display, make func(ctx context.Context, dir string) error) error {
	unlock, err := files.Lock(ctx, folder+".lock", func() {
		fmt.Fprintf(d, "waiting for another process that is making it (it holds %q)\n", folder+".lock")
	})
	if err != nil {
		return fmt.Errorf("cannot lock: %w", err)
	}
	fmt.Fprintln(d, "starting")
	defer unlock()
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	unfinished := folder + ".unfinished" // what an earlier attempt left, if it was killed
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := os.Mkdir(unfinished, 0o755); err != nil {
		return err
	}
	if err := make(ctx, unfinished); err != nil {
		os.RemoveAll(unfinished)
		return err
	}
	return os.Rename(unfinished, folder)
}
