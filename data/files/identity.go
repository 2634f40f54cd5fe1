package files

import (
	"fmt"
	"io/fs"
	"os"
)

// Identity differs once a file was written to, renamed, exchanged or copied, also by
// someone who set its time back: it holds, where the system has them, the device, the
// inode and the time of the last change of either, which nobody can set.
func Identity(info fs.FileInfo) string {
	return fmt.Sprintf("%d bytes, of %d ns%s", info.Size(), info.ModTime().UnixNano(), unsettable(info))
}

// Mine reports whether a file or folder belongs to this user, or to root, whom every user
// has to trust. Where the system knows no owners it does.
func Mine(info fs.FileInfo) bool {
	uid, ok := Owner(info)
	return !ok || uid == 0 || uid == os.Geteuid()
}
