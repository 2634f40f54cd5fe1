package files

import (
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// Changed returns when a file was last changed in any way, which nobody can set; ok is
// false where the system does not tell.
func Changed(info fs.FileInfo) (at time.Time, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(s.Ctim.Unix()), true
}

func unsettable(info fs.FileInfo) string {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf(", inode %d of %d, changed at %d.%09d", s.Ino, s.Dev, s.Ctim.Sec, s.Ctim.Nsec)
}

// Owner returns the number of the user to whom a file belongs; ok is false where the
// system knows none.
func Owner(info fs.FileInfo) (uid int, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(s.Uid), true
}

// onlyName reports whether a file has no other name, through which it could be somebody's
// document.
func onlyName(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return !ok || s.Nlink == 1
}
