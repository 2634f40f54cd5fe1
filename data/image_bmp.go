package data

import (
	"bytes"
	"encoding/binary"
	"image/color"
	"slices"

	"golang.org/x/image/bmp"
)

// openBMP opens an image. Its pixels may have indices beyond its palette, which x/image/bmp refuses
// and Pillow does not.
func openBMP(content []byte) (frame, error) {
	c, err := bmp.DecodeConfig(bytes.NewReader(content))
	if palette, ok := c.ColorModel.(color.Palette); ok && err == nil {
		content = withWholePalette(content, palette)
	}
	return standard(false, bmp.DecodeConfig, bmp.Decode)(content)
}

// withWholePalette returns a BMP of that palette with as many colors as its indices can name.
func withWholePalette(content []byte, palette color.Palette) []byte {
	const offset, info, bits, used = 10, 14, 28, 46 // of numbers in the header
	colors := 1 << binary.LittleEndian.Uint16(content[bits:])
	if len(palette) == colors {
		return content
	}
	begin, pixels := info+binary.LittleEndian.Uint32(content[info:]), binary.LittleEndian.Uint32(content[offset:])
	whole := slices.Clone(content[:begin])
	for _, c := range wholePalette(palette)[:colors] {
		r, g, b, _ := c.RGBA()
		whole = append(whole, byte(b>>8), byte(g>>8), byte(r>>8), 0)
	}
	binary.LittleEndian.PutUint32(whole[offset:], uint32(len(whole)))
	binary.LittleEndian.PutUint32(whole[used:], 0) // all
	return append(whole, content[pixels:]...)
}
