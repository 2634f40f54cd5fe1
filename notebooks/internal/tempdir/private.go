package tempdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ngebm/data/files"
)

// Folder makes a temporary folder of this program's for a purpose, which release
// removes. It also removes those that programs which were killed have left. All are in a
// folder that only this user can enter: the system's one is everyone's, and what others
// put there may be a pipe to wait for or a link that leads elsewhere.
func Folder(purpose string) (dir string, release func(), err error) {
	parent, err := tempParent()
	if err != nil {
		return "", nil, err
	}
	left, err := os.ReadDir(parent)
	if err != nil {
		return "", nil, err
	}
	for _, old := range left {
		if strings.HasPrefix(old.Name(), purpose+"-") {
			removeIfLeft(filepath.Join(parent, old.Name()))
		}
	}
	if dir, err = os.MkdirTemp(parent, purpose+"-"); err != nil {
		return "", nil, err
	}
	unlock, _, err := files.TryLock(filepath.Join(dir, tempLock))
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return dir, func() {
		_ = os.RemoveAll(dir) // what cannot be removed only takes room
		unlock()
	}, nil
}

// tempLock is held by the program that the folder belongs to, and goes with it.
const tempLock = ".lock"

// tempParent makes the folder of this user's temporary folders where there is none.
func tempParent() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for temporary files: %w; set XDG_CACHE_HOME to an absolute path, or leave it out and set HOME", err)
	}
	cache = filepath.Join(cache, "ngebm")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("no folder for temporary files: %w; set XDG_CACHE_HOME to a folder that can be written", err)
	}
	parent := filepath.Join(cache, "tmp")
	if err := os.Mkdir(parent, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(parent)
	switch {
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", fmt.Errorf("%q is not a folder: remove it", parent)
	case !isOwn(info):
		return "", fmt.Errorf("%q belongs to another user: set XDG_CACHE_HOME to a folder of your own", parent)
	}
	return parent, os.Chmod(parent, 0o700)
}

// isOwn reports whether a file belongs to this user.
func isOwn(info fs.FileInfo) bool {
	uid, ok := files.Owner(info)
	return !ok || uid == os.Geteuid()
}

// CheckOwn returns an error if another user could put programs into the folder that the
// set-up keeps its own in, which may be a link of this user's.
func CheckOwn(folder string) error {
	for _, look := range []func(string) (fs.FileInfo, error){os.Lstat, os.Stat} {
		info, err := look(folder)
		switch {
		case err != nil:
			return err
		case !isOwn(info):
			return fmt.Errorf("%q belongs to another user: set XDG_CACHE_HOME to a folder of your own", folder)
		case info.IsDir() && info.Mode().Perm()&0o002 != 0:
			return fmt.Errorf("everyone can write in %q, from where programs are started: remove it, or set XDG_CACHE_HOME to another folder", folder)
		}
	}
	return nil
}

// CreateFile makes a file that only this user can read, in place of what has its name.
func CreateFile(path string) (*os.File, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// removeIfLeft removes a temporary folder of this user's that nobody holds. A young one
// may be about to be locked.
func removeIfLeft(dir string) {
	lock := filepath.Join(dir, tempLock)
	for path, is := range map[string]func(fs.FileMode) bool{dir: fs.FileMode.IsDir, lock: fs.FileMode.IsRegular} {
		info, err := os.Lstat(path)
		if err != nil || !is(info.Mode()) || !isOwn(info) || path == lock && time.Since(info.ModTime()) < time.Minute {
			return
		}
	}
	unlock, free, err := files.TryLock(lock)
	if err != nil || !free {
		return
	}
	_ = os.RemoveAll(dir)
	unlock()
}
