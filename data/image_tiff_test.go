package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Tags of a TIFF that only tests write: the offsets of strips and of tiles.
const (
	tiffStrips = 273
	tiffTiles  = 324
)

// tiffOfStrips is a gray TIFF of one pixel a strip. All strips are at the same place, and say how many
// bytes they have.
func tiffOfStrips(n int, compression uint32, strip []byte, count int) []byte {
	const begin = 8
	offsets := uint32(begin + len(strip))
	counts := offsets + 4*uint32(n)
	out := binary.LittleEndian.AppendUint32([]byte("II*\x00"), counts+4*uint32(n))
	out = append(out, strip...)
	for _, value := range []int{begin, count} {
		for range n {
			out = binary.LittleEndian.AppendUint32(out, uint32(value))
		}
	}
	entries := [][4]uint32{
		{256, 4, 1, 1}, {257, 4, 1, uint32(n)}, {258, 4, 1, 8}, {259, 4, 1, compression}, {262, 4, 1, 1},
		{tiffStrips, 4, uint32(n), offsets}, {277, 4, 1, 1}, {278, 4, 1, 1}, {tiffStripCounts, 4, uint32(n), counts},
	}
	if n == 1 {
		entries[5][3], entries[8][3] = begin, uint32(count)
	}
	out = binary.LittleEndian.AppendUint16(out, uint16(len(entries)))
	for _, e := range entries {
		out = binary.LittleEndian.AppendUint16(out, uint16(e[0]))
		out = binary.LittleEndian.AppendUint16(out, uint16(e[1]))
		out = binary.LittleEndian.AppendUint32(out, e[2])
		out = binary.LittleEndian.AppendUint32(out, e[3])
	}
	return append(out, 0, 0, 0, 0)
}

// A TIFF costs no more time and memory than its bytes and pixels: its strips are copied one by one, and
// each gets its own decoder.
func TestTIFFBlocksAreBounded(t *testing.T) {
	var deflated bytes.Buffer
	w := zlib.NewWriter(&deflated)
	if _, err := w.Write([]byte{7}); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	// entry is a TIFF of which the entry of another tag is replaced.
	entry := func(of, tag, kind uint16, count uint32) []byte {
		file := tiffOfStrips(1, 1, []byte{7}, 1)
		_, entries := tiffEntries(file)
		at := entries[tiffEntry*slices.Index([]uint16{256, 257, 258, 259, 262, 273, 277, 278, 279}, of):]
		binary.LittleEndian.PutUint16(at, tag)
		binary.LittleEndian.PutUint16(at[2:], kind)
		binary.LittleEndian.PutUint32(at[4:], count)
		return file
	}
	const packBits = 32773
	large := make([]byte, 1<<20)
	bits := bytes.Repeat([]byte{0x81, 0}, 1<<20) // 128 times 0, 2^20 times
	for name, test := range map[string]struct {
		file []byte
		want string // in the error; "" is none
	}{
		"one strip":          {tiffOfStrips(1, 8, deflated.Bytes(), deflated.Len()), ""},
		"three strips":       {tiffOfStrips(3, 1, large, 1), ""},
		"counts too large":   {tiffOfStrips(1, 8, deflated.Bytes(), 1<<30), ""},
		"PackBits":           {tiffOfStrips(1, packBits, []byte{0, 7}, 2), ""},
		"overlapping strips": {tiffOfStrips(20000, 1, large, len(large)), "its strips or tiles overlap"},
		"many strips":        {tiffOfStrips(maxBlocks+1, 8, deflated.Bytes(), deflated.Len()), "tag 273 has 131073 values"},
		"sample format":      {entry(279, 339, 1, 64<<20), "tag 339 has 67108864 values"},
		"another type":       {entry(279, 279, 2, 64<<20), "tag 279 has 67108864 values"},
		"a tag twice":        {entry(257, 256, 4, 64<<20), "tag 256 has 67108864 values"},
		"PackBits bomb":      {tiffOfStrips(1, packBits, bits, len(bits)), "decompressed data too large"},
	} {
		_, err := DecodeImage(bytes.NewReader(test.file), []int{8, 8, 1}, FitStretch)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: the error is %v, want one that says %q", name, err, test.want)
		}
	}
	deflated.Reset()
	w.Reset(&deflated)
	if _, err := w.Write(make([]byte, 64<<20)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	bomb := tiffOfStrips(1, 8, deflated.Bytes(), deflated.Len())
	at := bytes.Index(bomb, []byte{0x16, 1, 4, 0}) // the rows of a strip
	binary.LittleEndian.PutUint32(bomb[at+8:], 1<<32-1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := DecodeImage(bytes.NewReader(bomb), []int{8, 8, 1}, FitStretch); err != nil {
		t.Errorf("a strip of all rows: %v", err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 40<<20 {
		t.Errorf("%d bytes are allocated for one pixel", got)
	}
	tiles := tiffOfStrips(1, 8, deflated.Bytes(), deflated.Len())
	at = bytes.Index(tiles, []byte{0x11, 1, 4, 0}) // in place of the strip and all after it
	for i, e := range [][2]uint32{{tiffTileWidth, 65535}, {tiffTileHeight, 65535}, {tiffTiles, 8}, {tiffTileCounts, uint32(deflated.Len())}} {
		binary.LittleEndian.PutUint16(tiles[at+tiffEntry*i:], uint16(e[0]))
		binary.LittleEndian.PutUint32(tiles[at+tiffEntry*i+4:], 1)
		binary.LittleEndian.PutUint32(tiles[at+tiffEntry*i+8:], e[1])
	}
	if _, err := DecodeImage(bytes.NewReader(tiles), []int{8, 8, 1}, FitStretch); err == nil || !strings.Contains(err.Error(), "its tiles are 65535x65535") {
		t.Errorf("huge tiles: the error is %v", err)
	}
	twice := tiffOfStrips(1, 1, []byte{7}, 1)
	at = bytes.Index(twice, []byte{0, 1, 4, 0}) // the first entry
	copy(twice[at+12:], slices.Clone(twice[at:at+12]))
	if _, err := DecodeImage(bytes.NewReader(twice), []int{8, 8, 1}, FitStretch); err == nil {
		t.Error("a tag that is there twice is no error")
	}
}

// tiffOfTiles is a gray TIFF in deflated tiles, each a ramp.
func tiffOfTiles(t *testing.T, width, height, tileWidth, tileHeight int) []byte {
	t.Helper()
	var deflated bytes.Buffer
	w := zlib.NewWriter(&deflated)
	ramp := make([]byte, tileWidth*tileHeight)
	for i := range ramp {
		ramp[i] = byte(i)
	}
	if _, err := w.Write(ramp); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	n := (width + tileWidth - 1) / tileWidth * ((height + tileHeight - 1) / tileHeight)
	const begin = 8
	offsets := uint32(begin + n*deflated.Len())
	counts := offsets + 4*uint32(n)
	out := binary.LittleEndian.AppendUint32([]byte("II*\x00"), counts+4*uint32(n))
	out = append(out, bytes.Repeat(deflated.Bytes(), n)...)
	for i := range n {
		out = binary.LittleEndian.AppendUint32(out, uint32(begin+i*deflated.Len()))
	}
	for range n {
		out = binary.LittleEndian.AppendUint32(out, uint32(deflated.Len()))
	}
	entries := [][3]uint32{
		{256, 1, uint32(width)}, {257, 1, uint32(height)}, {258, 1, 8}, {259, 1, 8}, {262, 1, 1}, {277, 1, 1},
		{tiffTileWidth, 1, uint32(tileWidth)}, {tiffTileHeight, 1, uint32(tileHeight)}, {tiffTiles, uint32(n), offsets}, {tiffTileCounts, uint32(n), counts},
	}
	if n == 1 {
		entries[8][2], entries[9][2] = begin, uint32(deflated.Len())
	}
	out = binary.LittleEndian.AppendUint16(out, uint16(len(entries)))
	for _, e := range entries {
		out = binary.LittleEndian.AppendUint16(out, uint16(e[0]))
		out = binary.LittleEndian.AppendUint16(out, 4) // LONG
		out = binary.LittleEndian.AppendUint32(out, e[1])
		out = binary.LittleEndian.AppendUint32(out, e[2])
	}
	return append(out, 0, 0, 0, 0)
}

// Tiles may reach beyond the image, but all together not far: each is unpacked as a whole.
func TestTIFFTilesAreBounded(t *testing.T) {
	for _, test := range []struct {
		width, height, tileWidth, tileHeight int
		want                                 string // in the error; "" is none
	}{
		{300, 300, 256, 256, ""},
		{8, 8, 1024, 1024, ""},
		{1100, 1100, 1024, 1024, ""},
		{40, 2000, 256, 256, ""},
		{1, 4096, 1024, 1024, "its tiles are 1024x1024, of an image of 4096x1"},
		{4096, 1, 8, 131072, "its tiles are 131072x8, of an image of 1x4096"},
	} {
		_, err := DecodeImage(bytes.NewReader(tiffOfTiles(t, test.width, test.height, test.tileWidth, test.tileHeight)), []int{8, 8, 1}, FitStretch)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%dx%d in tiles of %dx%d: the error is %v, want one that says %q", test.height, test.width, test.tileHeight, test.tileWidth, err, test.want)
		}
	}
}

// Tiles that reach beyond the image on the right and below are cut there.
func TestTIFFTiles(t *testing.T) {
	const width, height, side = 20, 18, 16
	var p decodedImage
	if err := p.decode(t.Context(), tiffOfTiles(t, width, height, side, side), newDecoding(imageSize{})); err != nil || p.err != nil {
		t.Fatalf("%v, %+v", err, p.err)
	}
	for i, got := range p.appendTo(nil, 1) {
		if x, y := i%width, i/width; int(got) != x%side+side*(y%side) {
			t.Fatalf("the pixel at %d, %d is %d, want %d", x, y, got, x%side+side*(y%side))
		}
	}
}
