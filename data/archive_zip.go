package data

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"

	"ngebm/data/files"
	"ngebm/data/format"
	"ngebm/data/progress"
)

// openZip reads the images in a .zip without unpacking it.
func openZip(ctx context.Context, name string, opts Options) (train, test *Dataset, err error) {
	archive, err := archivePath(name)
	if err != nil {
		return nil, nil, err
	}
	return openImages(ctx, archive, &zipArchive{path: archive}, userImages(), opts)
}

// zipArchive is a .zip of image files.
type zipArchive struct {
	path   string
	others map[string][]string // other names of its files, filled in by list
}

func (z *zipArchive) key(ctx context.Context) (string, error) {
	return fileKey(ctx, z.path, files.OpenLinked)
}

func (z *zipArchive) list(ctx context.Context, _ progress.Reporter) (members []member, note string, err error) {
	err = z.open(ctx, func(files *format.Zip, _ int64) error {
		members, z.others, err = zipMembers(ctx, files)
		note = zipNote(files)
		return err
	})
	return members, note, err
}

func (z *zipArchive) each(ctx context.Context, want map[string]imageEntry, add func(p imageEntry, content func() ([]byte, error)) bool, to progress.Reporter) error {
	bar := track(to, "decode "+filepath.Base(z.path), "images", int64(len(want)))
	defer bar.finish()
	return z.open(ctx, func(files *format.Zip, size int64) error {
		return eachInZip(ctx, files, size, z.others, want, func(p imageEntry, content func() ([]byte, error)) bool {
			bar.add(1)
			return add(p, content)
		})
	})
}

func (z *zipArchive) open(ctx context.Context, do func(files *format.Zip, size int64) error) error {
	file, err := files.OpenLinked(z.path, maxFileSize)
	if err != nil {
		return err
	}
	defer file.Close()
	files, err := format.OpenZip(&ctxReaderAt{file, ctx}, fileSize(file))
	if err != nil {
		magic := make([]byte, 6)
		n, _ := file.ReadAt(magic, 0) // a short file gives a short magic
		return orDone(ctx, notZip(magic[:n], err))
	}
	return orDone(ctx, do(files, fileSize(file)))
}

// notZip returns an error that names the format of a file that is no zip file, if it is known.
func notZip(magic []byte, err error) error {
	switch remedy := otherArchive(magic); {
	case begins(magic, "PK"):
		return err
	case begins(magic, "\x1f\x8b"), begins(magic, "BZh"):
		return fmt.Errorf("not a zip file but a compressed one: if it is a .tar.gz or .tar.bz2 write tar:PATH")
	case remedy != "":
		return fmt.Errorf("not a zip file but %s", remedy)
	}
	return err
}

// zipNote reports the encoding that was assumed for names.
func zipNote(files *format.Zip) string {
	if files.Encoding == "" {
		return ""
	}
	return "names that are not UTF-8 are read as " + files.Encoding
}

// ctxReaderAt is an io.ReaderAt that fails once its context is done.
type ctxReaderAt struct {
	io.ReaderAt
	ctx context.Context
}

func (c *ctxReaderAt) ReadAt(p []byte, at int64) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.ReaderAt.ReadAt(p, at)
}

// zipMembers returns the members of an archive, and the other names that links give to files.
func zipMembers(ctx context.Context, files *format.Zip) (members []member, others map[string][]string, err error) {
	tree := newArchiveTree()
	for _, f := range files.File {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		name, err := cleanName(f.Name)
		if err != nil {
			return nil, nil, err
		}
		if f.Mode()&fs.ModeSymlink != 0 {
			target, err := readZipped(f)
			if err != nil {
				return nil, nil, fmt.Errorf("the link %s cannot be read: %w", shown(name), err)
			}
			if err := tree.addLink(name, string(target)); err != nil {
				return nil, nil, err
			}
			continue
		}
		kind := kindOfMode(f.Mode())
		if kind == "" {
			kind, err = kindOf(name, func() ([]byte, error) { return zippedHead(f) })
		}
		if err != nil {
			kind = "damaged file"
		}
		if err := tree.add(name, kind); err != nil {
			return nil, nil, err
		}
	}
	return tree.visible()
}

// zippedHead reads the beginning of a file.
func zippedHead(f *zip.File) ([]byte, error) {
	if f.UncompressedSize64 == 0 {
		return nil, nil
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, sniffed))
}

// eachInZip adds the wanted files of an archive of that size, also by other names.
func eachInZip(ctx context.Context, files *format.Zip, size int64, others map[string][]string, want map[string]imageEntry, add func(p imageEntry, content func() ([]byte, error)) bool) error {
	var unpacked int64
	for _, f := range files.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !f.Mode().IsRegular() {
			continue
		}
		name := path.Clean(f.Name)
		var content []byte
		var readErr error
		for _, as := range append([]string{name}, others[name]...) {
			p, ok := want[as]
			if !ok {
				continue
			}
			if content == nil && readErr == nil {
				content, readErr = readZipped(f)
				if unpacked += int64(len(content)); unpacked > maxUnpackedFree && unpacked/maxUnpackedRatio > size {
					return errBomb // names may share what is packed
				}
			}
			if !add(p, func() ([]byte, error) { return content, readErr }) {
				return nil
			}
		}
	}
	return nil
}

// readZipped reads a whole file, within bounds, whatever length it claims; the library checks its
// length and checksum.
func readZipped(f *zip.File) ([]byte, error) {
	switch size := f.UncompressedSize64; {
	case size > maxImageFile:
		return nil, errLargeFile
	case size > maxZippedFree && size/maxUnpackedRatio > f.CompressedSize64:
		return nil, fmt.Errorf("it unpacks to more than %d MiB and %d times its size", maxZippedFree>>20, maxUnpackedRatio)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content, err := readImage(r)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: the archive is truncated or damaged", err)
	}
	return content, err
}

// maxZippedFree bounds a file that unpacks to more than [maxUnpackedRatio] times its size.
const maxZippedFree = 16 << 20
