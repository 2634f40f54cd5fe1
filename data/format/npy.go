package format

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// maxNPYHeader bounds the text of the header; NumPy refuses longer ones too
// (max_header_size of numpy.load).
const maxNPYHeader = 10_000

// ReadNPY reads an array that NumPy wrote, formats 1.0 to 3.0, of booleans,
// integers or floats of 2, 4 and 8 bytes in either byte order. An array in Fortran
// order is turned. limit bounds the bytes of the values.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//
// The package npyio is not safe for untrusted files: it allocates what the header asks for,
// slices the header without bounds checks, ignores truncation, and does not read format 3.0.
func ReadNPY(r io.Reader, limit int64) (*Array, error) {
	src := &reader{r, 0, "byte"}
	start, err := src.take(8, "magic number and version")
	if err != nil {
		return nil, err
	}
	if string(start[:6]) != "\x93NUMPY" {
		return nil, fmt.Errorf("it begins with %q, and NPY files with %q", start[:6], "\x93NUMPY")
	}
	lengthBytes := 4
	switch start[6] {
	case 1:
		lengthBytes = 2
	case 2, 3:
	default:
		return nil, fmt.Errorf("its NPY format is %d.%d: 1.0, 2.0 and 3.0 are known", start[6], start[7])
	}
	length, err := src.take(lengthBytes, "length of the header")
	if err != nil {
		return nil, err
	}
	n := uint32(binary.LittleEndian.Uint16(length))
	if lengthBytes == 4 {
		n = binary.LittleEndian.Uint32(length)
	}
	if n > maxNPYHeader {
		return nil, fmt.Errorf("its header has %d bytes: more than %d are refused", n, maxNPYHeader)
	}
	header, err := src.take(int(n), "header")
	if err != nil {
		return nil, err
	}
	a, err := parseNPYHeader(string(header))
	if err != nil {
		return nil, err
	}
	size, err := bytesOf(a.Shape, a.stored, limit)
	if err != nil {
		return nil, err
	}
	if a.raw, err = src.take(size, "values"); err != nil {
		return nil, err
	}
	if err := src.end(); err != nil {
		return nil, err
	}
	return a.RowMajor(), nil
}

// parseNPYHeader reads a header, which is a dictionary as Python prints it,
//
//	{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }
//
// and returns an array that lacks its values.
func parseNPYHeader(text string) (*Array, error) {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, text))
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return nil, fmt.Errorf("its header %.200q is no NPY header: it has characters that cannot be printed", text)
	}
	fields, err := parseDict(text)
	if err != nil {
		return nil, fmt.Errorf("its header %.200q is no NPY header: %w", text, err)
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if fields[key] == "" {
			return nil, fmt.Errorf("its header %.200q lacks %s", text, key)
		}
	}
	if len(fields) != 3 {
		return nil, fmt.Errorf("its header %.200q has more than descr, fortran_order and shape", text)
	}
	a := &Array{}
	if a.Type, a.order, err = parseDescr(fields["descr"]); err != nil {
		return nil, err
	}
	a.stored = a.Type
	switch fields["fortran_order"] {
	case "True":
		a.ColumnMajor = true
	case "False":
	default:
		return nil, fmt.Errorf("its fortran_order is %.40s, neither True nor False", fields["fortran_order"])
	}
	shape, opened := strings.CutPrefix(fields["shape"], "(")
	shape, closed := strings.CutSuffix(shape, ")")
	if !opened || !closed {
		return nil, fmt.Errorf("its shape is %.40s, no tuple", fields["shape"])
	}
	sides := strings.Split(shape, ",")
	if last := len(sides) - 1; strings.TrimSpace(sides[last]) == "" {
		sides = sides[:last] // as in (3,)
	}
	for _, side := range sides {
		n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(side), "L"), 10, 62) // 3L in Python 2
		if err != nil {
			return nil, fmt.Errorf("its shape is %.200s, and %.40q is no size", fields["shape"], side)
		}
		a.Shape = append(a.Shape, int(n))
	}
	return a, nil
}

// parseDict reads keys and values, both as they are written, keys without their
// quotes.
func parseDict(text string) (map[string]string, error) {
	rest, ok := strings.CutPrefix(text, "{")
	if !ok {
		return nil, fmt.Errorf("it has no {")
	}
	fields := map[string]string{}
	for {
		rest = strings.TrimSpace(rest)
		if rest == "}" {
			return fields, nil
		}
		key, after, ok := strings.Cut(rest, ":")
		key = strings.TrimSpace(key)
		if key = strings.Trim(key, `'"`); !ok || fields[key] != "" {
			return nil, fmt.Errorf("a key is missing or there twice")
		}
		end := valueEnd(after)
		if end == len(after) {
			return nil, fmt.Errorf("it has no }")
		}
		fields[key] = strings.TrimSpace(after[:end])
		rest = strings.TrimPrefix(after[end:], ",")
	}
}

// valueEnd returns where the first value in text ends: at a comma or } that is
// in no quotes or brackets.
func valueEnd(text string) int {
	depth, quote := 0, byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case depth == 0 && (c == ',' || c == '}'):
			return i
		}
	}
	return len(text)
}

// parseDescr reads NumPy's name of a type, in quotes: byte order, kind, bytes.
func parseDescr(quoted string) (Type, binary.ByteOrder, error) {
	descr := strings.Trim(quoted, `'"`)
	types := map[string]Type{
		"b1": Bool, "u1": Uint8, "u2": Uint16, "u4": Uint32, "u8": Uint64,
		"i1": Int8, "i2": Int16, "i4": Int32, "i8": Int64, "f2": Float16, "f4": Float32, "f8": Float64,
		"V2": BFloat16, // as the package ml_dtypes, of JAX and others, writes it
	}
	if len(descr) == 3 {
		t := types[descr[1:]]
		switch {
		case t == "":
		case descr[0] == '<', descr[0] == '|' && (t.size() == 1 || t == BFloat16):
			return t, binary.LittleEndian, nil
		case descr[0] == '>':
			return t, binary.BigEndian, nil
		}
	}
	hint := ""
	switch {
	case strings.HasSuffix(descr, "O"):
		hint = " (pickled objects of Python, which can run programs, are never read)"
	case strings.Contains(descr, "V1"):
		hint = " (floats of 8 bits have no type of NumPy's; store x.astype('float32'))"
	}
	return "", nil, fmt.Errorf("its type is %.80s%s: numbers are read whose type is bool, int8 to int64, uint8 to uint64, float16, bfloat16, float32 or float64", quoted, hint)
}
