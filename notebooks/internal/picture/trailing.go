package picture

import (
	"encoding/binary"
	"fmt"
	"io"

	"ngebm/data/format"
)

// maxScans limits the scans of a progressive JPEG: a few bytes can ask for one more pass.
const maxScans = 30

// pngEnd returns where a PNG ends, and the pixels of the frames of an animated one.
func pngEnd(content []byte) (end, pixels int, err error) {
	const signature, around, size = 8, 12, 12 // bytes: signature; chunk header and checksum; frame number and size
	for at := signature; at+around <= len(content); {
		length, kind := int(binary.BigEndian.Uint32(content[at:])), string(content[at+4:at+8])
		data := content[at+8:]
		if kind == "IEND" {
			return at + around + length, pixels, nil
		}
		if kind == "fcTL" && len(data) >= size {
			if pixels, err = addFrame(pixels, int(binary.BigEndian.Uint32(data[4:])), int(binary.BigEndian.Uint32(data[8:]))); err != nil {
				return 0, 0, err
			}
		}
		at += around + length
	}
	return 0, 0, io.ErrUnexpectedEOF
}

// jpegEnd returns where a JPEG ends.
func jpegEnd(content []byte) (end int, err error) {
	scans, end := format.JPEGScans(content, maxScans)
	switch {
	case scans > maxScans:
		return 0, fmt.Errorf("it goes more than %d times over its pixels: save it without progressive scans", maxScans)
	case end == 0:
		return 0, io.ErrUnexpectedEOF
	}
	return end, nil
}

// gifEnd returns where a GIF ends, and the pixels of all its frames.
func gifEnd(content []byte) (end, pixels int, err error) {
	const header, frame = 13, 10
	table := func(flags byte) int { // bytes of the following color table
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	if len(content) < header {
		return 0, 0, io.ErrUnexpectedEOF
	}
	pictures := 0
	for at := header + table(content[10]); at < len(content); {
		switch content[at] {
		case 0x21: // extension: its kind, then blocks
			at += 2
		case 0x2c: // frame: position, size and flags, color table, code size, then blocks
			if at+frame > len(content) {
				return 0, 0, io.ErrUnexpectedEOF
			}
			f := content[at:]
			pixels, err = addFrame(pixels, int(f[5])|int(f[6])<<8, int(f[7])|int(f[8])<<8)
			if pictures++; pictures > maxAnimation {
				err = fmt.Errorf("it has more than %d pictures", maxAnimation)
			}
			if err != nil {
				return 0, 0, err
			}
			at += frame + table(f[9]) + 1
		case 0x3b:
			return at + 1, pixels, nil
		default:
			return 0, 0, fmt.Errorf("the byte %#x begins nothing that a GIF has", content[at])
		}
		for at < len(content) && content[at] != 0 {
			at += 1 + int(content[at])
		}
		at++
	}
	return 0, 0, io.ErrUnexpectedEOF
}

// addFrame adds the pixels of one frame of an animation.
func addFrame(pixels, width, height int) (int, error) {
	if width > 0 && height > (maxAnimationPixels-pixels)/width {
		return 0, fmt.Errorf("its pictures have more than %d pixels together", maxAnimationPixels)
	}
	return pixels + width*height, nil
}
