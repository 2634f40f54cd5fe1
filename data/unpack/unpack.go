// Package unpack reads untrusted files that may be compressed by gzip or bzip2, and bounds how
// much they unpack to.
package unpack

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"fmt"
	"io"
)

// Limit bounds what a compressed file may unpack to: Free bytes whatever its size, and beyond
// that Ratio times the compressed bytes read so far. It is compared while reading, so that a
// small file cannot fill the memory.
type Limit struct {
	Free  int64
	Ratio int64
	Err   error // returned by Read once the limit is exceeded
}

// Exceeded reports whether unpacked bytes are too many for that many compressed ones.
func (l Limit) Exceeded(unpacked, compressed int64) bool {
	return unpacked > l.Free && unpacked/l.Ratio > compressed
}

// Reader reads the unpacked content of a file.
type Reader struct {
	*bufio.Reader
	Compression string // "gzip" or "bzip2"; empty for a file that is read as it is
}

const bufferSize = 1 << 16

// NewReader detects the compression by the first bytes of r. An empty r is an empty file. It
// returns the read error of r, or an error for a gzip header that is damaged or cut short.
func NewReader(r io.Reader, limit Limit) (*Reader, error) {
	compressed := &counter{Reader: r}
	buffered := bufio.NewReaderSize(compressed, bufferSize)
	magic, err := buffered.Peek(3)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte("\x1f\x8b")):
		plain, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("it is not a whole gzip file: %w", err)
		}
		return bounded(plain, "gzip", compressed, limit), nil
	case bytes.HasPrefix(magic, []byte("BZh")):
		return bounded(bzip2.NewReader(buffered), "bzip2", compressed, limit), nil
	}
	return &Reader{buffered, ""}, nil
}

func bounded(plain io.Reader, compression string, compressed *counter, limit Limit) *Reader {
	return &Reader{bufio.NewReaderSize(&limiter{counter{Reader: plain}, compressed, limit}, bufferSize), compression}
}

// counter counts the bytes read.
type counter struct {
	io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// limiter fails once more was unpacked than the limit allows.
type limiter struct {
	unpacked   counter
	compressed *counter
	limit      Limit
}

func (l *limiter) Read(p []byte) (int, error) {
	n, err := l.unpacked.Read(p)
	if l.limit.Exceeded(l.unpacked.n, l.compressed.n) {
		return 0, l.limit.Err
	}
	return n, err
}
