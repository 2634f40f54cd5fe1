package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"slices"

	"golang.org/x/image/tiff"
)

// maxBlocks bounds the strips or tiles of a TIFF, each of which costs a decoder. 25 Mi pixels in tiles of
// 16x16, the smallest, have 102400.
const maxBlocks = 1 << 17

// Tags of a TIFF that are used here.
const (
	tiffHeight      = 257
	tiffCompression = 259
	tiffPhotometric = 262
	tiffRows        = 278 // of a strip
	tiffStripCounts = 279 // their bytes
	tiffTileWidth   = 322
	tiffTileHeight  = 323
	tiffTileCounts  = 325
)

// openTIFF opens the first image. For fax compression with 0 as black, x/image/tiff returns the
// negative, which is inverted here.
func openTIFF(content []byte) (frame, error) {
	tags, err := tiffTags(content)
	if err != nil {
		return frame{}, err
	}
	first := func(tag uint16) uint32 { return append(tags[tag], 0)[0] }
	if height := first(tiffHeight); first(tiffRows) > height {
		content = setRows(content, height)
	}
	f, err := standard(false, tiff.DecodeConfig, tiff.Decode)(content)
	if err != nil {
		return f, err
	}
	if err := checkTiles(int64(first(tiffTileWidth)), int64(first(tiffTileHeight)), f.size); err != nil {
		return frame{}, err
	}
	for _, tag := range []uint16{tiffStripCounts, tiffTileCounts} {
		if err := checkBlocks(content, tags[tag]); err != nil {
			return frame{}, err
		}
	}
	if isFax := first(tiffCompression) == 3 || first(tiffCompression) == 4; !isFax || first(tiffPhotometric) != 1 {
		return f, err
	}
	return frame{size: f.size, decode: func() (image.Image, error) {
		img, err := f.decode()
		if gray, ok := img.(*image.Gray); ok && err == nil {
			for i, v := range gray.Pix {
				gray.Pix[i] = 0xff - v
			}
		}
		return img, err
	}}, nil
}

// maxPixelsOf is how many pixels a strip or tile of an image of that size may have: a tile reaches
// beyond the image.
func maxPixelsOf(size image.Point) int64 { return int64(size.X)*int64(size.Y) + 1<<20 }

// checkTiles refuses tiles that are larger than maxPixelsOf, or have together far more pixels than the
// image: x/image/tiff unpacks up to 8 bytes for each. Tiles that are no wider and no higher than the
// image have together less than four times its pixels. Strips are as wide as the image and, since
// setRows, no higher.
func checkTiles(width, height int64, size image.Point) error {
	if width == 0 || height == 0 {
		return nil // strips, or an error of x/image/tiff
	}
	cover := func(side int, tile int64) int64 { return (int64(side) + tile - 1) / tile * tile }
	pixels := int64(size.X) * int64(size.Y)
	if width > maxPixelsOf(size)/height || cover(size.X, width) > (4*pixels+1<<20)/max(1, cover(size.Y, height)) {
		return fmt.Errorf("its tiles are %dx%d, of an image of %s: save it again, with smaller tiles", height, width, heightByWidth(size))
	}
	return nil
}

// checkBlocks refuses strips or tiles of these bytes that overlap: x/image/tiff copies each, which would
// cost it far more time than the file has bytes.
func checkBlocks(content []byte, counts []uint32) error {
	var total int64
	for i, count := range counts {
		if total += int64(count); i > 0 && total > 2*int64(len(content)) {
			return errors.New("its strips or tiles overlap: save it again")
		}
	}
	return nil
}

// setRows returns a copy of a TIFF whose one strip has as many rows as the image. Files may say any larger
// number, by which x/image/tiff bounds what a strip unpacks to.
func setRows(content []byte, rows uint32) []byte {
	content = slices.Clone(content)
	order, entries := tiffEntries(content)
	for entry := range slices.Chunk(entries, tiffEntry) {
		if order.Uint16(entry) == tiffRows {
			order.PutUint16(entry[2:], 4) // LONG
			order.PutUint32(entry[4:], 1)
			order.PutUint32(entry[8:], rows)
		}
	}
	return content
}

// tiffEntry is the bytes of an entry: tag, type, count, value or offset.
const tiffEntry = 12

// tiffEntries returns the entries of the first image.
func tiffEntries(content []byte) (order binary.ByteOrder, entries []byte) {
	if order = binary.LittleEndian; begins(content, "MM") {
		order = binary.BigEndian
	}
	if len(content) < 8 {
		return order, nil
	}
	at := int64(order.Uint32(content[4:]))
	if at > int64(len(content))-2 {
		return order, nil
	}
	entries = content[at+2:]
	n := min(int(order.Uint16(content[at:])), len(entries)/tiffEntry)
	return order, entries[:n*tiffEntry]
}

// tiffTags returns the values of the tags of the first image that x/image/tiff reads. More values than
// maxBlocks of one are an error, of whatever type.
func tiffTags(content []byte) (map[uint16][]uint32, error) {
	read := []uint16{256, 257, 258, 259, 262, 266, 273, 278, 279, 292, 293, 317, 320, 322, 323, 324, 325, 338, 339}
	tags := map[uint16][]uint32{}
	order, entries := tiffEntries(content)
	for entry := range slices.Chunk(entries, tiffEntry) {
		tag, kind, count := order.Uint16(entry), order.Uint16(entry[2:]), order.Uint32(entry[4:])
		if !slices.Contains(read, tag) {
			continue
		}
		if count > maxBlocks {
			return nil, fmt.Errorf("tag %d has %d values, more than %d: save it again, with larger strips or tiles", tag, count, maxBlocks)
		}
		width, isNumber := map[uint16]uint32{1: 1, 3: 2, 4: 4}[kind]
		if !isNumber || tags[tag] != nil {
			continue
		}
		values := entry[8:]
		if count*width > 4 {
			values = content[min(int64(order.Uint32(values)), int64(len(content))):]
		}
		for ; count > 0 && len(values) >= int(width); count-- {
			switch width {
			case 1:
				tags[tag] = append(tags[tag], uint32(values[0]))
			case 2:
				tags[tag] = append(tags[tag], uint32(order.Uint16(values)))
			case 4:
				tags[tag] = append(tags[tag], order.Uint32(values))
			}
			values = values[width:]
		}
	}
	return tags, nil
}
