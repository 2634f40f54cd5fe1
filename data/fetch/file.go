package fetch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ngebm/data/progress"
)

// File is one published file.
type File struct {
	Name string   // in the cache folder
	URLs []string // where to get it; asked in this order
	Size int64    // in bytes; 0 where it was not published
	// SHA256 is its checksum in hex. MD5 stands in for it, also in hex, only
	// where nothing better was published.
	SHA256, MD5 string
	Published   string // where the checksum was published
	// Compared says with which copy of the file this project compared the
	// checksum; it is empty where none was available.
	Compared string
}

// Options say where files go and how.
type Options struct {
	Folder   string            // the cache folder; made if need be
	Offline  bool              // forbids downloads
	Progress progress.Reporter // nil for silence
}

// Path is where the file is, or will be, in a cache folder.
func (f File) Path(folder string) string { return filepath.Join(folder, f.Name) }

// Checksum names the checksum: "SHA-256 c4a3…" or "MD5 a8b0…".
func (f File) Checksum() string {
	if f.SHA256 == "" {
		return "MD5 " + f.MD5
	}
	return "SHA-256 " + f.SHA256
}

// State is how much of a file is in a cache folder.
type State int

// The states of a file, as [File.State] finds them.
const (
	Absent    State = iota // nothing of it is there
	Partial                // an unfinished download exists, and will be resumed
	Unchecked              // a file of its name is there, put there by a person
	Present                // it is there, and its checksum was found right
)

func (s State) String() string {
	return [...]string{"no", "partly", "not yet checked", "yes"}[s]
}

// State says how much of the file is in a cache folder. It only looks: it
// neither computes a checksum nor changes anything.
func (f File) State(folder string) State {
	path := f.Path(folder)
	if info, err := os.Stat(path); err == nil {
		if f.remembered(path, info) {
			return Present
		}
		return Unchecked
	}
	if info, err := os.Stat(partOf(path)); err == nil && info.Size() > 0 {
		return Partial
	}
	return Absent
}

// validate catches a File that was filled in wrongly.
func (f File) validate() error {
	switch {
	case f.Name == "" || f.Name != filepath.Base(f.Name) || !filepath.IsLocal(f.Name):
		return fmt.Errorf("fetch: %q is no name for a file in a folder", f.Name)
	case f.SHA256 == "" && f.MD5 == "":
		return fmt.Errorf("fetch: %s has no checksum, without which nothing is downloaded", f.Name)
	case f.Size < 0:
		return fmt.Errorf("fetch: %s has a size of %d bytes", f.Name, f.Size)
	}
	return nil
}

// byHand says how a person can get the file.
func (f File) byHand(path string) string {
	from := "from its authors"
	if len(f.URLs) > 0 {
		from = "from " + f.URLs[0]
	}
	return fmt.Sprintf("get it %s (%s) and put it at %s", from, f.Checksum(), path)
}

// ErrOffline is in the error of [File.Get] for a file that is not there while
// downloads are forbidden.
var ErrOffline = errors.New("offline")
