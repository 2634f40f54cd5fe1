//go:build unix

package data

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// What is not a file is never opened: not as an archive, and not in a folder, where the
// name of an image makes it an error and another one is told.
func TestOnlyFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.tar")
	folder := writeFolder(t, petFiles(t))
	other := writeFolder(t, petFiles(t))
	for _, path := range []string{pipe, filepath.Join(folder, "train/cat/zz.png"), filepath.Join(other, "train/cat/notes")} {
		if err := syscall.Mkfifo(path, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"tar:" + pipe:          "pipe.tar is a named pipe, but archives must be files: copy it into one",
		"zip:" + pipe:          "is a named pipe, but archives must be files",
		"npz:" + pipe:          "is a named pipe, but archives must be files",
		"tar:/dev/zero":        "/dev/zero is a device, but archives must be files",
		"folder:/dev/zero":     "is a file, not a folder",
		"folder:" + pipe:       "is a file, not a folder",
		"folder:" + folder:     "1 other thing with the name of an image but no file: train/cat/zz.png is a named pipe: remove what is not a file",
		"celeba:" + pipe:       "named pipe",
		"celeba:/dev/zero":     "device",
		"folder:/dev/null@8x8": "is a file, not a folder",
	} {
		began := time.Now()
		_, _, err := Open(t.Context(), name, Options{Cache: t.TempDir()})
		says(t, err, want)
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
	told := &reports{}
	open(t, "folder:"+other, Options{Cache: t.TempDir(), Progress: told})
	if !told.said("pets: left out: 1 named pipe") {
		t.Errorf("it said %v", told.all)
	}
}

// A name on the disk that is not UTF-8 is an error that names it, never a class of another
// name.
func TestFolderNamesAreUTF8(t *testing.T) {
	root := writeFolder(t, petFiles(t))
	if err := os.Mkdir(filepath.Join(root, "train", "caf\xe9"), 0o755); err != nil {
		t.Skip("this disk takes no such names: ", err)
	}
	_, _, err := Open(t.Context(), "folder:"+root, Options{Cache: t.TempDir()})
	says(t, err, `the name "train/caf\xe9" is not UTF-8: rename it`)
}
