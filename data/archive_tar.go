package data

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"ngebm/data/files"
	"ngebm/data/progress"
)

// openTar reads the images in a .tar, .tar.gz or .tar.bz2 without unpacking it.
func openTar(ctx context.Context, name string, opts Options) (train, test *Dataset, err error) {
	archive, err := archivePath(name)
	if err != nil {
		return nil, nil, err
	}
	return openImages(ctx, archive, &tarArchive{path: archive}, userImages(), opts)
}

// archivePath checks that name is a file and returns its absolute path.
func archivePath(name string) (string, error) {
	archive, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("data: %w", err)
	}
	switch info, err := os.Stat(archive); {
	case err != nil:
		return "", fmt.Errorf("data: no archive at %s: %w: check the path", shown(archive), shownError(err))
	case info.IsDir():
		return "", fmt.Errorf("data: %s is a folder, not an archive: write folder:%s", shown(archive), shown(name))
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("data: %s is a %s, but archives must be files: copy it into one", shown(archive), kindOfMode(info.Mode()))
	}
	return archive, nil
}

// tarArchive is a .tar of image files, compressed or not. It is read twice, because the names of all
// files decide which ones form the dataset.
type tarArchive struct {
	path   string
	others map[string][]string // other names of its files, filled in by list
}

func (t *tarArchive) key(ctx context.Context) (string, error) {
	return fileKey(ctx, t.path, files.OpenLinked)
}

func (t *tarArchive) list(ctx context.Context, to progress.Reporter) (members []member, note string, err error) {
	err = t.open("list", to, func(r io.Reader) error {
		members, t.others, err = tarMembers(ctx, r)
		return err
	})
	return members, "", err
}

func (t *tarArchive) each(ctx context.Context, want map[string]imageEntry, add func(p imageEntry, content func() ([]byte, error)) bool, to progress.Reporter) error {
	return t.open("decode", to, func(r io.Reader) error { return eachInTar(ctx, r, t.others, want, add) })
}

func (t *tarArchive) open(task string, to progress.Reporter, do func(r io.Reader) error) error {
	file, err := files.OpenLinked(t.path, maxFileSize)
	if err != nil {
		return err
	}
	defer file.Close()
	bar := track(to, task+" "+filepath.Base(t.path), "bytes", fileSize(file))
	defer bar.finish()
	return do(bar.reader(file))
}

// tarMembers returns the members of an archive, and the other names that links give to files.
func tarMembers(ctx context.Context, r io.Reader) (members []member, others map[string][]string, err error) {
	tree := newArchiveTree()
	err = readTar(ctx, r, func(header *tar.Header, name string, content io.Reader) error {
		switch header.Typeflag {
		case tar.TypeSymlink:
			return tree.addLink(name, header.Linkname)
		case tar.TypeLink:
			return tree.addHardLink(name, header.Linkname)
		}
		kind := tarKind(header.Typeflag)
		if kind == "" {
			if kind, err = kindOf(name, func() ([]byte, error) { return io.ReadAll(io.LimitReader(content, sniffed)) }); err != nil {
				return err
			}
		}
		return tree.add(name, kind)
	})
	if err != nil {
		return nil, nil, err
	}
	return tree.visible()
}

// tarKind returns the kind of an entry, "" for a file; see [member].
func tarKind(flag byte) string {
	switch flag {
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		return ""
	case tar.TypeDir, 'D': // also of an incremental archive
		return kindFolder
	case tar.TypeFifo:
		return kindPipe
	case tar.TypeChar, tar.TypeBlock:
		return kindDevice
	}
	return kindOther
}

var errEnough = errors.New("enough")

// eachInTar adds the wanted files of an archive, also by other names.
func eachInTar(ctx context.Context, r io.Reader, others map[string][]string, want map[string]imageEntry, add func(p imageEntry, content func() ([]byte, error)) bool) error {
	err := readTar(ctx, r, func(header *tar.Header, name string, r io.Reader) error {
		if tarKind(header.Typeflag) != "" {
			return nil
		}
		var content []byte
		var readErr error
		for _, as := range append([]string{name}, others[name]...) {
			p, ok := want[as]
			if !ok {
				continue
			}
			if content == nil && readErr == nil {
				var err error
				switch content, err = readImage(r); {
				case err == errLargeFile || err == errSparse:
					readErr = err
				case err == errBomb:
					return err
				case err != nil:
					return fmt.Errorf("%s cannot be read: %w: the archive may be truncated", shown(name), err)
				}
			}
			if !add(p, func() ([]byte, error) { return content, readErr }) {
				return errEnough
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// readTar visits the entries of an archive, compressed or not.
func readTar(ctx context.Context, r io.Reader, visit func(header *tar.Header, name string, content io.Reader) error) error {
	plain, err := unpacked(ctx, r)
	if err != nil {
		return orDone(ctx, err)
	}
	for files := newTarReader(ctx, plain); ; {
		header, err := files.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return orDone(ctx, fmt.Errorf("not a whole .tar or .tar.gz: %w", err))
		}
		switch header.Typeflag {
		case tar.TypeXGlobalHeader, 'V': // metadata of the archive
			continue
		case 'M':
			return errors.New("it is a later volume of a multi-volume archive: join the volumes first")
		}
		name, err := cleanName(header.Name)
		if err != nil {
			return err
		}
		if err := visit(header, name, files); err != nil {
			return orDone(ctx, err)
		}
	}
}

// orDone returns the cause if ctx is done, else err.
func orDone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// tarReader is a tar.Reader that detects truncation: a missing end mark, or, of a compressed archive, an
// incomplete stream after it. Concatenated archives are read as one. It refuses archives, such as
// those of sparse files, that expand too much.
type tarReader struct {
	*tar.Reader
	all    *bufio.Reader
	source *endNoter
	later  bool // not the first archive

	packed, unpacked           int64 // bytes read of previous archives, and of all files
	memberFrom, memberUnpacked int64 // position of the file in the source, and bytes read of it
}

func newTarReader(ctx context.Context, r io.Reader) *tarReader {
	t := &tarReader{all: bufio.NewReader(&ctxReader{r, ctx})}
	t.begin()
	return t
}

func (t *tarReader) begin() {
	if t.source != nil {
		t.packed += t.source.n
	}
	t.source = &endNoter{Reader: t.all}
	t.Reader = tar.NewReader(t.source)
}

func (t *tarReader) Next() (*tar.Header, error) {
	for {
		header, err := t.Reader.Next()
		switch {
		case err != io.EOF && t.later && err != nil:
			return nil, fmt.Errorf("what follows its end mark: %w", err)
		case err != io.EOF:
			t.memberFrom, t.memberUnpacked = t.source.n, 0
			return header, err
		case t.source.ended:
			return nil, errNoEndMark
		}
		more, err := skipToTar(t.all)
		if err != nil {
			return nil, err
		}
		if !more {
			return nil, io.EOF
		}
		t.later = true
		t.begin()
	}
}

var errSparse = fmt.Errorf("it is a sparse file that unpacks to more than %d MiB and %d times its size", maxZippedFree>>20, maxUnpackedRatio)

func (t *tarReader) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	t.unpacked, t.memberUnpacked = t.unpacked+int64(n), t.memberUnpacked+int64(n)
	switch {
	case t.memberUnpacked > maxZippedFree && t.memberUnpacked/maxUnpackedRatio > t.source.n-t.memberFrom:
		return 0, errSparse
	case t.unpacked > maxUnpackedFree && t.unpacked/maxUnpackedRatio > t.packed+t.source.n:
		return 0, errBomb
	}
	return n, err
}

// skipToTar skips the zeros after an end mark and reports whether something follows. It reads a
// compressed file to its end, where the checksum is.
func skipToTar(r *bufio.Reader) (more bool, err error) {
	for skipped := 0; skipped <= maxAfterEnd; {
		block, err := r.Peek(512)
		if err != nil && err != io.EOF {
			return false, err
		}
		if len(bytes.Trim(block, "\x00")) > 0 {
			return true, nil
		}
		if err == io.EOF {
			return false, nil
		}
		n, _ := r.Discard(len(block)) // cannot fail: they are in the buffer
		skipped += n
	}
	return false, errAfterEnd
}

// endNoter records how much was read and whether the end was reached.
type endNoter struct {
	io.Reader
	n     int64
	ended bool
}

func (e *endNoter) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	e.n += int64(n)
	e.ended = e.ended || n == 0 && err == io.EOF
	return n, err
}

// fileSize is for progress and bounds; 0 means unknown.
func fileSize(file *os.File) int64 {
	info, err := file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}
