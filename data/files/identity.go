package files

import (
	"fmt"
	"io/fs"
	"os"
)

// Identity changes when a file is written to, renamed, replaced or copied, even if its time is reset:
// it includes, where the system has them, device, inode and the time of the last status change,
// which cannot be set.
func Identity(info fs.FileInfo) string {
	return fmt.Sprintf("%d bytes, of %d ns%s", info.Size(), info.ModTime().UnixNano(), unsettable(info))
}

// Mine reports whether a file or folder belongs to this user or to root, whom every user has to trust.
// It is true on systems without owners.
func Mine(info fs.FileInfo) bool {
	uid, ok := Owner(info)
	return !ok || uid == 0 || uid == os.Geteuid()
}

// Same reports whether two paths lead to one file or folder that is there.
func Same(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}
