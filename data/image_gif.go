package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"io"
	"slices"
)

// gifHeader is everything before the data of a GIF's first frame.
type gifHeader struct {
	screen     image.Point     // the logical screen
	frame      image.Rectangle // of the first frame, on the screen
	palette    color.Palette   // of 256 colors
	background uint8           // index of the pixels outside of the frame
	interlaced bool
	data       []byte // what follows the frame's palette
}

// openGIF opens the first frame as Pillow shows it without transparency: on the whole logical screen,
// enlarged if the frame exceeds it. Transparent pixels get the color of their index in the palette,
// pixels outside of the frame the transparent index, or 0.
func openGIF(content []byte) (frame, error) {
	h, err := readGIFHeader(content)
	if err != nil {
		return frame{}, err
	}
	size := image.Pt(max(h.screen.X, h.frame.Max.X), max(h.screen.Y, h.frame.Max.Y))
	return frame{size: size, decode: func() (image.Image, error) { return h.decode(size) }}, nil
}

// decode decodes the frame as a GIF without anything else, so that image/gif does not see the
// transparent index, whose pixels it would make black.
func (h *gifHeader) decode(size image.Point) (image.Image, error) {
	alone := []byte("GIF89a")
	point := func(p image.Point) {
		alone = binary.LittleEndian.AppendUint16(alone, uint16(p.X))
		alone = binary.LittleEndian.AppendUint16(alone, uint16(p.Y))
	}
	point(h.frame.Size())
	alone = append(alone, 0xf7, 0, 0) // a global palette of 256 colors
	for _, c := range h.palette {
		c := c.(color.NRGBA)
		alone = append(alone, c.R, c.G, c.B)
	}
	alone = append(alone, ',')
	point(image.Point{})
	point(h.frame.Size())
	flags := byte(0)
	if h.interlaced {
		flags = gifInterlaced
	}
	alone = append(alone, flags)
	img, err := gif.Decode(io.MultiReader(bytes.NewReader(alone), bytes.NewReader(h.data)))
	if err != nil {
		return nil, err
	}
	decoded := img.(*image.Paletted)
	canvas := image.NewPaletted(image.Rectangle{Max: size}, h.palette)
	for i := range canvas.Pix {
		canvas.Pix[i] = h.background
	}
	for y := range h.frame.Dy() {
		copy(canvas.Pix[canvas.PixOffset(h.frame.Min.X, h.frame.Min.Y+y):], decoded.Pix[y*decoded.Stride:][:h.frame.Dx()])
	}
	return canvas, nil
}

const (
	gifHasPalette = 0x80
	gifInterlaced = 0x40
)

var errGIFCut = errors.New("it is truncated before its first frame")

// readGIFHeader reads up to the first frame's data.
func readGIFHeader(content []byte) (h gifHeader, err error) {
	rest := content
	take := func(n int) (b []byte) {
		if err == nil && n > len(rest) {
			err = errGIFCut
		}
		if err != nil {
			return make([]byte, n)
		}
		b, rest = rest[:n], rest[n:]
		return b
	}
	at := func(b []byte) image.Point {
		return image.Pt(int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:])))
	}
	take(6) // the signature
	screen := take(7)
	h.screen, h.palette = at(screen), grayPalette()
	if flags := screen[4]; flags&gifHasPalette != 0 {
		h.setPalette(take(3 << (flags&7 + 1)))
	}
	for err == nil {
		switch kind := take(1)[0]; {
		case err != nil:
		case kind == '!':
			isControl := take(1)[0] == 0xf9
			for n := take(1)[0]; n > 0 && err == nil; n = take(1)[0] {
				block := take(int(n))
				if isControl && n >= 4 && block[0]&1 != 0 {
					h.background = block[3]
				}
				isControl = false // only its first block
			}
		case kind == ',':
			d := take(9)
			h.frame = image.Rectangle{at(d), at(d).Add(at(d[4:]))}
			h.interlaced = d[8]&gifInterlaced != 0
			if d[8]&gifHasPalette != 0 {
				h.setPalette(take(3 << (d[8]&7 + 1)))
			}
			h.data = rest
			return h, err
		case kind == ';':
			return h, errors.New("it has no frame")
		}
	}
	return h, err
}

func (h *gifHeader) setPalette(colors []byte) {
	var palette color.Palette
	for c := range slices.Chunk(colors, 3) {
		palette = append(palette, color.NRGBA{c[0], c[1], c[2], 0xff})
	}
	h.palette = wholePalette(palette)
}

// wholePalette extends a palette to 256 colors as Pillow does: a gray ramp from 0 is continued,
// otherwise missing colors are black.
func wholePalette(colors color.Palette) color.Palette {
	whole := grayPalette()
	isRamp := true
	for i, c := range colors {
		isRamp = isRamp && color.NRGBAModel.Convert(c) == whole[i]
	}
	for i := range whole {
		switch {
		case i < len(colors):
			whole[i] = color.NRGBAModel.Convert(colors[i])
		case !isRamp:
			whole[i] = color.NRGBA{A: 0xff}
		}
	}
	return whole
}

// grayPalette is Pillow's palette for a file without one.
func grayPalette() color.Palette {
	palette := make(color.Palette, 256)
	for i := range palette {
		palette[i] = color.NRGBA{uint8(i), uint8(i), uint8(i), 0xff}
	}
	return palette
}
