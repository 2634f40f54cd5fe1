package data

import (
	"context"
	"errors"
	"fmt"
	"io"

	"ngebm/data/unpack"
)

// unpackLimit bounds what an archive may unpack to. Images do not compress that much.
func unpackLimit() unpack.Limit {
	return unpack.Limit{Free: maxUnpackedFree, Ratio: maxUnpackedRatio, Err: errBomb}
}

const (
	maxUnpackedFree  = 256 << 20
	maxUnpackedRatio = 200
)

var errBomb = fmt.Errorf("it unpacks to more than %d MiB and %d times its size: if you trust it, unpack it and write folder:PATH", maxUnpackedFree>>20, maxUnpackedRatio)

// unpacked returns the content of an archive that may be compressed by gzip or bzip2. Reading
// fails once ctx is done.
func unpacked(ctx context.Context, r io.Reader) (io.Reader, error) {
	plain, err := unpack.NewReader(&ctxReader{r, ctx}, unpackLimit())
	if err != nil || plain.Compression != "" {
		return plain, err
	}
	magic, err := plain.Peek(6)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if remedy := otherArchive(magic); remedy != "" {
		return nil, fmt.Errorf("not a whole .tar or .tar.gz but %s", remedy)
	}
	return plain, nil
}

// otherArchive names a kind of archive or compression that cannot be read as a .tar, with the
// remedy.
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

var errNoEndMark = errors.New("the archive is truncated: its end mark is missing")
