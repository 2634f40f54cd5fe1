package device

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ngebm/data/files"
)

// maxLinks is the maximum number of symbolic links in a path.
const maxLinks = 40

// checkOwners returns an error if a user other than this one and root could replace a file
// that this process is going to run: the file itself, its folder, a folder above it, or one
// above a symbolic link in its path.
func checkOwners(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	at, rest, links := "/", elements(path), 0
	if err := othersMayWrite(at, false); err != nil {
		return err
	}
	for len(rest) > 0 {
		next := filepath.Join(at, rest[0])
		rest = rest[1:]
		info, err := os.Lstat(next)
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			if !info.IsDir() {
				if err := othersMayWrite(at, true); err != nil {
					return err
				}
			}
			if err := othersMayWrite(next, !info.IsDir()); err != nil {
				return err
			}
			at = next
			continue
		}
		if !files.Mine(info) {
			return otherOwner(next, info)
		}
		if links++; links > maxLinks {
			return fmt.Errorf("%q leads through more than %d links", path, maxLinks)
		}
		target, err := os.Readlink(next)
		if err != nil {
			return err
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(elements(target), rest...)
	}
	return nil
}

// elements splits a path at its separators; a ".." stays, and is resolved where it is met.
func elements(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == filepath.Separator })
}

// othersMayWrite returns an error if other users may write to the file or folder at path. In
// a folder above the file's own (not strict) they may create files but not replace ours: a
// group may write there, and everyone may where the sticky bit is set, as in /tmp.
func othersMayWrite(path string, strict bool) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	mode := info.Mode()
	switch {
	case !files.Mine(info):
		return otherOwner(path, info)
	case strict && mode.Perm()&0o022 != 0:
		return fmt.Errorf("%q may be changed by others (mode %#o), so it is not run: chmod go-w %q", path, mode.Perm(), path)
	case mode.Perm()&0o002 != 0 && mode&fs.ModeSticky == 0:
		return fmt.Errorf("%q may be changed by everyone (mode %#o), so nothing in it is run: chmod o-w %q, or use another folder", path, mode.Perm(), path)
	}
	return nil
}

// otherOwner is the error for a file of another user.
func otherOwner(path string, info fs.FileInfo) error {
	uid, _ := files.Owner(info)
	return fmt.Errorf("%q belongs to user %d, neither to you (%d) nor to root, so it is not run: remove it, or copy it to a folder of yours if you trust it", path, uid, os.Geteuid())
}
