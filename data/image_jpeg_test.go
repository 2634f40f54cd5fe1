package data

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// progressive returns a gray progressive JPEG whose blocks are all zero. Each of its scans has as few
// bytes as can be: runs of 32767 empty blocks.
func progressive(side, scans int) []byte {
	var b bytes.Buffer
	segment := func(marker byte, body ...byte) {
		b.Write([]byte{0xff, marker})
		b.Write(binary.BigEndian.AppendUint16(nil, uint16(2+len(body))))
		b.Write(body)
	}
	b.Write([]byte{0xff, 0xd8})
	segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)
	segment(0xc2, 8, byte(side>>8), byte(side), byte(side>>8), byte(side), 1, 1, 0x11, 0)
	code := append([]byte{1}, make([]byte, 15)...) // one code: the bit 0
	segment(0xc4, slices.Concat([]byte{0x10}, code, []byte{0xe0})...)
	var coded []byte
	blocks := (side + 7) / 8 * ((side + 7) / 8)
	text := strings.Repeat("0"+strings.Repeat("1", 14), (blocks+32766)/32767) // runs of 2^14 + 0b11111111111111 blocks
	for bits := range slices.Chunk([]byte(text+"1111111"), 8) {
		v, _ := strconv.ParseUint(string(bits), 2, 8) // they are 0 and 1
		if len(bits) < 8 {
			break
		}
		if coded = append(coded, byte(v)); v == 0xff {
			coded = append(coded, 0)
		}
	}
	for range scans {
		segment(0xda, 1, 1, 0x00, 1, 1, 0)
		b.Write(coded)
	}
	b.Write([]byte{0xff, 0xd9})
	return b.Bytes()
}

// A progressive JPEG of 16 MiB could keep a service busy for hours.
func TestJPEGScansAreBounded(t *testing.T) {
	for _, test := range []struct {
		scans int
		want  string // in the error; "" is none
	}{
		{1, ""},
		{maxScans, ""},
		{maxScans + 1, "it goes more than 30 times over its pixels"},
		{100000, "it goes more than 30 times over its pixels"},
	} {
		_, err := DecodeImage(bytes.NewReader(progressive(64, test.scans)), []int{64, 64, 1}, FitExact)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%d scans: the error is %v, want one that says %q", test.scans, err, test.want)
		}
	}
}
