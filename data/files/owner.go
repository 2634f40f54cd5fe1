package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Own returns the size of a file that this user is writing piece by piece, 0 if there is none. Anything
// else of that name is removed: a link, a pipe, another user's file, a file with a second name.
func (f *Folder) Own(name string) (size int64, err error) {
	info, err := f.own(name)
	if err != nil || info == nil {
		return 0, err
	}
	return info.Size(), nil
}

// OpenOwn opens the file of [Folder.Own] for reading and writing. If there is none it creates one with
// the permissions perm, less the umask.
func (f *Folder) OpenOwn(name string, perm fs.FileMode) (*os.File, error) {
	before, err := f.own(name)
	if err != nil {
		return nil, err
	}
	if before == nil {
		file, err := f.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		return file, failed(f.path(name), err)
	}
	file, err := f.root.OpenFile(name, os.O_RDWR|nonBlocking, 0)
	if err != nil {
		return nil, failed(f.path(name), err)
	}
	if now, err := file.Stat(); err != nil || !os.SameFile(before, now) {
		return nil, errors.Join(fmt.Errorf("%q was replaced while it was opened", f.path(name)), file.Close())
	}
	return file, nil
}

// own returns nil if there is no such file.
func (f *Folder) own(name string) (fs.FileInfo, error) {
	info, err := f.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, failed(f.path(name), err)
	}
	if IsOwn(info) {
		return info, nil
	}
	if err := f.root.Remove(name); err != nil {
		return nil, fmt.Errorf("%w, so something of that name that is not your own file is in the way: remove it", failed(f.path(name), err))
	}
	return nil, nil
}

// IsOwn reports whether a file, of which info is from Lstat, is one that [Folder.Own] keeps: a regular
// file of this user's without a second name.
func IsOwn(info fs.FileInfo) bool {
	uid, ok := Owner(info)
	return info.Mode().IsRegular() && onlyName(info) && (!ok || uid == os.Geteuid())
}

// Own is [Folder.Own] of a path.
func Own(path string) (size int64, err error) {
	size, err = inFolderOf(path, (*Folder).Own)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // no folder yet
	}
	return size, err
}

// OpenOwn is [Folder.OpenOwn] of a path.
func OpenOwn(path string, perm fs.FileMode) (*os.File, error) {
	return inFolderOf(path, func(f *Folder, name string) (*os.File, error) { return f.OpenOwn(name, perm) })
}
