package data

import (
	"encoding/binary"
	"image"

	"golang.org/x/image/tiff"
)

// openTIFF opens the first image. For fax compression with 0 as black, x/image/tiff returns the
// negative, which is inverted here.
func openTIFF(content []byte) (frame, error) {
	f, err := standard(false, tiff.DecodeConfig, tiff.Decode)(content)
	compression, photometric := tiffTags(content)
	if isFax := compression == 3 || compression == 4; err != nil || !isFax || photometric != 1 {
		return f, err
	}
	return frame{f.size, false, func() (image.Image, error) {
		img, err := f.decode()
		if gray, ok := img.(*image.Gray); ok && err == nil {
			for i, v := range gray.Pix {
				gray.Pix[i] = 0xff - v
			}
		}
		return img, err
	}}, nil
}

// tiffTags returns two tags of the first image, 0 if absent: compression and photometric interpretation.
func tiffTags(content []byte) (compression, photometric uint16) {
	var order binary.ByteOrder = binary.LittleEndian
	if begins(content, "MM") {
		order = binary.BigEndian
	}
	if len(content) < 8 {
		return 0, 0
	}
	at := int64(order.Uint32(content[4:]))
	if at > int64(len(content))-2 {
		return 0, 0
	}
	entries := content[at+2:]
	for range order.Uint16(content[at:]) {
		if len(entries) < 12 {
			break
		}
		switch value := order.Uint16(entries[8:]); order.Uint16(entries) {
		case 259:
			compression = value
		case 262:
			photometric = value
		}
		entries = entries[12:]
	}
	return compression, photometric
}
