package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// bits writes least significant bits first.
type bits struct {
	out  []byte
	acc  uint64
	have int
}

func (b *bits) put(v uint64, n int) {
	for b.acc, b.have = b.acc|v<<b.have, b.have+n; b.have >= 8; b.acc, b.have = b.acc>>8, b.have-8 {
		b.out = append(b.out, byte(b.acc))
	}
}

// vp8lFrame is a lossless WebP frame of one color, in 17 bytes whatever its size: no
// transform, no cache, five codes of one symbol, which take no bits a pixel.
func vp8lFrame(width, height int) []byte {
	var b bits
	b.put(0x2f, 8)
	b.put(uint64(width-1), 14)
	b.put(uint64(height-1), 14)
	b.put(0, 4+3)
	for range 5 {
		b.put(1, 1)
		b.put(0, 3)
	}
	b.put(0, 8)
	return b.out
}

// vp8lCodes is a lossless WebP frame of 4x4 pixels that defines 65536 groups of codes.
func vp8lCodes() []byte {
	var b bits
	b.put(0x2f, 8)
	b.put(3, 14)
	b.put(3, 14)
	b.put(0, 4+2)
	b.put(1, 1+3+1)
	for _, symbol := range []uint64{255, 255, 0, 0, 0} { // of the image of groups: green and red are the last one's number
		b.put(0b101, 3)
		b.put(symbol, 8)
	}
	for range 65536 * 5 {
		b.put(1, 1+3)
	}
	b.put(0, 8)
	return b.out
}

func riff(id string, data []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(data)))
	out = append(out, data...)
	return append(out, make([]byte, len(data)&1)...)
}

func webpOfChunks(chunks ...[]byte) []byte {
	return riff("RIFF", append([]byte("WEBP"), slices.Concat(chunks...)...))
}

func u24(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16)} }

// vp8x is the extended header of a canvas, animated or not.
func vp8x(width, height int, flags byte) []byte {
	return riff("VP8X", slices.Concat([]byte{flags, 0, 0, 0}, u24(width-1), u24(height-1)))
}

// anmf is a frame of an animation at a corner.
func anmf(x, y, width, height int, frame []byte) []byte {
	return riff("ANMF", slices.Concat(u24(x/2), u24(y/2), u24(width-1), u24(height-1), u24(100), []byte{0}, frame))
}

// gifOf is the header of a GIF with a frame at a corner, and two bytes of data.
func gifOf(screen, corner, size [2]int) []byte {
	out := []byte("GIF89a")
	for _, n := range append(screen[:], -1) {
		if n < 0 {
			out = append(out, 0x80, 0, 0, 1, 2, 3, 4, 5, 6, ',')
			continue
		}
		out = binary.LittleEndian.AppendUint16(out, uint16(n))
	}
	for _, n := range append(corner[:], size[:]...) {
		out = binary.LittleEndian.AppendUint16(out, uint16(n))
	}
	return append(out, 0, 2, 2, 0x4c, 0x01, 0, ';')
}

// tiffOf is a gray TIFF of a size whose one strip is compressed by Deflate.
func tiffOf(t *testing.T, width, height uint32, unpacked int) []byte {
	t.Helper()
	var strip bytes.Buffer
	w := zlib.NewWriter(&strip)
	if _, err := w.Write(make([]byte, unpacked)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	entries := [][2]uint32{{256, width}, {257, height}, {258, 8}, {259, 8}, {262, 1}, {273, 0}, {277, 1}, {278, height}, {279, uint32(strip.Len())}}
	out := binary.LittleEndian.AppendUint16([]byte("II*\x00\x08\x00\x00\x00"), uint16(len(entries)))
	for _, e := range entries {
		if e[0] == 273 {
			e[1] = uint32(8 + 2 + 12*len(entries) + 4)
		}
		out = binary.LittleEndian.AppendUint16(out, uint16(e[0]))
		out = binary.LittleEndian.AppendUint16(out, 4)
		out = binary.LittleEndian.AppendUint32(out, 1)
		out = binary.LittleEndian.AppendUint32(out, e[1])
	}
	return append(append(out, 0, 0, 0, 0), strip.Bytes()...)
}

// bmpOf is the header of a BMP of 24 bits a pixel.
func bmpOf(width, height int32) []byte {
	out := append([]byte("BM"), make([]byte, 52)...)
	binary.LittleEndian.PutUint32(out[10:], 54)
	binary.LittleEndian.PutUint32(out[14:], 40)
	binary.LittleEndian.PutUint32(out[18:], uint32(width))
	binary.LittleEndian.PutUint32(out[22:], uint32(height))
	binary.LittleEndian.PutUint16(out[26:], 1)
	binary.LittleEndian.PutUint16(out[28:], 24)
	return out
}

// The size that counts is that of the frame which is decoded, whatever other headers say,
// and it is compared with the bounds before memory is taken.
func TestImageBombs(t *testing.T) {
	cut := vp8lFrame(64, 64)
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"WebP, canvas of one pixel":       {webpOfChunks(vp8x(1, 1, 0), riff("VP8L", vp8lFrame(16384, 16384))), "does not decode: its frame is 16384x16384, its canvas 1x1"},
		"WebP, one pixel on a canvas":     {webpOfChunks(vp8x(64, 64, 0), riff("VP8L", vp8lFrame(1, 1))), "its frame is 1x1, its canvas 64x64"},
		"WebP, no canvas":                 {webpOfChunks(riff("VP8L", vp8lFrame(16384, 16384))), "is 16384x16384, but images must have 1 to"},
		"WebP, an honest canvas":          {webpOfChunks(vp8x(16384, 16384, 0), riff("VP8L", vp8lFrame(16384, 16384))), "is 16384x16384, but images must have 1 to"},
		"WebP, alpha of another size":     {webpOfChunks(vp8x(1<<24, 1<<24, 16), riff("ALPH", []byte{1}), riff("VP8L", vp8lFrame(4, 4))), "its frame is 4x4, its canvas 16777216x16777216"},
		"WebP, animated":                  {webpOfChunks(vp8x(1, 1, 2), anmf(0, 0, 1, 1, riff("VP8L", vp8lFrame(16384, 16384)))), "its first frame is 16384x16384, its header says 1x1"},
		"WebP, animated, leaves":          {webpOfChunks(vp8x(4, 4, 2), anmf(2, 2, 4, 4, riff("VP8L", vp8lFrame(4, 4)))), "its first frame exceeds its canvas of 4x4"},
		"WebP, animated, large canvas":    {webpOfChunks(vp8x(1<<24, 1<<24, 2), anmf(0, 0, 4, 4, riff("VP8L", vp8lFrame(4, 4)))), "is 16777216x16777216, but images must have 1 to"},
		"WebP, animated without a frame":  {webpOfChunks(vp8x(4, 4, 2), anmf(0, 0, 4, 4, riff("ALPH", nil))), "its first frame is empty"},
		"WebP, animated, cut":             {webpOfChunks(vp8x(4, 4, 2), riff("ANMF", make([]byte, 9))), "it is truncated in its first frame"},
		"WebP, codes":                     {webpOfChunks(riff("VP8L", vp8lCodes())), "its frame of 4x4 has 163853 bytes of data, more than the 4224 that it may have"},
		"WebP, animated, codes":           {webpOfChunks(vp8x(4, 4, 2), anmf(0, 0, 4, 4, riff("VP8L", vp8lCodes()))), "its frame of 4x4 has 163853 bytes"},
		"WebP without a frame":            {webpOfChunks(vp8x(4, 4, 0), riff("EXIF", nil)), "it has no frame"},
		"WebP, extended header too short": {webpOfChunks(riff("VP8X", make([]byte, 4))), "its extended header is damaged"},
		"WebP, cut":                       {webpOfChunks(riff("VP8L", cut))[:24], `it is truncated in its chunk "VP8L"`},
		"WebP, chunk of 4 GiB":            {slices.Concat([]byte("RIFF\xff\xff\xff\xffWEBP"), []byte("VP8L\xff\xff\xff\xff"), cut), `it is truncated in its chunk "VP8L"`},
		"GIF, frame beyond the screen":    {gifOf([2]int{1, 1}, [2]int{0, 0}, [2]int{65535, 65535}), "is 65535x65535, but images must have 1 to"},
		"GIF, corner far away":            {gifOf([2]int{1, 1}, [2]int{65535, 65535}, [2]int{1, 1}), "is 65536x65536, but images must have 1 to"},
		"GIF, large screen":               {gifOf([2]int{65535, 65535}, [2]int{0, 0}, [2]int{1, 1}), "is 65535x65535, but images must have 1 to"},
		"PNG":                             {withSize(pngOf(t, grey(1, 1, 0)), 1<<15, 1<<15), "is 32768x32768, but images must have 1 to"},
		"BMP":                             {bmpOf(1<<30, 1<<30), "is 1073741824x1073741824, but images must have 1 to"},
		"BMP from the top":                {bmpOf(1<<14, -1<<31), "is 2147483648x16384, but images must have 1 to"},
		"BMP, nothing in it":              {bmpOf(2000, 2000), "does not decode: unexpected EOF"},
		"BMP without width":               {bmpOf(0, 10), "does not decode: bmp: unsupported BMP image"},
		"TIFF":                            {tiffOf(t, 1<<20, 1<<20, 10), "is 1048576x1048576, but images must have 1 to"},
		"PPM":                             {[]byte("P6 1000000 1000000 255\n123"), "does not decode: unexpected EOF"},
		"plain PBM":                       {[]byte("P1 16777216 16777216\n1"), "does not decode: unexpected EOF"},
		"PAM":                             {[]byte("P7\nWIDTH 99999999\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nENDHDR\n1"), "its header says 1x99999999"},
	} {
		t.Run(name, func(t *testing.T) {
			root := writeFolder(t, []archived{{"a/1", c.content}, {"a/2.png", c.content}})
			for _, size := range []string{"", "@8"} {
				staysSmall(t, func() {
					_, _, err := Open(t.Context(), "folder:"+root+size, Options{Cache: t.TempDir()})
					says(t, err, "a/2.png ", c.want)
				})
			}
		})
	}
}

// What a small header hides in compressed data is not unpacked.
func TestTIFFBomb(t *testing.T) {
	content := tiffOf(t, 4, 4, 200<<20)
	staysSmall(t, func() {
		root := writeFolder(t, []archived{{"a/1.tif", content}, {"a/2.tif", content}})
		train, _ := open(t, "folder:"+root, Options{Cache: t.TempDir()})
		if !slices.Equal(train.Shape, []int{4, 4, 1}) {
			t.Errorf("got %v", train)
		}
	})
}

// An honest frame of one color is read.
func TestOneColorWebP(t *testing.T) {
	for _, content := range [][]byte{
		webpOfChunks(riff("VP8L", vp8lFrame(64, 64))), webpOfChunks(vp8x(64, 64, 0), riff("VP8L", vp8lFrame(64, 64))),
		webpOfChunks(vp8x(64, 64, 2), anmf(0, 0, 64, 64, riff("VP8L", vp8lFrame(64, 64)))),
	} {
		train, _ := open(t, "folder:"+writeFolder(t, []archived{{"a/1.webp", content}, {"a/2.webp", content}}), Options{Cache: t.TempDir()})
		if !slices.Equal(train.Shape, []int{64, 64, 3}) || train.Lossy {
			t.Errorf("got %v, lossy %v", train, train.Lossy)
		}
	}
}

// The orientation in EXIF data is not applied, as Pillow and torchvision do not by
// default: an image that is to be turned keeps its width and height.
func TestOrientationIsNotApplied(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("testdata", "pillow", "turned.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), "Exif\x00\x00") {
		t.Fatal("it has no EXIF data")
	}
	train, _ := open(t, "folder:"+writeFolder(t, []archived{{"a/1.jpg", content}, {"a/2.jpg", content}}), Options{Cache: t.TempDir()})
	if !slices.Equal(train.Shape, []int{8, 16, 3}) {
		t.Errorf("its shape is %v, want 8 rows of 16", train.Shape)
	}
}
