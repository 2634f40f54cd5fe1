package compilecache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// ours matches the names of this package's files: complete ones, and those that were being
// written when their process was killed.
var ours = regexp.MustCompile(`^([0-9a-f]{64}|\.[0-9a-f]{64}[0-9]+)$`)

// prune removes those of this package's files that were used least recently, until a folder
// that holds more than that many bytes is three quarters full. Other files stay.
func prune(dir string, maxBytes int64) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var total int64
	var found []fs.FileInfo
	for _, entry := range entries {
		if !ours.MatchString(entry.Name()) {
			continue
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			total += info.Size()
			found = append(found, info)
		}
	}
	if total <= maxBytes {
		return nil
	}
	slices.SortFunc(found, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, info := range found {
		if total <= maxBytes/4*3 {
			break
		}
		if err := os.Remove(filepath.Join(dir, info.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= info.Size()
	}
	return nil
}
