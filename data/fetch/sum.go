package fetch

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"

	"ngebm/data/files"
	"ngebm/ngebm/progress"
)

// check tells whether the file is at path, as published. A file that is there
// and is another one is an error.
func (f File) check(ctx context.Context, path string, to progress.Reporter) (here bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("fetch: %w", err)
	}
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("fetch: %s is not a file: move it away and run again", path)
	}
	if f.Size > 0 && info.Size() != f.Size {
		return false, fmt.Errorf("fetch: %s has %d bytes, but the published file has %d: remove it and run again, or %s", path, info.Size(), f.Size, f.byHand(path))
	}
	if f.remembered(path, info) {
		return true, nil
	}
	if err := f.compare(ctx, path, to); err != nil {
		var other *otherFileError
		if errors.As(err, &other) {
			return false, fmt.Errorf("fetch: %s %w: remove it and run again, or %s", path, err, f.byHand(path))
		}
		return false, fmt.Errorf("fetch: %s: %w", path, err)
	}
	f.remember(path, info)
	return true, nil
}

// otherFileError says that a file is not the published one.
type otherFileError struct{ kind, got, want string }

func (e *otherFileError) Error() string {
	return fmt.Sprintf("has %s %s, but the published file has %s", e.kind, e.got, e.want)
}

// compare computes the checksum of the file at path; it is an otherFileError if
// that is not the published one.
func (f File) compare(ctx context.Context, path string, to progress.Reporter) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	var sum hash.Hash
	kind, want := "SHA-256", f.SHA256
	if want != "" {
		sum = sha256.New()
	} else {
		kind, want, sum = "MD5", f.MD5, md5.New()
	}
	bar := newMeter(to, "check "+f.Name, 0, info.Size())
	defer bar.finish()
	if _, err := io.CopyBuffer(sum, &watched{file, ctx, bar}, make([]byte, 1<<18)); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return &otherFileError{kind, got, want}
	}
	return nil
}

// watched is a reader that reports what is read, and stops with its context.
type watched struct {
	io.Reader
	ctx context.Context
	bar *meter
}

func (w *watched) Read(p []byte) (int, error) {
	if w.ctx.Err() != nil {
		return 0, context.Cause(w.ctx)
	}
	n, err := w.Reader.Read(p)
	w.bar.add(int64(n))
	return n, err
}

const checkedSuffix = ".checked"

// mark is what the file of a checked file says: it differs once that changes.
func (f File) mark(info fs.FileInfo) string {
	return fmt.Sprintf("%s, %d bytes, of %d ns\n", f.Checksum(), info.Size(), info.ModTime().UnixNano())
}

func (f File) remembered(path string, info fs.FileInfo) bool {
	mark, err := os.ReadFile(path + checkedSuffix)
	return err == nil && string(mark) == f.mark(info)
}

// remember notes that the file is right. In a folder that may not be written to
// it does nothing: the file is checked again the next time.
func (f File) remember(path string, info fs.FileInfo) {
	_ = files.WriteFile(path+checkedSuffix, []byte(f.mark(info)), 0o644)
}
