package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
)

// openWebP opens the first frame, the only one unless the file is an animation. The size is that of
// the frame itself, which an extended header may contradict.
func openWebP(content []byte) (frame, error) {
	whole := errors.New("it has no frame")
	canvas := image.Point{}
	for id, data := range riffChunks(content[12:], &whole) {
		switch id {
		case "VP8X":
			if len(data) != 10 {
				return frame{}, errors.New("its extended header is damaged")
			}
			canvas = image.Pt(1+uint24(data[4:]), 1+uint24(data[7:]))
		case "VP8 ", "VP8L":
			f, err := openWebPFrame(id, data)
			if err == nil && canvas != (image.Point{}) && canvas != f.size {
				err = fmt.Errorf("its frame is %s, its canvas %s", heightByWidth(f.size), heightByWidth(canvas))
			}
			return f, err
		case "ANMF":
			return openWebPAnimation(data, canvas)
		}
	}
	return frame{}, whole
}

// riffChunks yields the chunks in order. A truncated chunk ends the sequence, with the error in whole.
func riffChunks(rest []byte, whole *error) func(yield func(id string, data []byte) bool) {
	return func(yield func(id string, data []byte) bool) {
		for len(rest) >= 8 {
			id, n := string(rest[:4]), int64(binary.LittleEndian.Uint32(rest[4:]))
			if rest = rest[8:]; n > int64(len(rest)) {
				*whole = fmt.Errorf("it is truncated in its chunk %q", id)
				return
			}
			if !yield(id, rest[:n]) {
				return
			}
			rest = rest[min(n+n&1, int64(len(rest))):] // padded to an even length
		}
	}
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// Lossless data may define groups of prefix codes, of which x/image/vp8l keeps up to 2600: up to 48 KiB of
// memory each, which 10 to 30 bytes of the data define. So the data are bounded by the pixels, each of
// which takes less than 8 bytes, and their bytes take room: images with many groups wait for one another.
const (
	maxLosslessHead = 4096 // bytes besides those of pixels: one group of codes, transforms and a palette
	losslessRoom    = 32   // pixels of room for each byte
)

// openWebPFrame opens the data of one frame.
func openWebPFrame(id string, data []byte) (frame, error) {
	if id == "VP8L" {
		c, err := vp8l.DecodeConfig(bytes.NewReader(data))
		if maxBytes := maxLosslessHead + 8*int64(c.Width)*int64(c.Height); err == nil && int64(len(data)) > maxBytes {
			err = fmt.Errorf("its frame of %dx%d has %d bytes of data, more than the %d that it may have: save it again", c.Height, c.Width, len(data), maxBytes)
		}
		return frame{size: image.Pt(c.Width, c.Height), room: losslessRoom * int64(len(data)), decode: func() (image.Image, error) {
			return vp8l.Decode(bytes.NewReader(data))
		}}, err
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(data), len(data))
	h, err := d.DecodeFrameHeader()
	return frame{size: image.Pt(h.Width, h.Height), lossy: true, decode: func() (image.Image, error) {
		planes, err := d.DecodeFrame()
		if err != nil {
			return nil, err
		}
		stretch(planes)
		return planes, nil
	}}, err
}

// openWebPAnimation opens the first frame of an animation, surrounded by black as in Pillow.
func openWebPAnimation(data []byte, canvas image.Point) (frame, error) {
	if len(data) < 16 {
		return frame{}, errors.New("it is truncated in its first frame")
	}
	corner := image.Pt(2*uint24(data), 2*uint24(data[3:]))
	bounds := image.Rectangle{corner, corner.Add(image.Pt(1+uint24(data[6:]), 1+uint24(data[9:])))}
	if !bounds.In(image.Rectangle{Max: canvas}) {
		return frame{}, fmt.Errorf("its first frame exceeds its canvas of %s", heightByWidth(canvas))
	}
	whole := errors.New("its first frame is empty")
	for id, data := range riffChunks(data[16:], &whole) {
		if id != "VP8 " && id != "VP8L" {
			continue
		}
		f, err := openWebPFrame(id, data)
		if err != nil {
			return frame{}, err
		}
		if f.size != bounds.Size() {
			return frame{}, fmt.Errorf("its first frame is %s, its header says %s", heightByWidth(f.size), heightByWidth(bounds.Size()))
		}
		return frame{size: canvas, room: f.room, lossy: f.lossy, decode: func() (image.Image, error) {
			img, err := f.decode()
			if err != nil || bounds.Size() == canvas {
				return img, err
			}
			return onBlack{img, canvas, corner}, nil
		}}, nil
	}
	return frame{}, whole
}

// onBlack is an image within a larger black one.
type onBlack struct {
	image.Image
	size, corner image.Point
}

func (b onBlack) Bounds() image.Rectangle { return image.Rectangle{Max: b.size} }

func (b onBlack) At(x, y int) color.Color {
	p := image.Pt(x, y).Sub(b.corner).Add(b.Image.Bounds().Min)
	if !p.In(b.Image.Bounds()) {
		return color.NRGBA{A: 0xff}
	}
	return b.Image.At(p.X, p.Y)
}

// stretch corrects the colors of a lossy WebP. Its luma and chroma have the ranges 16 to 235 and 16
// to 240 (Rec. 601, RFC 6386 section 9.2), but the library returns them as if the range were 0 to
// 255, as in JPEG.
func stretch(planes *image.YCbCr) {
	for i, y := range planes.Y {
		planes.Y[i] = fullRange(y, 16, 0, 219)
	}
	for i := range planes.Cb {
		planes.Cb[i] = fullRange(planes.Cb[i], 128, 128, 224)
		planes.Cr[i] = fullRange(planes.Cr[i], 128, 128, 224)
	}
}

// fullRange maps v linearly so that span becomes 255 and from becomes to.
func fullRange(v uint8, from, to, span float64) uint8 {
	return uint8(math.Round(min(max((float64(v)-from)*255/span+to, 0), 255)))
}
