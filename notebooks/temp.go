package main

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// tempFolder makes a temporary folder of this program's for a purpose, which release
// removes. It also removes those that programs which were killed have left.
func tempFolder(purpose string) (dir string, release func(), err error) {
	prefix := module + "-" + purpose + "-"
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*")) // the pattern is well-formed
	for _, old := range left {
		removeIfLeft(old)
	}
	if dir, err = os.MkdirTemp("", prefix); err != nil {
		return "", nil, err
	}
	lock := flock.New(filepath.Join(dir, tempLock))
	if _, err := lock.TryLock(); err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return dir, func() {
		_ = os.RemoveAll(dir) // what cannot be removed only takes room
		_ = lock.Unlock()
	}, nil
}

// tempLock is held by the program that the folder belongs to, and goes with it.
const tempLock = ".lock"

// removeIfLeft removes a temporary folder that nobody holds. A young one may be about to
// be locked.
func removeIfLeft(dir string) {
	path := filepath.Join(dir, tempLock)
	if info, err := os.Lstat(path); err != nil || time.Since(info.ModTime()) < time.Minute {
		return
	}
	lock := flock.New(path)
	if free, err := lock.TryLock(); err != nil || !free {
		return
	}
	_ = os.RemoveAll(dir)
	_ = lock.Unlock()
}
