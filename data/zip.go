package data

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"ngebm/data/format"
	"ngebm/ngebm/progress"
)

// openZip reads the images in a .zip without unpacking it.
func openZip(ctx context.Context, name string, opts Options) (train, test *Dataset, err error) {
	archive, err := archivePath(name)
	if err != nil {
		return nil, nil, err
	}
	return openImages(ctx, archive, &zipArchive{archive}, userImages(), opts)
}

// zipArchive is a .zip of image files.
type zipArchive struct{ path string }

func (z *zipArchive) key() (string, error) { return fileKey(z.path) }

func (z *zipArchive) list(context.Context, progress.Reporter) (names []string, err error) {
	err = z.open(func(files *zip.Reader) error {
		names, err = zipNames(files)
		return err
	})
	return names, err
}

func (z *zipArchive) each(want map[string]place, add func(p place, content func() ([]byte, error)) bool, to progress.Reporter) error {
	bar := track(to, "decode "+filepath.Base(z.path), "images", int64(len(want)))
	defer bar.finish()
	return z.open(func(files *zip.Reader) error {
		return eachInZip(files, want, func(p place, content func() ([]byte, error)) bool {
			bar.add(1)
			return add(p, content)
		})
	})
}

func (z *zipArchive) open(do func(files *zip.Reader) error) error {
	file, err := os.Open(z.path)
	if err != nil {
		return err
	}
	defer file.Close()
	files, err := format.OpenZip(file, fileSize(file))
	if err != nil {
		return err
	}
	return do(files)
}

// zipNames returns the names of the files, hidden ones excepted.
func zipNames(files *zip.Reader) (names []string, err error) {
	for _, f := range files.File {
		name, ok, err := cleanName(f.Name)
		if err != nil {
			return nil, err
		}
		if ok && f.Mode().IsRegular() {
			names = append(names, name)
		}
	}
	return names, nil
}

// eachInZip adds the files that are wanted.
func eachInZip(files *zip.Reader, want map[string]place, add func(p place, content func() ([]byte, error)) bool) error {
	for _, f := range files.File {
		p, ok := want[path.Clean(f.Name)]
		if !ok {
			continue
		}
		content, err := readZipped(f)
		if err != nil {
			return err
		}
		if !add(p, func() ([]byte, error) { return content, nil }) {
			return nil
		}
	}
	return nil
}

// readZipped reads a file whole, within bounds, whatever length it claims; the
// library compares its checksum and that length.
func readZipped(f *zip.File) ([]byte, error) {
	if f.UncompressedSize64 > maxImageFile {
		return nil, fmt.Errorf("%s cannot be read: it has more than %d MiB", f.Name, maxImageFile>>20)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", f.Name, err)
	}
	defer r.Close()
	content, err := readImage(r)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: the archive is cut short or damaged", err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", f.Name, err)
	}
	return content, nil
}
