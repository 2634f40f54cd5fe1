// Package tempdir finds a folder for temporary files that programs can be started from:
// Go builds programs there and runs them, which a file system mounted with noexec forbids.
package tempdir

import (
	"embed"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Source is the code of this package, which is a part of the notebooks' Go kernel.
//
//go:embed tempdir.go private.go
var Source embed.FS

// Runnable is the folder for temporary files, [os.TempDir], or, where no program can be
// started from that, the fallback, which is made if it is missing.
func Runnable(fallback string) (string, error) {
	usual := os.TempDir()
	why := Check(usual)
	if why == nil {
		return usual, nil
	}
	if err := os.MkdirAll(fallback, 0o700); err != nil {
		return "", fmt.Errorf("%w; %w; set TMPDIR to a folder whose programs may be run", why, err)
	}
	if err := Check(fallback); err != nil {
		return "", fmt.Errorf("%w; %w; set TMPDIR to a folder whose programs may be run", why, err)
	}
	return fallback, nil
}

// Check says why a folder is of no use, if files cannot be made and run there.
func Check(dir string) error {
	f, err := os.CreateTemp(dir, "ngebm-run-*")
	if err != nil {
		return fmt.Errorf("no program can be put into %q: %w", dir, err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := f.Chmod(0o700); err != nil {
		return fmt.Errorf("no program can be put into %q: %w", dir, err)
	}
	if unix.Access(f.Name(), unix.X_OK) != nil { // on a noexec mount for root too
		return fmt.Errorf("no program can be run from %q, which is mounted with noexec", dir)
	}
	return nil
}
