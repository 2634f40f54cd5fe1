package files

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// Lock takes the lock of that name for this process, and makes its file if there is none.
// If another process has it, waiting is called once and Lock waits until ctx ends. A lock
// goes with its process; its file stays. All who may write in the folder may take it.
func (f *Folder) Lock(ctx context.Context, name string, waiting func()) (unlock func(), err error) {
	l, err := f.lockFile(name)
	if err != nil {
		return nil, err
	}
	ok, err := l.TryLock()
	if err == nil && !ok {
		waiting()
		_, err = l.TryLockContext(ctx, 200*time.Millisecond)
	}
	if err != nil {
		return nil, failed(f.path(name), err)
	}
	return func() { _ = l.Close() }, nil
}

// TryLock takes the lock of that name for this process; ok is false if another has it.
func (f *Folder) TryLock(name string) (unlock func(), ok bool, err error) {
	l, err := f.lockFile(name)
	if err != nil {
		return nil, false, err
	}
	if ok, err = l.TryLock(); err != nil || !ok {
		return nil, false, failed(f.path(name), err)
	}
	return func() { _ = l.Close() }, true, nil
}

// Lock is [Folder.Lock] of a path.
func Lock(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	return inFolderOf(path, func(f *Folder, name string) (func(), error) { return f.Lock(ctx, name, waiting) })
}

// TryLock is [Folder.TryLock] of a path.
func TryLock(path string) (unlock func(), ok bool, err error) {
	unlock, err = inFolderOf(path, func(f *Folder, name string) (unlock func(), err error) {
		unlock, ok, err = f.TryLock(name)
		return unlock, err
	})
	return unlock, ok, err
}

// lockFile makes the file of a lock where there is none. It is opened without O_CREATE
// after that, which some systems refuse for another user's file.
func (f *Folder) lockFile(name string) (*flock.Flock, error) {
	made, err := f.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err == nil {
		err = made.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, failed(f.path(name), err)
	}
	if err := f.Regular(name); err != nil {
		return nil, err
	}
	return flock.New(f.path(name), flock.SetFlag(os.O_RDONLY|noFollow|nonBlocking)), nil
}
