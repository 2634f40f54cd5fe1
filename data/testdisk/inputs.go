package testdisk

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// Inputs makes go test run a test again once a file below the folders has changed. Its cache
// of results does not see by itself what a test opens through an [os.Root], as package files
// does, or what a go command reads that the test starts. It does see which folders a test
// lists, with the sizes and times of the files in them. It sees nothing of what TestMain does
// before it runs the tests, so call Inputs in a test.
func Inputs(t testing.TB, folders ...string) {
	t.Helper()
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() && path != folder && isOutput(path) {
				return filepath.SkipDir
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// isOutput reports whether a folder is one that git or a program of this module writes.
func isOutput(folder string) bool {
	parent, name := filepath.Split(folder)
	switch name {
	case ".github":
		return false
	case "runs", "site":
		return filepath.Base(parent) != "testdata"
	}
	return strings.HasPrefix(name, ".")
}
