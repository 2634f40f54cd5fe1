package data

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"ngebm/data/files"
	"ngebm/data/progress"
)

// openFolder reads the images in a folder.
func openFolder(ctx context.Context, name string, opts Options) (train, test *Dataset, err error) {
	root, err := filepath.Abs(name)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %w", err)
	}
	switch info, err := os.Stat(root); {
	case err != nil:
		return nil, nil, fmt.Errorf("data: no image folder at %s: %w: check the path", shown(root), shownError(err))
	case !info.IsDir():
		return nil, nil, fmt.Errorf("data: %s is a file, not a folder: for an archive write tar:%s or zip:%s", shown(root), shown(name), shown(name))
	}
	in, err := newFolder(root)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	return openImages(ctx, root, in, userImages(), opts)
}

// folder is a folder of image files. It may be a link itself. Links in it are followed only within it,
// so that an untrusted folder cannot make a dataset of its user's other files.
type folder struct {
	*files.Folder
	root    string
	changed func(info fs.FileInfo) (at time.Time, ok bool) // see [keyer]
	members []member                                       // filled in by key
	links   refusedLinks                                   // found by key
}

func newFolder(root string) (*folder, error) {
	in, err := files.OpenLinkedFolder(root)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	return &folder{Folder: in, root: root, changed: files.Changed}, nil
}

// openFile opens a regular file of at most that many bytes.
type openFile func(path string, maxBytes int64) (*os.File, error)

// openInFolder opens a file of an untrusted folder: if it is a link, it must stay in its folder.
func openInFolder(path string, maxBytes int64) (*os.File, error) {
	in, err := files.OpenLinkedFolder(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return in.OpenLinked(filepath.Base(path), maxBytes)
}

// refusedLinks counts links that are not followed and describes the first of them.
type refusedLinks struct {
	count int
	first []string
}

func (r *refusedLinks) add(link *files.LinkError) {
	if r.count++; r.count <= maxListed {
		r.first = append(r.first, fmt.Sprintf("%s leads to %.60q (%v)", shown(link.Name), link.Target, link.Err))
	}
}

// err is nil if there are none.
func (r *refusedLinks) err() error {
	if r.count == 0 {
		return nil
	}
	if more := r.count - len(r.first); more > 0 {
		r.first = append(r.first, fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%s in it cannot be followed, as links may only lead within the folder: %s: copy their targets into the folder, or, if all images are there, open that folder itself",
		counted(r.count, kindLink), strings.Join(r.first, "; "))
}

// key lists the files and returns a hash of their names and identities. Of a dataset with train and
// test folders it looks at these only. Other folders, and those without files, are part of the hash by
// their names, since the note for the user lists them.
func (f *folder) key(ctx context.Context) (string, error) {
	hash := sha256.New()
	f.members = nil
	f.links = refusedLinks{}
	top, err := f.List(".")
	if err != nil {
		return "", err
	}
	split := f.isSplit(top)
	keys := keyer{hash: hash, changed: f.changed}
	for _, e := range top {
		if split && !isSplit(e.Name()) && f.isFolder(e.Name()) {
			if !isHidden(e.Name()) {
				f.members = append(f.members, member{e.Name(), kindFolder})
				fmt.Fprintf(hash, "%q is left out\n", e.Name())
			}
			continue
		}
		if err := f.add(ctx, &keys, e.Name(), 1); err != nil {
			return "", err
		}
	}
	if err := f.links.err(); err != nil {
		return "", err
	}
	for _, name := range []string{"train", "test"} {
		if split && !f.isFolder(name) {
			return "", fmt.Errorf("it has no %s folder: want %s", name, splitLayout)
		}
	}
	if err := keys.settle(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("folder %x", hash.Sum(nil)), nil
}

func (f *folder) isFolder(name string) bool {
	info, err := f.Stat(name)
	return err == nil && info.IsDir()
}

// isSplit reports whether the train and test folders of a dataset are at the top: one of them has class
// folders. A single top folder that contains both may itself have such a name.
func (f *folder) isSplit(top []os.DirEntry) bool {
	var folders []string
	split := false
	for _, e := range top {
		if name := e.Name(); !isHidden(name) && f.isFolder(name) {
			folders = append(folders, name)
			split = split || isSplit(name) && f.hasFolders(name)
		}
	}
	isTop := len(folders) == 1 && f.hasFolders(folders[0]+"/train") && f.hasFolders(folders[0]+"/test")
	return split && !isTop
}

// hasFolders reports whether a folder has folders in it, for instance those of classes.
func (f *folder) hasFolders(name string) bool {
	if !f.isFolder(name) {
		return false
	}
	entries, _ := f.List(name) // a folder that cannot be listed fails later
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		return !isHidden(e.Name()) && (e.IsDir() || e.Type()&fs.ModeSymlink != 0 && f.isFolder(name+"/"+e.Name()))
	})
}

// maxFolderDepth is the number of folders around an image: top/train/class.
const maxFolderDepth = 3

// add adds a file, or the files in a folder; depth is the number of folders around those.
func (f *folder) add(ctx context.Context, keys *keyer, name string, depth int) error {
	if isHidden(name) {
		return nil
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("the name %q is not UTF-8: rename it, for instance with convmv", name)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	info, err := f.Stat(name)
	if link := (*files.LinkError)(nil); errors.As(err, &link) {
		f.links.add(link)
		return nil
	}
	if err != nil {
		return err
	}
	f.members = append(f.members, member{name, kindOfMode(info.Mode())})
	if err := boundMembers(len(f.members), maxMembers); err != nil {
		return err
	}
	if !info.IsDir() {
		return keys.add(ctx, name, info, func() (*os.File, error) { return f.OpenLinked(name, maxFileSize) })
	}
	if depth > maxFolderDepth {
		return fmt.Errorf("%s is a folder in a class folder: want %s", shown(name), layout)
	}
	entries, err := f.List(name)
	if err != nil {
		return err
	}
	before := len(f.members)
	for _, e := range entries {
		if err := f.add(ctx, keys, name+"/"+e.Name(), depth+1); err != nil {
			return err
		}
	}
	if len(f.members) == before {
		fmt.Fprintf(keys.hash, "%q is empty\n", name)
	}
	return nil
}

// kindOfMode returns the kind of what is not a file, "" for a file; see [member].
func kindOfMode(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return ""
	case mode.IsDir():
		return kindFolder
	case mode&fs.ModeNamedPipe != 0:
		return kindPipe
	case mode&fs.ModeDevice != 0:
		return kindDevice
	case mode&fs.ModeSocket != 0:
		return kindSocket
	}
	return kindOther
}

// list reads the beginning of files whose names are not those of images.
func (f *folder) list(ctx context.Context, _ progress.Reporter) (members []member, note string, err error) {
	members = slices.Clone(f.members)
	for i := range members {
		m := &members[i]
		if m.kind != "" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, "", err
		}
		m.kind, err = kindOf(m.name, func() ([]byte, error) {
			file, err := f.OpenLinked(m.name, maxFileSize)
			if err != nil {
				return nil, err
			}
			defer file.Close()
			return io.ReadAll(io.LimitReader(file, sniffed))
		})
		if err != nil {
			m.kind = "file that cannot be read"
		}
	}
	return members, "", nil
}

// maxFileSize is for files that are not read whole.
const maxFileSize = 1 << 62

func (f *folder) each(_ context.Context, want map[string]imageEntry, add func(p imageEntry, content func() ([]byte, error)) bool, to progress.Reporter) error {
	bar := track(to, "decode "+filepath.Base(f.root), "images", int64(len(want)))
	defer bar.finish()
	for _, m := range f.members {
		p, ok := want[m.name]
		if !ok {
			continue
		}
		if !add(p, func() ([]byte, error) { return readImageFile(f.OpenLinked(m.name, maxFileSize)) }) {
			return nil
		}
		bar.add(1)
	}
	return nil
}

// readImageFile reads a whole file, within bounds.
func readImageFile(file *os.File, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readImage(file)
}

var errLargeFile = fmt.Errorf("it has more than %d MiB", maxImageFile>>20)

// readImage reads a whole file, within bounds.
func readImage(r io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxImageFile+1))
	if err == nil && len(content) > maxImageFile {
		err = errLargeFile
	}
	return content, err
}
