package data

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Decoded images that another user put into a shared folder, or could have changed there,
// are not used: they could be any images.
func TestCacheOfOthers(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"writable by all": func(path string) error { return os.Chmod(path, 0o666) },
		"another's": func(path string) error {
			if os.Geteuid() != 0 {
				return os.Chmod(path, 0o666) // only root can give it away
			}
			return os.Chown(path, 65534, 65534)
		},
		"behind a link": func(path string) error {
			return errors.Join(os.Rename(path, path+".moved"), os.Symlink(path+".moved", path))
		},
	} {
		opts, built := Options{Cache: t.TempDir()}, 0
		ask := func() {
			t.Helper()
			_, _, err := cached(opts, "of", "key", func() (train, test *Dataset, err error) {
				built++
				if train, err = New(twoImages()); err != nil {
					return nil, nil, err
				}
				test, err = train.Subset("test", []int{0})
				return train, test, err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		ask()
		ask()
		if built != 1 {
			t.Errorf("%s: decoded %d times, want once", name, built)
		}
		if err := spoil(filepath.Join(opts.Cache, folderNames(t, opts.Cache)[0])); err != nil {
			t.Fatal(err)
		}
		ask()
		ask()
		if built != 2 {
			t.Errorf("%s: decoded %d times, want twice", name, built)
		}
	}
}
