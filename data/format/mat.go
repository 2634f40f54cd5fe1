package format

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ReadMAT reads all variables of a MAT file of version 5, as MATLAB and
// scipy.io.savemat write it, compressed or not, in either byte order: arrays of
// numbers, by name. They are column-major. Variables that are something else
// (text, structs, cells, sparse or complex arrays) are refused. limit bounds the
// bytes of all values together.
// https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
func ReadMAT(r io.Reader, limit int64) (map[string]*Array, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	src := &reader{buffered, 0, "byte"}
	header, err := src.take(128, "header")
	if err != nil {
		return nil, err
	}
	m := matReader{limit: limit, arrays: map[string]*Array{}}
	switch mark := string(header[126:]); mark {
	case "IM":
		m.order = binary.LittleEndian
	case "MI":
		m.order = binary.BigEndian
	default:
		return nil, fmt.Errorf("bytes 126 and 127 are %q, in a MAT file of version 5 IM or MI", mark)
	}
	if version := m.order.Uint16(header[124:]); version != 0x0100 {
		return nil, fmt.Errorf("its version is 0x%04x, that of MAT 5 is 0x0100 (in MATLAB, save with -v7)", version)
	}
	for {
		if _, err := buffered.Peek(1); err == io.EOF && len(m.arrays) > 0 {
			return m.arrays, nil
		}
		if err := m.element(src, buffered); err != nil {
			return nil, err
		}
	}
}

// Types of data elements.
const (
	miInt32      = 5
	miUint32     = 6
	miMatrix     = 14
	miCompressed = 15
	miInt8       = 1
)

// matStored returns how a data element of a type holds numbers, "" where it
// holds none.
func matStored(element uint32) Type {
	switch element {
	case miInt8:
		return Int8
	case 2:
		return Uint8
	case 3:
		return Int16
	case 4:
		return Uint16
	case miInt32:
		return Int32
	case miUint32:
		return Uint32
	case 7:
		return Float32
	case 9:
		return Float64
	case 12:
		return Int64
	case 13:
		return Uint64
	}
	return ""
}

// matType returns the type of the numbers of a class of arrays, "" for arrays of
// something else.
func matType(class byte) Type {
	types := []Type{6: Float64, Float32, Int8, Uint8, Int16, Uint16, Int32, Uint32, Int64, Uint64}
	if int(class) >= len(types) {
		return ""
	}
	return types[class]
}

// Flags of an array.
const (
	matComplex = 0x08
	matLogical = 0x02
)

// maxMATName is well above MATLAB's limit of 63 characters.
const maxMATName = 255

type matReader struct {
	order  binary.ByteOrder
	limit  int64 // bytes of values that may still come
	arrays map[string]*Array
}

// tag is the head of a data element.
type tag struct {
	element, bytes uint32
	small          []byte // the data, where they are in the tag itself
}

func (m *matReader) tag(src *reader, what string) (tag, error) {
	b, err := src.take(8, "tag of the "+what)
	if err != nil {
		return tag{}, err
	}
	first := m.order.Uint32(b)
	if size := first >> 16; size != 0 { // up to 4 bytes, packed into the tag
		if size > 4 {
			return tag{}, fmt.Errorf("at %s %d the tag of the %s is 0x%x, which is none", src.unit, src.at-8, what, b)
		}
		return tag{first & 0xffff, size, b[4:][:size]}, nil
	}
	return tag{first, m.order.Uint32(b[4:]), nil}, nil
}

// element reads a variable; file is what src reads from.
func (m *matReader) element(src *reader, file *bufio.Reader) error {
	start := src.at
	t, err := m.tag(src, "variable")
	if err != nil {
		return err
	}
	switch {
	case t.small != nil:
	case t.element == miMatrix:
		return m.matrix(src, int64(t.bytes))
	case t.element == miCompressed:
		if err := m.compressed(file, int64(t.bytes)); err != nil {
			return fmt.Errorf("in the compressed variable at byte %d: %w", start, err)
		}
		src.at += int64(t.bytes)
		return nil
	}
	return fmt.Errorf("at %s %d begins an element of type %d, and variables are %d or, compressed, %d", src.unit, start, t.element, miMatrix, miCompressed)
}

// compressed reads a variable that zlib packed into n bytes of the file.
func (m *matReader) compressed(file *bufio.Reader, n int64) error {
	packed := &io.LimitedReader{R: file, N: n}
	bytewise := bufio.NewReader(packed) // so that zlib reads no byte beyond its own
	unpacked, err := zlib.NewReader(bytewise)
	if err != nil {
		return cut(err)
	}
	src := &reader{unpacked, 0, "decompressed byte"}
	t, err := m.tag(src, "variable")
	if err != nil {
		return err
	}
	if t.element != miMatrix || t.small != nil {
		return fmt.Errorf("it is an element of type %d, and variables are %d", t.element, miMatrix)
	}
	if err := m.matrix(src, int64(t.bytes)); err != nil {
		return err
	}
	if err := src.end(); err != nil {
		return err
	}
	if left := int64(bytewise.Buffered()) + packed.N; left != 0 {
		return fmt.Errorf("%d of its %d bytes come after its end", left, n)
	}
	return nil
}

// cut names the end of a file for what it is.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is cut short")
	}
	return err
}

// matrix reads an array whose parts take n bytes: flags, dimensions, name,
// values.
func (m *matReader) matrix(src *reader, n int64) error {
	end := src.at + n
	flags, err := m.part(src, end, "flags", miUint32, 8)
	if err != nil {
		return err
	}
	if len(flags) != 8 {
		return fmt.Errorf("a variable has %d bytes of flags, not 8", len(flags))
	}
	dims, err := m.part(src, end, "dimensions", miInt32, 4*maxDims)
	if err != nil {
		return err
	}
	if len(dims) < 8 || len(dims)%4 != 0 {
		return fmt.Errorf("a variable has %d bytes of dimensions, which are 2 or more numbers of 4 bytes", len(dims))
	}
	name, err := m.part(src, end, "name", miInt8, maxMATName)
	if err != nil {
		return err
	}
	a := &Array{ColumnMajor: true, order: m.order}
	for ; len(dims) > 0; dims = dims[4:] {
		a.Shape = append(a.Shape, int(int32(m.order.Uint32(dims))))
	}
	err = m.values(src, end, a, m.order.Uint32(flags))
	if err == nil && src.at != end {
		err = fmt.Errorf("it ends at %s %d, but its tag says %d", src.unit, src.at, end)
	}
	if err == nil && m.arrays[string(name)] != nil {
		err = errors.New("it is there twice")
	}
	if err != nil {
		return fmt.Errorf("variable %q: %w", name, err)
	}
	m.arrays[string(name)] = a
	return nil
}

// values reads the values of an array of known shape.
func (m *matReader) values(src *reader, end int64, a *Array, flags uint32) error {
	class, bits := byte(flags), byte(flags>>8)
	if a.Type = matType(class); a.Type == "" {
		return fmt.Errorf("it is of class %d (%s): only arrays of numbers are read", class, matClass(class))
	}
	if bits&matComplex != 0 {
		return errors.New("its numbers are complex: only real ones are read")
	}
	if bits&matLogical != 0 {
		a.Type = Bool
	}
	t, err := m.tag(src, "values")
	if err != nil {
		return err
	}
	if a.stored = matStored(t.element); a.stored == "" {
		return fmt.Errorf("its values are an element of type %d, which is none of numbers", t.element)
	}
	want, err := bytesOf(a.Shape, a.stored, m.limit)
	if err != nil {
		return err
	}
	if int64(t.bytes) != int64(want) {
		return fmt.Errorf("its shape %v of %s takes %d bytes, but there are %d", a.Shape, a.stored, want, t.bytes)
	}
	if a.raw, err = m.content(src, end, t, "values"); err != nil {
		return err
	}
	m.limit -= int64(want)
	return nil
}

// part reads one part of an array: an element of the given type and at most so
// many bytes.
func (m *matReader) part(src *reader, end int64, what string, element uint32, maxBytes int) ([]byte, error) {
	t, err := m.tag(src, what)
	if err != nil {
		return nil, err
	}
	if t.element != element || int64(t.bytes) > int64(maxBytes) {
		return nil, fmt.Errorf("the %s before %s %d: an element of type %d and %d bytes, where type %d and at most %d bytes are right", what, src.unit, src.at, t.element, t.bytes, element, maxBytes)
	}
	return m.content(src, end, t, what)
}

// content reads what a tag announces, and the padding to a multiple of 8 bytes.
// end is where the array ends that it is a part of.
func (m *matReader) content(src *reader, end int64, t tag, what string) ([]byte, error) {
	if t.small != nil {
		return slices.Clone(t.small), nil
	}
	padding := -int64(t.bytes) & 7
	if src.at+int64(t.bytes)+padding > end {
		return nil, fmt.Errorf("the %s of a variable continue beyond %s %d, where its tag says that it ends", what, src.unit, end)
	}
	b, err := src.take(int(t.bytes), what)
	if err != nil {
		return nil, err
	}
	_, err = src.take(int(padding), "padding after the "+what)
	return b, err
}

// matClass names the classes of arrays that are not of numbers.
func matClass(class byte) string {
	names := strings.Fields("none cell struct object text sparse")
	if int(class) < len(names) {
		return names[class]
	}
	return "not of MAT 5"
}
