package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// OpenLinkedFolder opens a folder that the user named, which may be a symbolic link.
func OpenLinkedFolder(dir string) (*Folder, error) { return openLinkedFolder(dir) }

// Stat says what has a name. A link is followed if it stays in the folder; one that does
// not, is absolute or leads to nothing is a [LinkError].
func (f *Folder) Stat(name string) (fs.FileInfo, error) {
	info, err := f.root.Stat(name)
	if err == nil {
		return info, nil
	}
	if target, linkErr := f.root.Readlink(name); linkErr == nil {
		return nil, &LinkError{name, target, reason(err)}
	}
	return nil, failed(f.path(name), err)
}

// LinkError is a link that is not followed.
type LinkError struct {
	Name, Target string
	Err          error
}

func (e *LinkError) Error() string {
	return fmt.Sprintf("%q leads to %.60q: %v", e.Name, e.Target, e.Err)
}

func (e *LinkError) Unwrap() error { return e.Err }

// List returns what is in a folder in the folder, links to it followed as by [Folder.Stat].
func (f *Folder) List(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(f.root.FS(), name)
	return entries, failed(f.path(name), err)
}

// OpenLinked is [Folder.Open] for a file that a link in the folder may lead to, as long as
// it stays there.
func (f *Folder) OpenLinked(name string, maxBytes int64) (*os.File, error) {
	before, err := f.Stat(name)
	if err != nil {
		return nil, err
	}
	return f.openAs(before, name, maxBytes)
}

// reason is an error of the file system without the path.
func reason(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}
