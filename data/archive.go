package data

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"ngebm/ngebm/progress"
)

// openTar reads the images in a .tar or .tar.gz without unpacking it.
func openTar(ctx context.Context, name string, opts Options) (train, test *Dataset, err error) {
	archive, err := archivePath(name)
	if err != nil {
		return nil, nil, err
	}
	return openImages(ctx, archive, &tarArchive{archive}, userImages(), opts)
}

// archivePath checks that name is a file and returns its absolute path.
func archivePath(name string) (string, error) {
	archive, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("data: %w", err)
	}
	switch info, err := os.Stat(archive); {
	case err != nil:
		return "", fmt.Errorf("data: no archive at %s: %w: check the path", archive, err)
	case info.IsDir():
		return "", fmt.Errorf("data: %s is a folder, not an archive: write folder:%s", archive, name)
	}
	return archive, nil
}

// tarArchive is a .tar or .tar.gz of image files. It is read twice, as only all
// names together tell which files make the set.
type tarArchive struct{ path string }

func (t *tarArchive) key() (string, error) { return fileKey(t.path) }

func (t *tarArchive) list(ctx context.Context, to progress.Reporter) (names []string, err error) {
	err = t.open("list", to, func(r io.Reader) error {
		names, err = tarNames(ctx, r)
		return err
	})
	return names, err
}

func (t *tarArchive) each(want map[string]place, add func(p place, content func() ([]byte, error)) bool, to progress.Reporter) error {
	return t.open("decode", to, func(r io.Reader) error { return eachInTar(r, want, add) })
}

func (t *tarArchive) open(task string, to progress.Reporter, do func(r io.Reader) error) error {
	file, err := os.Open(t.path)
	if err != nil {
		return err
	}
	defer file.Close()
	bar := track(to, task+" "+filepath.Base(t.path), "bytes", fileSize(file))
	defer bar.finish()
	return do(bar.reader(file))
}

// tarNames returns the names of the files in an archive.
func tarNames(ctx context.Context, r io.Reader) (names []string, err error) {
	err = readTar(r, func(name string, _ io.Reader) error {
		names = append(names, name)
		return ctx.Err()
	})
	return names, err
}

// eachInTar adds the files in an archive that are wanted.
func eachInTar(r io.Reader, want map[string]place, add func(p place, content func() ([]byte, error)) bool) error {
	enough := errors.New("enough")
	err := readTar(r, func(name string, r io.Reader) error {
		p, ok := want[name]
		if !ok {
			return nil
		}
		content, err := readImage(r)
		if err != nil {
			return fmt.Errorf("%s cannot be read: %w: the archive may be cut short", name, err)
		}
		if !add(p, func() ([]byte, error) { return content, nil }) {
			return enough
		}
		return nil
	})
	if err == enough {
		return nil
	}
	return err
}

// readTar visits the files of an archive, compressed or not, hidden ones
// excepted.
func readTar(r io.Reader, visit func(name string, content io.Reader) error) error {
	buffered := bufio.NewReaderSize(r, 1<<16)
	var plain io.Reader = buffered
	switch magic, _ := buffered.Peek(2); string(magic) {
	case "PK":
		return errors.New("not a whole .tar or .tar.gz but a zip file: write zip:PATH")
	case "\x1f\x8b":
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return fmt.Errorf("not a whole .tar.gz: %w", err)
		}
		plain = unzipped
	}
	files := newTarReader(plain)
	for {
		header, err := files.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("not a whole .tar or .tar.gz: %w", err)
		}
		name, ok, err := cleanName(header.Name)
		if err != nil {
			return err
		}
		if !ok || header.Typeflag != tar.TypeReg {
			continue
		}
		if err := visit(name, files); err != nil {
			return err
		}
	}
}

// tarReader is a tar.Reader that also notices when the archive ends too early:
// without its end mark, or, compressed, without what comes after that.
type tarReader struct {
	*tar.Reader
	source *endNoter
}

func newTarReader(r io.Reader) tarReader {
	source := &endNoter{Reader: r}
	return tarReader{tar.NewReader(source), source}
}

func (t tarReader) Next() (*tar.Header, error) {
	header, err := t.Reader.Next()
	if err != io.EOF {
		return header, err
	}
	if t.source.ended {
		return nil, errors.New("the archive is cut short: its end mark is missing")
	}
	// What is left is padding, at whose end gzip compares its checksum.
	if _, err := io.Copy(io.Discard, t.source); err != nil {
		return nil, err
	}
	return nil, io.EOF
}

// endNoter remembers that r's end was read.
type endNoter struct {
	io.Reader
	ended bool
}

func (e *endNoter) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	e.ended = e.ended || n == 0 && err == io.EOF
	return n, err
}

// fileKey changes when the file does.
func fileKey(name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", fmt.Errorf("data: %w", err)
	}
	return fmt.Sprintf("file %d %d ", info.Size(), info.ModTime().UnixNano()), nil
}

// fileSize is for progress only, where 0 stands for unknown.
func fileSize(file *os.File) int64 {
	info, err := file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}
