package format

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"slices"
	"testing"
)

func gzipOf(t testing.TB, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// idxOf writes an IDX file: magic number, dimensions, values.
func idxOf(magic uint32, values []byte, dims ...uint32) []byte {
	file := binary.BigEndian.AppendUint32(nil, magic)
	for _, d := range dims {
		file = binary.BigEndian.AppendUint32(file, d)
	}
	return append(file, values...)
}

func TestIDX(t *testing.T) {
	twelve := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	for name, c := range map[string]struct {
		file []byte
		want []int
	}{
		"images":            {idxOf(0x803, twelve, 2, 2, 3), []int{2, 2, 3}},
		"labels":            {idxOf(0x801, twelve, 12), []int{12}},
		"compressed":        {gzipOf(t, idxOf(0x803, twelve, 2, 2, 3)), []int{2, 2, 3}},
		"written by Python": {fixture(t, "images.idx.gz"), []int{2, 2, 3}},
	} {
		a, err := ReadIDX(bytes.NewReader(c.file), 12)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b, err := a.Bytes(); err != nil || !slices.Equal(b, twelve) || !slices.Equal(a.Shape, c.want) || a.Type != Uint8 || a.ColumnMajor {
			t.Errorf("%s: got %v of %v (%v)", name, b, a.Shape, err)
		}
	}
}

func TestIDXRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":              {nil, "it is cut short: it ends at byte 0, in the magic number from 0 to 4"},
		"web page":           {[]byte("<!DOCTYPE html>"), "the magic number is 0x3c21444f"},
		"little-endian":      {[]byte{3, 8, 0, 0}, "the magic number is 0x03080000: IDX files of bytes begin with 0x000008nn"},
		"floats":             {idxOf(0xd01, make([]byte, 4), 1), "the magic number is 0x00000d01"},
		"cut in dimensions":  {idxOf(0x803, nil, 1, 1), "it ends at byte 12, in the dimensions from 4 to 16"},
		"cut in values":      {idxOf(0x803, make([]byte, 5), 1, 2, 3), "it ends at byte 21, in the values from 16 to 22"},
		"goes on":            {idxOf(0x801, make([]byte, 3), 2), "it continues after its end at byte 10"},
		"nothing":            {idxOf(0x801, nil, 0), "its shape [0] has no room for a value"},
		"absurd":             {idxOf(0x803, nil, 1<<31, 1<<31, 1<<31), "takes more than the 100 bytes that are allowed here"},
		"just above":         {idxOf(0x801, make([]byte, 101), 101), "its shape [101] of uint8 takes more than the 100 bytes"},
		"many dimensions":    {idxOf(0x8ff, make([]byte, 255*4)), "it has 255 dimensions: more than 32 are refused"},
		"compressed, cut":    {gzipOf(t, idxOf(0x801, make([]byte, 5), 6)), "it ends at decompressed byte 13, in the values from 8 to 14"},
		"compressed bomb":    {gzipOf(t, idxOf(0x801, make([]byte, 1<<20), 6)), "it continues after its end at decompressed byte 14"},
		"damaged gzip":       {append([]byte("\x1f\x8b"), make([]byte, 20)...), "it is not a whole gzip file"},
		"junk after gzip":    {append(gzipOf(t, idxOf(0x801, make([]byte, 2), 2)), "junkjunkjunk"...), "after decompressed byte 10: gzip: invalid header"},
		"wrong gzip content": {append(gzipOf(t, idxOf(0x801, make([]byte, 2), 2))[:30], 0, 0, 0, 0, 0), "decompressed byte"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadIDX(bytes.NewReader(c.file), 100)
			says(t, err, c.want)
		})
	}
	whole := idxOf(0x803, []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 2, 2, 3)
	for _, file := range [][]byte{whole, gzipOf(t, whole)} {
		refusesCuts(t, file, func(file []byte) error {
			_, err := ReadIDX(bytes.NewReader(file), 100)
			return err
		})
	}
}

// A disk that fails is not a file that is cut short.
func TestIDXFailingDisk(t *testing.T) {
	_, err := ReadIDX(io.MultiReader(bytes.NewReader(idxOf(0x801, nil, 6)), failing{}), 100)
	says(t, err, "at byte 8, in the values: input/output error")
}

func FuzzIDX(f *testing.F) {
	f.Add(idxOf(0x803, []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 2, 2, 3))
	f.Add(fixture(f, "images.idx.gz"))
	f.Add(idxOf(0x803, nil, 1<<31, 1<<31, 1<<31))
	f.Add(idxOf(0x801, nil, 50<<20))
	f.Add(gzipOf(f, idxOf(0x801, make([]byte, 1<<20), 1<<20)))
	f.Fuzz(func(t *testing.T, file []byte) {
		takesLittle(t, len(file), packedFactor, func() {
			a, err := ReadIDX(bytes.NewReader(file), fuzzLimit)
			if err != nil {
				return
			}
			if b, err := a.Bytes(); err != nil || len(b) != a.Len() || len(b) > fuzzLimit {
				t.Errorf("%v has %d bytes (%v)", a.Shape, len(b), err)
			}
		})
	})
}
