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

// Opened is a published file that is open for reading, from its beginning.
type Opened struct {
	*os.File
	verified fs.FileInfo // when its checksum was found right
}

// Unchanged returns an error if the file was written to or replaced since its checksum was found right,
// so that what was read of it may be something else.
func (o *Opened) Unchanged() error {
	info, err := o.Stat()
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	if files.Identity(info) != files.Identity(o.verified) {
		return fmt.Errorf("fetch: %s was changed while it was read: run again", o.Name())
	}
	return nil
}

// check opens the file at path, if it is the published one; it is nil if there is none. A file that is
// there and is another one is an error.
func (f File) check(ctx context.Context, path string, to progress.Reporter) (*Opened, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("fetch: %s is not a file: move it away and run again", path)
	}
	if f.Size > 0 && info.Size() != f.Size {
		return nil, fmt.Errorf("fetch: %s has %d bytes, but the published file has %d: remove it and run again, or %s", path, info.Size(), f.Size, f.byHand(path))
	}
	file, err := files.OpenLinked(path, math.MaxInt64)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	opened, err := f.verify(ctx, file, path, to)
	if err != nil {
		_ = file.Close() // nothing was written
	}
	return opened, err
}

// verify compares the checksum of a file, unless that is remembered.
func (f File) verify(ctx context.Context, file *os.File, path string, to progress.Reporter) (*Opened, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	opened := &Opened{file, info}
	if f.remembered(path, info) {
		return opened, nil
	}
	if err := f.compare(ctx, file, to); err != nil {
		var other *otherFileError
		if errors.As(err, &other) {
			return nil, fmt.Errorf("fetch: %s %w: remove it and run again, or %s", path, err, f.byHand(path))
		}
		return nil, fmt.Errorf("fetch: %s: %w", path, err)
	}
	if err := opened.Unchanged(); err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	f.remember(path, info)
	return opened, nil
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
