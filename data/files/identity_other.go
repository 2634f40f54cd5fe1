//go:build !linux && !darwin

package files

import (
	"io/fs"
	"time"
)

// Changed returns when a file was last changed in any way, which nobody can set; ok is
// false where the system does not tell.
func Changed(fs.FileInfo) (at time.Time, ok bool) { return time.Time{}, false }

func unsettable(fs.FileInfo) string { return "" }

// Owner returns the number of the user to whom a file belongs; ok is false where the
// system knows none.
func Owner(fs.FileInfo) (uid int, ok bool) { return 0, false }

func onlyName(fs.FileInfo) bool { return true }
