package data

import (
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
)

// Bounds on what an archive may unpack to: what is larger than the first must not be more
// than the second times as large as it is packed. Images do not shrink that much.
const (
	maxUnpackedFree  = 256 << 20
	maxUnpackedRatio = 200
)

// unpacked returns what is in a file that may be compressed by gzip or bzip2. It fails once
// ctx is done.
func unpacked(ctx context.Context, r io.Reader) (io.Reader, error) {
	packed := &counter{Reader: &cancelled{r, ctx}}
	buffered := bufio.NewReaderSize(packed, 1<<16)
	magic, err := buffered.Peek(6)
	if err != nil && err != io.EOF {
		return nil, err
	}
	var plain io.Reader
	switch {
	case begins(magic, "\x1f\x8b"):
		if plain, err = gzip.NewReader(buffered); err != nil {
			return nil, fmt.Errorf("not a whole .tar.gz: %w", err)
		}
	case begins(magic, "BZh"):
		plain = bzip2.NewReader(buffered)
	default:
		if remedy := otherArchive(magic); remedy != "" {
			return nil, fmt.Errorf("not a whole .tar or .tar.gz but %s", remedy)
		}
		return buffered, nil
	}
	return &unpacker{plain: plain, packed: packed}, nil
}

// counter counts what is read.
type counter struct {
	io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// unpacker refuses what unpacks to a great many times its size.
type unpacker struct {
	plain  io.Reader
	packed *counter
	n      int64
}

func (u *unpacker) Read(p []byte) (int, error) {
	n, err := u.plain.Read(p)
	if u.n += int64(n); u.n > maxUnpackedFree && u.n/maxUnpackedRatio > u.packed.n {
		return 0, errBomb
	}
	return n, err
}

var errBomb = fmt.Errorf("it unpacks to more than %d MiB and %d times its size: if you trust it, unpack it and write folder:PATH", maxUnpackedFree>>20, maxUnpackedRatio)

// otherArchive names a kind of archive or compression that is not read as a .tar, and what
// to do with it.
func otherArchive(magic []byte) string {
	for _, k := range []struct{ magic, remedy string }{
		{"PK", "a zip file: write zip:PATH"},
		{"\xfd7zXZ\x00", "compressed by xz: unpack it with xz -d first"},
		{"\x28\xb5\x2f\xfd", "compressed by zstd: unpack it with zstd -d first"},
		{"\x04\x22\x4d\x18", "compressed by lz4: unpack it with lz4 -d first"},
		{"LZIP", "compressed by lzip: unpack it with lzip -d first"},
		{"\x5d\x00\x00", "compressed by lzma: unpack it with xz -d first"},
		{"\x1f\x9d", "compressed by compress: unpack it with gzip -d first"},
		{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it with 7z x and write folder:PATH"},
		{"Rar!\x1a\x07", "a RAR archive: unpack it with unrar x and write folder:PATH"},
		{"070701", "a cpio archive: unpack it with cpio -i and write folder:PATH"},
	} {
		if begins(magic, k.magic) {
			return k.remedy
		}
	}
	return ""
}

// maxAfterEnd bounds the zeros after the end mark of an archive; tar pads to 10 KiB.
const maxAfterEnd = 64 << 20

var errAfterEnd = fmt.Errorf("more than %d MiB of zeros follow its end mark", maxAfterEnd>>20)

var errNoEndMark = errors.New("the archive is cut short: its end mark is missing")
