package format

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"
)

// Zip is the directory of a zip file.
type Zip struct {
	*zip.Reader
	Encoding string // that names which are not UTF-8 were taken to be in; empty if there are none
}

// OpenZip reads the directory of a zip file of the given size, and refuses what
// no honest one has: names that lead out of it or come twice, encryption, and
// bytes before its beginning or after its end. Names are in UTF-8 and have slashes,
// whatever the file has. Reading a file of it checks its length and checksum; the
// caller bounds what a file may unpack to.
func OpenZip(r io.ReaderAt, size int64) (*Zip, error) {
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // looked at below
		return nil, fmt.Errorf("it is not a whole zip file: %w", err)
	}
	// The library looks for the end record, 22 bytes and the comment, as far back
	// as it may be; here it has to be the end.
	var end [4]byte
	if _, err := r.ReadAt(end[:], size-22-int64(len(z.Comment))); err != nil || string(end[:]) != "PK\x05\x06" {
		return nil, errors.New("it continues after the end of the zip file")
	}
	if err := beginsAtOnce(r, z.File); err != nil {
		return nil, err
	}
	encoding, err := nameFiles(z.File)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, f := range z.File {
		name := strings.TrimSuffix(strings.TrimPrefix(f.Name, "./"), "/")
		if f.Name == "./" { // the top folder itself
			name = "."
		}
		switch {
		case !fs.ValidPath(name):
			return nil, fmt.Errorf("the name %q leads out of it, or is none", f.Name)
		case seen[name]:
			return nil, fmt.Errorf("%q is there twice", f.Name)
		case f.Flags&1 != 0:
			return nil, fmt.Errorf("%q is encrypted", f.Name)
		}
		seen[name] = true
	}
	return &Zip{z, encoding}, nil
}

// beginsAtOnce checks that one of the files of a zip file is at its beginning. The library
// takes the last of several zip files in one for the whole.
func beginsAtOnce(r io.ReaderAt, files []*zip.File) error {
	// A file's header is 30 bytes, its name and its extra fields; its data follow.
	var header [30]byte
	if _, err := r.ReadAt(header[:], 0); err != nil && len(files) > 0 {
		return fmt.Errorf("it is not a whole zip file: %w", err)
	}
	name, extra := binary.LittleEndian.Uint16(header[26:]), binary.LittleEndian.Uint16(header[28:])
	for _, f := range files { // most often it is the first one
		at, err := f.DataOffset()
		if err != nil {
			return fmt.Errorf("it is not a whole zip file: %w", err)
		}
		if at == 30+int64(name)+int64(extra) && string(header[:4]) == "PK\x03\x04" {
			return nil
		}
	}
	if len(files) == 0 {
		return nil
	}
	return errors.New("there is data before the beginning of the zip file, perhaps another one: unpack both")
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
			return nil, fmt.Errorf("it holds %q, and an NPZ file .npy files only", f.Name)
		}
		files[name] = f
	}
	return &NPZ{files}, nil
}

// Names returns the names of the arrays in alphabetical order.
func (z *NPZ) Names() []string { return slices.Sorted(maps.Keys(z.files)) }

// Size returns how many bytes an array takes, by the zip's directory; 0 if it is not there.
func (z *NPZ) Size(name string) int64 {
	if f := z.files[name]; f != nil {
		return int64(min(f.UncompressedSize64, math.MaxInt64))
	}
	return 0
}

// Read reads one array; see [ReadNPY].
func (z *NPZ) Read(name string, limit int64) (*Array, error) {
	f, ok := z.files[name]
	if !ok {
		return nil, fmt.Errorf("it lacks the array %q; it has %q", name, z.Names())
	}
	if maxSize := uint64(limit) + maxNPYHeader + 12; f.UncompressedSize64 > maxSize {
		return nil, fmt.Errorf("array %q takes %d bytes, more than the %d that are allowed here", name, f.UncompressedSize64, limit)
	}
	content, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("array %q: %w", name, err)
	}
	defer content.Close()
	a, err := ReadNPY(content, limit)
	if err != nil {
		return nil, fmt.Errorf("array %q: %w", name, err)
	}
	return a, nil
}
