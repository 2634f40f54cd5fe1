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
)

// openTar reads the same layout out of a .tar or .tar.gz without unpacking it.
// All may lie in one top folder.
func openTar(ctx context.Context, name string, opts Options) (train, test *Dataset, err error) {
	archive, err := filepath.Abs(name)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %w", err)
	}
	switch info, err := os.Stat(archive); {
	case err != nil:
		return nil, nil, fmt.Errorf("data: no archive at %s: %w: check the path", archive, err)
	case info.IsDir():
		return nil, nil, fmt.Errorf("data: %s is a folder, not an archive: write folder:%s", archive, name)
	}
	key, err := fileKey(archive)
	if err != nil {
		return nil, nil, err
	}
	return cached(opts, archive, key, func() (train, test *Dataset, err error) {
		file, err := os.Open(archive)
		if err != nil {
			return nil, nil, fmt.Errorf("data: %w", err)
		}
		defer file.Close()
		bar := track(opts.Progress, "decode "+filepath.Base(archive), "bytes", fileSize(file))
		defer bar.finish()
		set := newImageSet(ctx)
		return set.finish(archive, set.addTar(bar.reader(file)))
	})
}

// addTar adds the images of an archive, compressed or not.
func (s *imageSet) addTar(r io.Reader) error {
	buffered := bufio.NewReaderSize(r, 1<<16)
	var plain io.Reader = buffered
	if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
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
		p, ok, err := parsePlace(header.Name)
		if err != nil {
			return err
		}
		if !ok || header.Typeflag != tar.TypeReg {
			continue
		}
		content, err := readImage(files)
		if err != nil {
			return fmt.Errorf("%v cannot be read: %w: the archive may be cut short", p, err)
		}
		if !s.add(p, func() ([]byte, error) { return content, nil }) {
			return nil
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
