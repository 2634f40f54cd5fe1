package data

import (
	"image"

	"golang.org/x/image/draw"
)

// resample scales an image of shape [h, w, c] to [toH, toW, c] by a triangle filter, which widens
// when the image shrinks, to avoid aliasing. It agrees with Pillow's BILINEAR and torchvision's
// default Resize to within 1, and keeps the range of the values. Channels are independent; the
// result is a new slice.
func resample(src []uint8, h, w, c, toH, toW int) []uint8 {
	dst := make([]uint8, toH*toW*c)
	if h == toH && w == toW {
		copy(dst, src)
		return dst
	}
	// Three channels at a time, as opaque colors. The result is taken in 16 bits and
	// rounded here, because the library would truncate.
	from := image.NewRGBA(image.Rect(0, 0, w, h))
	to := image.NewRGBA64(image.Rect(0, 0, toW, toH))
	for first := 0; first < c; first += 3 {
		n := min(3, c-first)
		for i := range h * w {
			copy(from.Pix[4*i:], src[i*c+first:][:n])
			from.Pix[4*i+3] = 0xff
		}
		draw.BiLinear.Scale(to, to.Rect, from, from.Rect, draw.Src, nil)
		for i := range toH * toW {
			for k := range n {
				v := uint32(to.Pix[8*i+2*k])<<8 | uint32(to.Pix[8*i+2*k+1])
				dst[i*c+first+k] = uint8((v + 0x101/2) / 0x101)
			}
		}
	}
	return dst
}

// recolor converts gray images into color images by repeating the value, and color images into gray
// by the luma of Rec. 601 in Pillow's integers: .299 red, .587 green, .114 blue. c and toC are 1
// or 3; if they are equal it returns src.
func recolor(src []uint8, c, toC int) []uint8 {
	switch {
	case c == toC:
		return src
	case c == 1:
		dst := make([]uint8, 0, 3*len(src))
		for _, v := range src {
			dst = append(dst, v, v, v)
		}
		return dst
	}
	dst := make([]uint8, len(src)/3)
	for i := range dst {
		r, g, b := uint32(src[3*i]), uint32(src[3*i+1]), uint32(src[3*i+2])
		dst[i] = uint8((19595*r + 38470*g + 7471*b + 1<<15) >> 16)
	}
	return dst
}
