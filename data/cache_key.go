package data

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"time"

	"ngebm/data/files"
)

// keyer computes a key of files that changes when one of them does. Where the system does not record
// every change, it hashes their content: a file that replaces another may have the same size and
// time.
type keyer struct {
	hash    hash.Hash
	changed func(info fs.FileInfo) (at time.Time, ok bool) // [files.Changed]
	latest  time.Time
}

// add adds a file or another member.
func (k *keyer) add(ctx context.Context, name string, info fs.FileInfo, open func() (*os.File, error)) error {
	fmt.Fprintf(k.hash, "%q %s\n", name, files.Identity(info))
	changed, ok := k.changed(info)
	if changed.After(k.latest) {
		k.latest = changed
	}
	// A time of whole seconds is that of a disk that records no fractions: it may stay the same.
	if ok && changed.Nanosecond() != 0 || !info.Mode().IsRegular() {
		return nil
	}
	file, err := open()
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(k.hash, &ctxReader{file, ctx}); err != nil {
		return fmt.Errorf("%s: %w", shown(file.Name()), shownError(err))
	}
	return nil
}

// settle waits until the file system's clock has advanced since the last change, so that a later
// change cannot have the same time.
func (k *keyer) settle(ctx context.Context) error {
	const tick = 20 * time.Millisecond // of the coarsest kernel clock, 100 Hz, doubled
	wait := tick - time.Since(k.latest)
	if k.latest.IsZero() || wait <= 0 || wait > tick {
		return ctx.Err()
	}
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fileKey returns the key of one file.
func fileKey(ctx context.Context, path string, open openFile) (string, error) {
	file, err := open(path, maxFileSize)
	if err != nil {
		return "", fmt.Errorf("data: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("data: %s: %w", shown(path), shownError(err))
	}
	keys := keyer{hash: sha256.New(), changed: files.Changed}
	if err := cmp.Or(keys.add(ctx, "", info, func() (*os.File, error) { return open(path, maxFileSize) }), keys.settle(ctx)); err != nil {
		return "", fmt.Errorf("data: %w", err)
	}
	return fmt.Sprintf("file %x ", keys.hash.Sum(nil)), nil
}
