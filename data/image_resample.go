package data

import (
	"image"

	"golang.org/x/image/draw"
)

// resample scales an image of h·w·c values (row by row, channels last) to
// toH·toW·c by the triangle filter, which widens with the step when it shrinks,
// so that fine patterns are averaged and do not turn into false ones. It is what
// Pillow calls BILINEAR and torchvision's Resize does by default, to one unit,
// and, an average always, it leaves the range of the values as it is, whatever
// their maximum. The image may have any number of channels, each on its own;
// what comes back is new.
func resample(src []uint8, h, w, c, toH, toW int) []uint8 {
	dst := make([]uint8, toH*toW*c)
	if h == toH && w == toW {
		copy(dst, src)
		return dst
	}
	// Three channels at a time, as opaque colours. The result is taken in 16
	// bits and rounded here, as the library would cut the fraction off.
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

// recolour turns grey images into colour ones, which repeat the grey in red,
// green and blue, and colour ones into grey ones, by the luma of Rec. 601 in
// Pillow's integers: .299 of red, .587 of green, .114 of blue. c and toC are 1
// or 3; where they are equal src itself comes back.
func recolour(src []uint8, c, toC int) []uint8 {
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
