package format

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
)

// ReadIDX reads an IDX file of bytes, as those of MNIST are, compressed by gzip
// or not: 0x000008nn, n dimensions, each big-endian in 4 bytes, and the values,
// the last index running fastest. http://yann.lecun.com/exdb/mnist/ (see FILE
// FORMATS). Images have three dimensions (magic number 0x00000803: number,
// height, width), labels one (0x00000801). limit bounds the bytes of the values.
func ReadIDX(r io.Reader, limit int64) (*Array, error) {
	buffered := bufio.NewReader(r)
	src := &reader{buffered, 0, "byte"}
	if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("it is not a whole gzip file: %w", err)
		}
		src = &reader{unzipped, 0, "decompressed byte"}
	}
	magic, err := src.take(4, "magic number")
	if err != nil {
		return nil, err
	}
	if [3]byte(magic) != [3]byte{0, 0, 8} {
		return nil, fmt.Errorf("the magic number is 0x%x: IDX files of bytes begin with 0x000008nn, images with 0x00000803, labels with 0x00000801", magic)
	}
	header, err := src.take(4*int(magic[3]), "dimensions")
	if err != nil {
		return nil, err
	}
	a := &Array{Type: Uint8, stored: Uint8}
	for ; len(header) > 0; header = header[4:] {
		a.Shape = append(a.Shape, int(binary.BigEndian.Uint32(header)))
	}
	n, err := bytesOf(a.Shape, Uint8, limit)
	if err != nil {
		return nil, err
	}
	if a.raw, err = src.take(n, "values"); err != nil {
		return nil, err
	}
	return a, src.end()
}
