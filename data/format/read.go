package format

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxDims bounds the dimensions of an array, as NumPy 1 does. Sets have four.
const maxDims = 32

// reader counts what is read, so that errors can say where.
type reader struct {
	io.Reader
	at   int64
	unit string // what at counts: "byte", or "decompressed byte"
}

// take reads n bytes of what the file is at. It makes room as they come, twice
// as much each time, so a file that promises more than it has costs no more than
// it has.
func (r *reader) take(n int, what string) ([]byte, error) {
	start := r.at
	b := make([]byte, 0, min(n, 1<<16))
	for len(b) < n {
		if len(b) == cap(b) {
			b = append(make([]byte, 0, min(n, 2*len(b))), b...)
		}
		got, err := io.ReadFull(r.Reader, b[len(b):cap(b)])
		b, r.at = b[:len(b)+got], r.at+int64(got)
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, fmt.Errorf("it is cut short: it ends at %s %d, in the %s from %d to %d", r.unit, r.at, what, start, start+int64(n))
		default:
			return nil, fmt.Errorf("at %s %d, in the %s: %w", r.unit, r.at, what, err)
		}
	}
	return b, nil
}

// end checks that nothing follows. Of compressed data it also makes sure that
// they are whole, since their checksum comes last.
func (r *reader) end() error {
	var b [1]byte
	switch _, err := io.ReadFull(r.Reader, b[:]); {
	case err == nil:
		return fmt.Errorf("it continues after its end at %s %d", r.unit, r.at)
	case err == io.EOF:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("it is cut short after %s %d", r.unit, r.at)
	default:
		return fmt.Errorf("after %s %d: %w", r.unit, r.at, err)
	}
}

// bytesOf returns how many bytes an array takes, an error where there is no such
// array or it goes beyond limit.
func bytesOf(shape []int, t Type, limit int64) (int, error) {
	if len(shape) > maxDims {
		return 0, fmt.Errorf("it has %d dimensions: more than %d are refused", len(shape), maxDims)
	}
	if slices.ContainsFunc(shape, func(side int) bool { return side < 1 }) {
		return 0, fmt.Errorf("its shape %v has no room for a value", shape)
	}
	n := int64(t.size())
	for _, side := range shape {
		if n > limit/int64(side) {
			return 0, fmt.Errorf("its shape %v of %s takes more than the %d bytes that are allowed here", shape, t, limit)
		}
		n *= int64(side)
	}
	if n > limit {
		return 0, fmt.Errorf("a number of type %s takes more than the %d bytes that are allowed here", t, limit)
	}
	return int(n), nil
}
