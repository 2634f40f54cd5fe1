package data

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"ngebm/ngebm/progress"
)

// openFolder reads the images in a folder.
func openFolder(ctx context.Context, name string, opts Options) (train, test *Dataset, err error) {
	root, err := filepath.Abs(name)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %w", err)
	}
	switch info, err := os.Stat(root); {
	case err != nil:
		return nil, nil, fmt.Errorf("data: no image folder at %s: %w: check the path", root, err)
	case !info.IsDir():
		return nil, nil, fmt.Errorf("data: %s is a file, not a folder: for an archive write tar:%s or zip:%s", root, name, name)
	}
	return openImages(ctx, root, &folder{root: root}, userImages(), opts)
}

// folder is a folder of image files.
type folder struct {
	root  string
	names []string // filled in by key
}

// key lists the files: their names, sizes and times are the key. Of a set that is
// split it looks at no other folders than train and test.
func (f *folder) key() (string, error) {
	hash := sha256.New()
	f.names = nil
	top, err := os.ReadDir(f.root)
	if err != nil {
		return "", err
	}
	split := slices.ContainsFunc(top, func(e os.DirEntry) bool { return isSplit(e.Name()) && f.isFolder(e.Name()) })
	for _, e := range top {
		if split && !isSplit(e.Name()) {
			continue
		}
		if err := f.add(hash, e.Name(), 1); err != nil {
			return "", err
		}
	}
	for _, name := range []string{"train", "test"} {
		if split && !f.isFolder(name) {
			return "", fmt.Errorf("it has no %s folder: images lie at %s", name, splitLayout)
		}
	}
	return fmt.Sprintf("folder %x", hash.Sum(nil)), nil
}

func (f *folder) path(name string) string { return filepath.Join(f.root, filepath.FromSlash(name)) }

func (f *folder) isFolder(name string) bool {
	info, err := os.Stat(f.path(name)) // follows links, as data folders often have
	return err == nil && info.IsDir()
}

// deepest is how many folders deep images may lie: top/train/class.
const deepest = 3

// add adds a file or what is in a folder; depth is how many folders deep that
// would lie.
func (f *folder) add(hash io.Writer, name string, depth int) error {
	if hidden(filepath.Base(name)) {
		return nil
	}
	info, err := os.Stat(f.path(name))
	if err != nil {
		return err
	}
	if !info.IsDir() {
		f.names = append(f.names, name)
		fmt.Fprintf(hash, "%q %d %d\n", name, info.Size(), info.ModTime().UnixNano())
		return nil
	}
	if depth > deepest {
		return fmt.Errorf("%s is a folder in a class folder: images lie at %s", name, layout)
	}
	entries, err := os.ReadDir(f.path(name))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := f.add(hash, name+"/"+e.Name(), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) list(context.Context, progress.Reporter) ([]string, error) { return f.names, nil }

func (f *folder) each(want map[string]place, add func(p place, content func() ([]byte, error)) bool, to progress.Reporter) error {
	bar := track(to, "decode "+filepath.Base(f.root), "images", int64(len(want)))
	defer bar.finish()
	for _, name := range f.names {
		p, ok := want[name]
		if !ok {
			continue
		}
		if !add(p, func() ([]byte, error) { return readImageFile(f.path(name)) }) {
			return nil
		}
		bar.add(1)
	}
	return nil
}

func readImageFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readImage(file)
}

// readImage reads a file whole, within bounds.
func readImage(r io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxImageFile+1))
	if err == nil && len(content) > maxImageFile {
		err = fmt.Errorf("it has more than %d MiB", maxImageFile>>20)
	}
	return content, err
}
