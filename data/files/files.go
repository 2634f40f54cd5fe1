// Package files reads and writes files where other people and other processes may put
// theirs.
//
// Reading takes regular files only: no pipe, which would wait forever, no device, which
// never ends, and, unless the caller says otherwise, no symbolic link. A file's size is
// compared with a bound before memory is taken for it.
//
// Writing puts the content into a temporary file in the same folder, named
// .<name><digits>, which only its owner may read. Commit syncs it and renames it. What a
// killed writer left there is removed by the next writer of the same name.
package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Folder is an open folder. Its files are given by their names alone; no operation
// leaves the folder, whatever links others put into it meanwhile.
type Folder struct{ root *os.Root }

// OpenFolder opens a folder, which must not be a symbolic link itself; the folders above
// it may be.
func OpenFolder(dir string) (*Folder, error) {
	// With a trailing separator the system would look through a link.
	dir = filepath.Clean(dir)
	before, err := os.Lstat(dir)
	if err != nil {
		return nil, failed(dir, err)
	}
	if !before.IsDir() {
		return nil, irregular(dir, "a folder", before.Mode())
	}
	f, err := openLinkedFolder(dir)
	if err != nil {
		return nil, err
	}
	if opened, err := f.root.Stat("."); err != nil || !os.SameFile(before, opened) {
		return nil, errors.Join(fmt.Errorf("%q was replaced while it was opened", dir), f.Close())
	}
	return f, nil
}

func openLinkedFolder(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, failed(dir, err)
	}
	return &Folder{root}, nil
}

// inFolderOf does something with path's folder and its last name.
func inFolderOf[T any](path string, do func(f *Folder, name string) (T, error)) (result T, err error) {
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	f, err := openLinkedFolder(dir)
	if err != nil {
		return result, err
	}
	defer f.Close()
	return do(f, name)
}

// Close closes the folder. A file that was created in it can still be committed.
func (f *Folder) Close() error { return f.root.Close() }

// Path returns the folder's path, as it was opened.
func (f *Folder) Path() string { return f.root.Name() }

func (f *Folder) path(name string) string { return filepath.Join(f.root.Name(), name) }

// Has reports whether something has that name: a file, a folder or a link.
func (f *Folder) Has(name string) bool {
	_, err := f.root.Lstat(name)
	return err == nil
}

// Names returns the names of all that is in the folder.
func (f *Folder) Names() ([]string, error) {
	entries, err := fs.ReadDir(f.root.FS(), ".")
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, failed(f.Path(), err)
}

// Regular returns an error for the first of the names that something else than a regular
// file has. A name that nothing has is no error.
func (f *Folder) Regular(names ...string) error {
	for _, name := range names {
		info, err := f.root.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return failed(f.path(name), err)
		}
		if !info.Mode().IsRegular() {
			return irregular(f.path(name), "a regular file", info.Mode())
		}
	}
	return nil
}

// Remove removes a file.
func (f *Folder) Remove(name string) error {
	return failed(f.path(name), f.root.Remove(name))
}

// Open opens a regular file of at most that many bytes for reading.
func (f *Folder) Open(name string, maxBytes int64) (*os.File, error) {
	before, err := f.root.Lstat(name)
	if err != nil {
		return nil, failed(f.path(name), err)
	}
	return f.openAs(before, name, maxBytes)
}

// openAs opens the regular file that was seen before.
func (f *Folder) openAs(before fs.FileInfo, name string, maxBytes int64) (*os.File, error) {
	if !before.Mode().IsRegular() {
		return nil, irregular(f.path(name), "a regular file", before.Mode())
	}
	file, err := f.root.OpenFile(name, os.O_RDONLY|nonBlocking, 0)
	if err == nil {
		err = check(file, before, maxBytes)
	}
	if err != nil {
		return nil, failed(f.path(name), err)
	}
	return file, nil
}

// ReadFile reads a regular file of at most that many bytes.
func (f *Folder) ReadFile(name string, maxBytes int64) ([]byte, error) {
	file, err := f.Open(name, maxBytes)
	if err != nil {
		return nil, err
	}
	return readAll(file)
}

// Open opens a regular file of at most that many bytes for reading. The file must not be
// a symbolic link.
func Open(path string, maxBytes int64) (*os.File, error) {
	return inFolderOf(path, func(f *Folder, name string) (*os.File, error) { return f.Open(name, maxBytes) })
}

// ReadFile reads what [Open] opens.
func ReadFile(path string, maxBytes int64) ([]byte, error) {
	return inFolderOf(path, func(f *Folder, name string) ([]byte, error) { return f.ReadFile(name, maxBytes) })
}

// OpenLinked is [Open] for a file that the user named: it may be a symbolic link, to a
// regular file.
func OpenLinked(path string, maxBytes int64) (*os.File, error) {
	before, err := os.Stat(path)
	if err != nil {
		return nil, failed(path, err)
	}
	if !before.Mode().IsRegular() {
		return nil, irregular(path, "a regular file", before.Mode())
	}
	file, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	if err == nil {
		err = check(file, before, maxBytes)
	}
	if err != nil {
		return nil, failed(path, err)
	}
	return file, nil
}

// ReadLinked reads what [OpenLinked] opens.
func ReadLinked(path string, maxBytes int64) ([]byte, error) {
	file, err := OpenLinked(path, maxBytes)
	if err != nil {
		return nil, err
	}
	return readAll(file)
}

// check closes a file and returns an error, unless it is the one that was seen before and
// within the bound.
func check(file *os.File, before fs.FileInfo, maxBytes int64) error {
	now, err := file.Stat()
	switch {
	case err != nil:
	case !os.SameFile(before, now):
		err = errors.New("it was replaced while it was opened")
	case now.Size() > maxBytes:
		err = fmt.Errorf("it has %d bytes, more than the limit of %d", now.Size(), maxBytes)
	default:
		return nil
	}
	_ = file.Close() // nothing was written
	return err
}

// readAll reads and closes a file, up to the size that it has now.
func readAll(file *os.File) ([]byte, error) {
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, failed(file.Name(), err)
	}
	content := make([]byte, info.Size())
	n, err := io.ReadFull(file, content)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // it became shorter meanwhile
	}
	return content[:n], failed(file.Name(), err)
}

// irregular is the error of a path that is something else than what is wanted.
func irregular(path, wanted string, mode fs.FileMode) error {
	what := "a device"
	switch {
	case mode.IsRegular():
		what = "a file"
	case mode.IsDir():
		what = "a folder"
	case mode&fs.ModeSymlink != 0:
		return fmt.Errorf("%q is a symbolic link, which is not followed here; put %s in its place", path, wanted)
	case mode&fs.ModeNamedPipe != 0:
		what = "a named pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	}
	return fmt.Errorf("%q is %s, not %s", path, what, wanted)
}

// failed names the path in a form that is safe to print, in place of the one in err.
func failed(path string, err error) error {
	if err == nil {
		return nil
	}
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		err = p.Err
	}
	if l := (*os.LinkError)(nil); errors.As(err, &l) {
		err = l.Err
	}
	return fmt.Errorf("%q: %w", path, err)
}
