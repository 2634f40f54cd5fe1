//go:build !linux && !darwin

package files

import "io/fs"

func unsettable(fs.FileInfo) string { return "" }

// Owner returns the number of the user to whom a file belongs; ok is false where the
// system knows none.
func Owner(fs.FileInfo) (uid int, ok bool) { return 0, false }
