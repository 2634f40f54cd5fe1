package format

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// OpenZip reads the directory of a zip file of the given size, and refuses what
// no honest one has: names that lead out of it or come twice, encryption, and
// bytes after its end. Reading a file of it checks its length and checksum; the
// caller bounds what a file may unpack to.
func OpenZip(r io.ReaderAt, size int64) (*zip.Reader, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("it is not a whole zip file: %w", err)
	}
	// The library looks for the end record, 22 bytes and the comment, as far back
	// as it may lie; here it has to be the end.
	var end [4]byte
	if _, err := r.ReadAt(end[:], size-22-int64(len(z.Comment))); err != nil || string(end[:]) != "PK\x05\x06" {
		return nil, errors.New("it goes on after the end of the zip file")
	}
	seen := map[string]bool{}
	for _, f := range z.File {
		name := strings.TrimSuffix(strings.TrimPrefix(f.Name, "./"), "/")
		switch {
		case !fs.ValidPath(name) || strings.Contains(name, `\`):
			return nil, fmt.Errorf("the name %q leads out of it, or is none", f.Name)
		case seen[name]:
			return nil, fmt.Errorf("%s is there twice", f.Name)
		case f.Flags&1 != 0:
			return nil, fmt.Errorf("%s is encrypted", f.Name)
		}
		seen[name] = true
	}
	return z, nil
}

// NPZ is a file of named NPY arrays, as numpy.savez and numpy.savez_compressed
// write it: a zip file of one .npy file for each.
type NPZ struct {
	files map[string]*zip.File
}

// OpenNPZ reads the directory of an NPZ file of the given size.
func OpenNPZ(r io.ReaderAt, size int64) (*NPZ, error) {
	z, err := OpenZip(r, size)
	if err != nil {
		return nil, err
	}
	files := map[string]*zip.File{}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			return nil, fmt.Errorf("it holds %s, and an NPZ file .npy files only", f.Name)
		}
		files[name] = f
	}
	return &NPZ{files}, nil
}

// Names returns the names of the arrays in alphabetical order.
func (z *NPZ) Names() []string { return slices.Sorted(maps.Keys(z.files)) }

// Read reads one array; see [ReadNPY].
func (z *NPZ) Read(name string, limit int64) (*Array, error) {
	f, ok := z.files[name]
	if !ok {
		return nil, fmt.Errorf("it lacks the array %s; it has %s", name, strings.Join(z.Names(), ", "))
	}
	if most := uint64(limit) + maxNPYHeader + 12; f.UncompressedSize64 > most {
		return nil, fmt.Errorf("array %s takes %d bytes, more than the %d that are allowed here", name, f.UncompressedSize64, limit)
	}
	content, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("array %s: %w", name, err)
	}
	defer content.Close()
	a, err := ReadNPY(content, limit)
	if err != nil {
		return nil, fmt.Errorf("array %s: %w", name, err)
	}
	return a, nil
}
