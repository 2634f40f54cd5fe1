package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Linking is most of the time in which a cell is built. go leaves it out where the output is what it would
// write again, by an identifier in the file. So the programs of some cells are kept, and put
// in the output's place before a cell that ran before is built again.

// maxBuilt is how many programs are kept, of some 35 MB each: those built last.
const maxBuilt = 8

// builtProgram is where the program of the cell in the working folder is kept, for the arguments of go build.
func builtProgram(folder string, args []string) (string, error) {
	digest := sha256.New()
	fmt.Fprintf(digest, "%q\n", args)
	files, err := filepath.Glob("*.go")
	if err != nil {
		return "", err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(digest, "%q %q\n", file, text)
	}
	return filepath.Join(folder, fmt.Sprintf("%x", digest.Sum(nil)[:16])), nil
}

// restoreBuilt puts a program that is kept in the place of the output.
func restoreBuilt(kept, output string) error {
	if _, err := os.Stat(kept); err != nil {
		return err
	}
	return replace(output, kept)
}

// replace makes a name that of another file, too, whether there was a file of that name or not.
func replace(name, file string) error {
	if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.Link(file, name)
}

// keepBuilt keeps the output, and no more programs than maxBuilt.
func keepBuilt(output, kept string) error {
	folder := filepath.Dir(kept)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := replace(kept, output); err != nil {
		return err
	}
	now := time.Now()
	if err := os.Chtimes(kept, now, now); err != nil {
		return err
	}
	return removeOldest(folder, maxBuilt)
}

// removeOldest leaves the newest files of a folder.
func removeOldest(folder string, leave int) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	times := map[string]time.Time{}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return err
		}
		times[entry.Name()] = info.ModTime()
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return times[b.Name()].Compare(times[a.Name()]) })
	for _, old := range entries[min(leave, len(entries)):] {
		if err := os.Remove(filepath.Join(folder, old.Name())); err != nil {
			return err
		}
	}
	return nil
}
