package device

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ngebm/data/files"
)

// maxLinks is how many links a path may lead through.
const maxLinks = 40

// checkOwners returns an error if another user than root could exchange a file that this
// process is going to run: through the file, its folder, or one above it or above a link
// on the way.
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
			return foreign(next, info)
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

// elements splits a path at its separators; a ".." stays, and leads up from where it is met.
func elements(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == filepath.Separator })
}

// othersMayWrite returns an error if others may write to what is at path. In a folder that
// only leads to the file (not strict) they may make files, but not exchange ours: a group
// may write there, and all may where a file is its owner's alone, as in /tmp.
func othersMayWrite(path string, strict bool) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	mode := info.Mode()
	switch {
	case !files.Mine(info):
		return foreign(path, info)
	case strict && mode.Perm()&0o022 != 0:
		return fmt.Errorf("%q may be changed by others (mode %#o); what lies there is run only if they cannot: chmod go-w %q", path, mode.Perm(), path)
	case mode.Perm()&0o002 != 0 && mode&fs.ModeSticky == 0:
		return fmt.Errorf("%q may be changed by everyone (mode %#o), so what lies in it is not run: chmod o-w %q, or use another folder", path, mode.Perm(), path)
	}
	return nil
}

func foreign(path string, info fs.FileInfo) error {
	uid, _ := files.Owner(info)
	return fmt.Errorf("%q belongs to user %d, neither to you (%d) nor to root, and so is not run: remove it, or copy what you trust to a folder of yours", path, uid, os.Geteuid())
}
