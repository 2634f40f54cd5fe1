package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

// Pending is a file that is being written. It gets its name when it is committed.
type Pending struct {
	folder *Folder
	file   *renameio.PendingFile
	name   string
	hold   *flock.Flock // shows other writers of the name that this one lives
	mode   fs.FileMode  // once it is committed
	done   bool
}

// Create begins a file, in place of a regular file or of nothing: a device, a pipe or a link of the
// system's, such as /dev/stdout, is left alone, with an error. Whoever may read it once it is
// committed follows from perm, less what the umask takes away. Unless Commit is called, Discard must be.
func Create(path string, perm fs.FileMode) (*Pending, error) {
	return inFolderOf(path, func(f *Folder, name string) (*Pending, error) { return f.Create(name, perm) })
}

// WriteFile replaces or creates a file with the content, or leaves an existing one unchanged.
func WriteFile(path string, content []byte, perm fs.FileMode) error {
	_, err := inFolderOf(path, func(f *Folder, name string) (any, error) { return nil, f.WriteFile(name, content, perm) })
	return err
}

// WriteFile is [WriteFile] in the folder.
func (f *Folder) WriteFile(name string, content []byte, perm fs.FileMode) error {
	p, err := f.Create(name, perm)
	if err != nil {
		return err
	}
	defer p.Discard()
	if _, err := p.Write(content); err != nil {
		return err
	}
	return p.Commit()
}

// Create is [Create] in the folder.
func (f *Folder) Create(name string, perm fs.FileMode) (*Pending, error) {
	// A link to a pipe or a device is looked through.
	if there, err := os.Stat(f.path(name)); err == nil && !there.Mode().IsRegular() {
		return nil, irregular(f.path(name), "a regular file", there.Mode())
	}
	if f.isSystemLink(name) {
		return nil, fmt.Errorf("%q is a link of the system's, which is not replaced; give the name of a file", f.path(name))
	}
	f.sweep(false, name)
	own, err := f.root.OpenRoot(".") // the file may outlive the folder's handle
	if err != nil {
		return nil, failed(f.Path(), err)
	}
	p := &Pending{folder: &Folder{own}, name: name}
	const attempts = 10
	for range attempts {
		if err = p.begin(perm); err != errSwept {
			break
		}
	}
	if err != nil {
		_ = own.Close()
		return nil, failed(f.path(name), err)
	}
	return p, nil
}

// isSystemLink reports a link that is in /dev or /proc or leads there, as /dev/stdout does: what it
// leads to may be a regular file, but the link is not this user's to replace. /dev/shm is a disk in
// memory, for everybody's files.
func (f *Folder) isSystemLink(name string) bool {
	target, err := os.Readlink(f.path(name))
	if err != nil {
		return false // no link
	}
	dir, err := filepath.Abs(f.Path())
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return true // nobody can tell
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(dir, target)
	}
	return isSystems(dir+"/") || isSystems(filepath.Clean(target))
}

func isSystems(path string) bool {
	return strings.HasPrefix(path, "/proc/") || strings.HasPrefix(path, "/dev/") && !strings.HasPrefix(path, "/dev/shm/")
}

// errSwept is the error for a file that another writer removed as abandoned, or is about to.
var errSwept = errors.New("other writers keep removing it")

// begin makes the temporary file.
func (p *Pending) begin(perm fs.FileMode) (err error) {
	// The umask has its effect now; there is nothing in the file yet that others could read.
	if p.file, err = renameio.NewPendingFile(p.name, renameio.WithRoot(p.folder.root), renameio.WithPermissions(perm)); err != nil {
		return err
	}
	made, err := p.file.Stat()
	if err == nil {
		p.mode = made.Mode().Perm()
		if p.file.Chmod(0o600) != nil {
			p.mode = 0 // a disk without modes
		}
		err = p.claim(made)
	}
	if err != nil {
		p.drop()
	}
	return err
}

// claim takes the lock of the temporary file. It does not wait for another user who has it: whoever
// takes the locks of others removes their files too.
func (p *Pending) claim(made fs.FileInfo) error {
	p.hold = flock.New(p.file.Name(), flock.SetFlag(os.O_RDONLY|noFollow|nonBlocking))
	// Where a disk has no locks, nobody else gets one either.
	if got, err := p.hold.TryLock(); err == nil && !got {
		return errSwept
	}
	now, err := p.folder.root.Lstat(filepath.Base(p.file.Name()))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(made, now) {
		return errSwept
	}
	return err
}

// Write implements [io.Writer].
func (p *Pending) Write(b []byte) (int, error) {
	n, err := p.file.Write(b)
	return n, failed(p.folder.path(p.name), err)
}

// Sync puts what was written on the disk. Commit does too.
func (p *Pending) Sync() error { return failed(p.folder.path(p.name), p.file.Sync()) }

// Commit puts the file on the disk and gives it its name, in place of what had it.
func (p *Pending) Commit() error {
	var err error
	if p.mode != 0 {
		err = p.file.Chmod(p.mode)
	}
	if err == nil {
		err = p.file.CloseAtomicallyReplace()
	}
	if err != nil {
		return failed(p.folder.path(p.name), err)
	}
	p.end()
	return nil
}

// Discard removes what was written. After Commit it does nothing.
func (p *Pending) Discard() {
	if !p.done {
		p.drop()
		p.end()
	}
}

// drop removes the temporary file.
func (p *Pending) drop() {
	_ = p.file.Cleanup() // if it stays, the next writer removes it
	if p.hold != nil {
		_ = p.hold.Close()
	}
}

// end lets go of what the file held.
func (p *Pending) end() {
	p.done = true
	_ = p.hold.Close()
	_ = p.folder.Close()
}

// Keep gives the file a second name, replacing a file of that name. On a disk without hard
// links it does nothing.
func (f *Folder) Keep(name, as string) {
	temporary := fmt.Sprintf(".%s%0*d", as, minDigits, os.Getpid())
	_ = f.root.Remove(temporary)
	if f.root.Link(name, temporary) == nil && f.root.Rename(temporary, as) != nil {
		_ = f.root.Remove(temporary)
	}
}

// Sweep removes what killed writers of the names left. The caller must hold the lock under which they
// are written, because Sweep does not check whether a writer is still alive.
func (f *Folder) Sweep(names ...string) {
	for _, name := range names {
		f.sweep(true, name)
	}
}

// sweep removes what killed writers of a name left; alone means that nobody writes it now. Errors are
// ignored: what remains only takes space.
func (f *Folder) sweep(alone bool, name string) {
	entries, _ := fs.ReadDir(f.root.FS(), ".") // what cannot be listed is not removed
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !isTemporary(entry.Name(), name) {
			continue
		}
		if alone {
			_ = f.root.Remove(entry.Name())
			continue
		}
		hold := flock.New(f.path(entry.Name()), flock.SetFlag(os.O_RDONLY|noFollow|nonBlocking))
		if free, err := hold.TryLock(); free && err == nil {
			_ = f.root.Remove(entry.Name())
		}
		_ = hold.Close()
	}
}

// minDigits keeps files with similar names, such as .report.json2025, from being taken for temporary
// ones. renameio draws 63 bits: one in ten million has fewer digits, and remains if its writer is
// killed.
const minDigits = 12

// isTemporary reports whether a file has the name of a temporary file for name: .<name><digits>.
func isTemporary(file, name string) bool {
	digits, ok := strings.CutPrefix(file, "."+name)
	return ok && len(digits) >= minDigits && strings.Trim(digits, "0123456789") == ""
}
