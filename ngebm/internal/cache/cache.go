// Package cache stores results of measurements as JSON files in a run's folder, so that
// nothing is measured twice.
package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"ngebm/data/files"
	"ngebm/data/plain"
)

// maxBytes bounds the size of a stored file.
const maxBytes = 64 << 20

// Key is the part of a file's name that identifies what was measured and how: the first
// 12 hex digits of a SHA-256 over the JSON of v.
func Key(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		b = fmt.Append(nil, v) // NaN or infinity, which the measurement refuses by name
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// Read returns what is stored under a name in the folder dir. The error wraps
// fs.ErrNotExist if there is nothing.
func Read[T any](dir, name string) (*T, error) {
	folder, err := files.OpenFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("the run's folder %w", err)
	}
	defer folder.Close()
	b, err := folder.ReadFile(name, maxBytes)
	if err != nil {
		return nil, fmt.Errorf("the stored result: %w", err)
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, fmt.Errorf("%q cannot be read: %w; delete it to measure again", filepath.Join(dir, name), err)
	}
	plain.Values(&v)
	return &v, nil
}

// ErrTooLarge is the error of what [Read] would refuse, which is not stored.
var ErrTooLarge = errors.New("it is larger than what is read again")

// Write stores v under a name in the folder dir.
func Write(dir, name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if len(b) >= maxBytes {
		b, err = json.Marshal(v)
	}
	if len(b) >= maxBytes {
		return ErrTooLarge
	}
	if err == nil {
		err = write(dir, name, append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("cannot store the result: %w; make room and the folder writable, then measure again; the run is unchanged", err)
	}
	return nil
}

func write(dir, name string, content []byte) error {
	folder, err := files.OpenFolder(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.WriteFile(name, content, 0o644)
}

// Remove removes what is stored under a name in the folder dir, if anything is.
func Remove(dir, name string) error {
	folder, err := files.OpenFolder(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := folder.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%q is no longer needed and cannot be removed: %w", filepath.Join(dir, name), err)
	}
	return nil
}

// WrongRun is the error of a stored file in dir that is of another run.
func WrongRun(dir, name, run string) error {
	return fmt.Errorf("%q in %q is of run %q; delete it to measure again", name, dir, run)
}
