package data

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// openFolder reads train/<class>/* and test/<class>/* below a folder.
func openFolder(ctx context.Context, name string, opts Options) (train, test *Dataset, err error) {
	root, err := filepath.Abs(name)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %w", err)
	}
	switch info, err := os.Stat(root); {
	case err != nil:
		return nil, nil, fmt.Errorf("data: no image folder at %s: %w: check the path", root, err)
	case !info.IsDir():
		return nil, nil, fmt.Errorf("data: %s is a file, not a folder: for an archive write tar:%s", root, name)
	}
	files, key, err := listFolder(root)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", root, err)
	}
	return cached(opts, root, key, func() (train, test *Dataset, err error) {
		set := newImageSet(ctx)
		bar := track(opts.Progress, "decode "+filepath.Base(root), "images", int64(len(files)))
		defer bar.finish()
		for _, p := range files {
			if !set.add(p, func() ([]byte, error) { return readImageFile(filepath.Join(root, filepath.FromSlash(p.String()))) }) {
				break
			}
			bar.add(1)
		}
		return set.finish(root, nil)
	})
}

// listFolder finds the images and a key that changes when one of them does.
func listFolder(root string) (files []place, key string, err error) {
	hash := sha256.New()
	var list func(folder string, depth int) error
	list = func(folder string, depth int) error {
		entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(folder)))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if hidden(e.Name()) {
				continue
			}
			name := folder + "/" + e.Name()
			info, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))) // follows links, as data folders often have
			if err != nil {
				return err
			}
			if info.IsDir() {
				if depth == 1 {
					return fmt.Errorf("%s is a folder in a class folder: images lie at %s", name, layout)
				}
				if err := list(name, depth+1); err != nil {
					return err
				}
				continue
			}
			p, ok, err := parsePlace(name)
			if err != nil {
				return err
			}
			if ok {
				files = append(files, p)
				fmt.Fprintf(hash, "%q %d %d\n", name, info.Size(), info.ModTime().UnixNano())
			}
		}
		return nil
	}
	for _, split := range []string{"train", "test"} {
		if info, err := os.Stat(filepath.Join(root, split)); err != nil || !info.IsDir() {
			return nil, "", fmt.Errorf("it has no %s folder: images lie at %s", split, layout)
		}
		if err := list(split, 0); err != nil {
			return nil, "", err
		}
	}
	return files, fmt.Sprintf("folder %x", hash.Sum(nil)), nil
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
