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
	"math"
	"os"

	"ngebm/data/files"
	"ngebm/data/progress"
)

// check reports whether the file is at path, as published. A file that is there
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
	file, err := files.OpenLinked(path, math.MaxInt64)
	if err != nil {
		return false, fmt.Errorf("fetch: %w", err)
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return false, fmt.Errorf("fetch: %w", err)
	}
	if f.remembered(path, info) {
		return true, nil
	}
	if err := f.compare(ctx, file, to); err != nil {
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

// compare computes the checksum of a file; it is an otherFileError if that is not the
// published one.
func (f File) compare(ctx context.Context, file *os.File, to progress.Reporter) error {
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

// mark is what the file of a checked file says: it differs once that is changed,
// exchanged or copied.
func (f File) mark(info fs.FileInfo) string {
	return fmt.Sprintf("%s, %s\n", f.Checksum(), files.Identity(info))
}

// remembered believes marks that this user or root made, and nobody else could change.
func (f File) remembered(path string, info fs.FileInfo) bool {
	for _, name := range markNames(path) {
		if text, ok := readMark(name); ok && text == f.mark(info) {
			return true
		}
	}
	return false
}

func readMark(name string) (text string, ok bool) {
	file, err := files.Open(name, maxNote)
	if err != nil {
		return "", false
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !files.Mine(info) || info.Mode().Perm()&0o022 != 0 {
		return "", false
	}
	content, err := io.ReadAll(io.LimitReader(file, maxNote))
	return string(content), err == nil
}

// markNames are where a mark may be: the second is for a user who shares the folder with
// the one that has the first.
func markNames(path string) []string {
	return []string{path + checkedSuffix, fmt.Sprintf("%s%s-%d", path, checkedSuffix, os.Geteuid())}
}

// remember notes that the file is right. In a folder that may not be written to
// it does nothing: the file is checked again the next time.
func (f File) remember(path string, info fs.FileInfo) {
	names := markNames(path)
	name := names[0]
	if other, err := os.Lstat(name); err == nil && !files.Mine(other) {
		name = names[1]
	}
	_ = files.WriteFile(name, []byte(f.mark(info)), 0o600)
}
