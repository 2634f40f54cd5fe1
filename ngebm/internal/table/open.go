package table

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"golang.org/x/text/encoding/unicode"

	"ngebm/data/files"
	"ngebm/data/format"
	"ngebm/data/unpack"
)

// maxBytes bounds a file's text and an array's values.
const maxBytes = 8 << 30

// Read reads a file of rows of numbers.
func Read(path string) (*Table, error) { return open(path, false) }

// ReadLabels reads a file of labels, which may be words; see [Table.Labels].
func ReadLabels(path string) (*Table, error) { return open(path, true) }

func open(path string, labels bool) (*Table, error) {
	f, err := files.OpenLinked(path, maxBytes)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	t := &Table{Path: path}
	if err := t.read(f, info.Size(), labels); err != nil {
		return nil, err
	}
	if len(t.Rows) == 0 {
		return nil, fmt.Errorf("%s: there are no rows of numbers in it", printable(path))
	}
	return t, nil
}

// source is a file.
type source interface {
	io.Reader
	io.ReaderAt
}

// read detects the format of a file by its first bytes.
func (t *Table) read(f source, size int64, labels bool) error {
	start := make([]byte, 4)
	switch n, _ := f.ReadAt(start, 0); string(start[:n]) {
	case "PK\x03\x04", "PK\x05\x06": // a zip file, and one of nothing
		return t.readNPZ(f, size)
	}
	r, err := unpack.NewReader(f, unpackLimit())
	if err != nil {
		return fmt.Errorf("%s: %w", printable(t.Path), err)
	}
	if r.Compression == "" {
		return t.readPlain(r.Reader, min(size, maxBytes), size, labels)
	}
	limit := max(maxUnpackedRatio*size, minUnpackedLimit)
	err = t.readPlain(r.Reader, min(limit, maxBytes), maxValues(limit), labels)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) {
		return fmt.Errorf("%s: the compressed file is damaged or cut short: %w", printable(t.Path), err)
	}
	return err
}

// Numbers as text compress to about a third. A compressed file may unpack to maxUnpackedRatio
// times its size, and any to minUnpackedLimit bytes. Rows take more memory than their text.
const (
	maxUnpackedRatio = 20
	minUnpackedLimit = 4 << 20
)

func unpackLimit() unpack.Limit {
	return unpack.Limit{Free: minUnpackedLimit, Ratio: maxUnpackedRatio, Err: fmt.Errorf("it, or its beginning, unpacks to more than %d times its size, which is refused: unpack it first", maxUnpackedRatio)}
}

// readPlain reads what is not compressed, of at most limit bytes and that many values.
func (t *Table) readPlain(r *bufio.Reader, limit, values int64, labels bool) error {
	start, err := r.Peek(64)
	if err != nil && err != io.EOF {
		return fmt.Errorf("%s: %w", printable(t.Path), err)
	}
	if bytes.HasPrefix(start, []byte("\x93NUMPY")) {
		a, err := format.ReadNPY(r, limit)
		if err != nil {
			return fmt.Errorf("%s: %w", printable(t.Path), err)
		}
		return t.fromArray(a, values)
	}
	if what := binaryKind(start); what != "" {
		return fmt.Errorf("%s: it is %s", printable(t.Path), what)
	}
	var decoded io.Reader
	switch {
	case bytes.HasPrefix(start, []byte("\ufeff")):
		_, err = r.Discard(len("\ufeff"))
	case bytes.HasPrefix(start, []byte("\xff\xfe")), halfZero(start, 1):
		decoded = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(r)
	case bytes.HasPrefix(start, []byte("\xfe\xff")), halfZero(start, 0):
		decoded = unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Reader(r)
	case bytes.IndexByte(start, 0) >= 0:
		err = fmt.Errorf("%s: it holds bytes of 0, so it is no text; CSV, NPY and NPZ are read", printable(t.Path))
	}
	if err != nil && err != io.EOF {
		return err
	}
	if decoded != nil {
		r = bufio.NewReader(decoded)
	}
	return t.parseText(r, values, labels)
}

// halfZero reports UTF-16 without a mark: every second byte, from the given one, is 0.
func halfZero(b []byte, from int) bool {
	if len(b) < 2 {
		return false
	}
	for i := range len(b) &^ 1 {
		if (b[i] == 0) != (i%2 == from) {
			return false
		}
	}
	return true
}

// binaryKind names files that are not read, with the remedy, by their first bytes. A column's name, such
// as PAR1, must not be taken for them.
func binaryKind(b []byte) string {
	for _, k := range []struct{ magic, what string }{
		{"\xfd7zXZ\x00", "compressed by xz: unpack it first (xz -d)"},
		{"\x28\xb5\x2f\xfd", "compressed by zstd: unpack it first (zstd -d)"},
		{"\x04\x22\x4d\x18", "compressed by lz4: unpack it first (lz4 -d)"},
		{"\x1f\x9d", "compressed by compress (.Z): unpack it first (gzip -d)"},
		{"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"},
		{"Rar!\x1a\x07", "a RAR archive: unpack it first"},
		{"\x89HDF", "an HDF5 file: write the array by numpy.save"},
		{"PAR1\x15", "a Parquet file: write it as CSV (pandas.read_parquet(f).to_csv(g, index=False))"},
		{"ARROW1\x00\x00", "an Arrow or Feather file: write it as CSV"},
		{"MATLAB 5.0 MAT-file", "a MAT file: write the matrix as CSV (writematrix)"},
		{"\xd0\xcf\x11\xe0", "an Excel file of the old kind: save it as CSV"},
		{"SQLite format 3\x00", "an SQLite database: export the table as CSV"},
		{"RDX2\nX\n", "a file of R (save): write the matrix by write.csv(x, f, row.names=FALSE)"},
		{"RDX3\nX\n", "a file of R (save): write the matrix by write.csv(x, f, row.names=FALSE)"},
		{"X\n\x00\x00", "a file of R (saveRDS): write the matrix by write.csv(x, f, row.names=FALSE)"},
		{"%PDF-", "a PDF"},
	} {
		if bytes.HasPrefix(b, []byte(k.magic)) {
			return k.what
		}
	}
	if len(b) > 1 && b[0] == 0x80 && b[1] >= 2 && b[1] <= 5 {
		return "a pickle of Python, which can run programs and is never read: write the array by numpy.save"
	}
	return ""
}

// readNPZ reads a file of one array.
func (t *Table) readNPZ(f source, size int64) error {
	z, err := format.OpenNPZ(f, size)
	if err != nil {
		return fmt.Errorf("%s: it is a zip file, and of these NPZ files are read, of one array (numpy.savez): %w", printable(t.Path), err)
	}
	if n := z.Names(); len(n) != 1 {
		return fmt.Errorf("%s: it holds the arrays %q; a file has to hold one here (numpy.save)", printable(t.Path), n)
	}
	limit := min(max(maxUnpackedRatio*size, minUnpackedLimit), maxBytes)
	a, err := z.Read(z.Names()[0], limit)
	if err != nil {
		return fmt.Errorf("%s: %w (numpy.save writes it without compression)", printable(t.Path), err)
	}
	return t.fromArray(a, maxValues(limit))
}

// maxValues bounds the values in what a compressed file unpacks to, which is at most limit
// bytes long: a value of one byte takes 32 as a row.
func maxValues(limit int64) int64 { return max(limit/8, minUnpackedLimit) }

// fromArray reads an array of at most that many values, of one dimension, as one value a
// row, or of two.
func (t *Table) fromArray(a *format.Array, maxLen int64) error {
	n := int64(1)
	for _, side := range a.Shape {
		n *= int64(side)
	}
	if n > maxLen {
		return fmt.Errorf("%s: it unpacks to %d values, more than a compressed file of its size may hold (numpy.save writes it without compression)", printable(t.Path), n)
	}
	if len(a.Shape) != 1 && len(a.Shape) != 2 {
		return fmt.Errorf("%s: an array of shape %v; it must have 1 or 2 dimensions", printable(t.Path), a.Shape)
	}
	width := 1
	if len(a.Shape) == 2 {
		width = a.Shape[1]
	}
	if a.Type == format.BFloat16 {
		t.note("values of NumPy's type V2 are read as bfloat16")
	}
	values := a.Floats()
	t.Rows = slices.Grow(t.Rows, len(values)/width)
	for row := range slices.Chunk(values, width) {
		t.Rows = append(t.Rows, row)
		for k, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%s is %v; every value must be finite", t.Value(len(t.Rows)-1, k), v)
			}
		}
	}
	return nil
}
