package data

import (
	"image"

	"golang.org/x/image/bmp"
)

// openBMP opens an image whose pixels may have indices beyond its palette, which x/image/bmp does
// not check.
func openBMP(content []byte) (frame, error) {
	f, err := standard(false, bmp.DecodeConfig, bmp.Decode)(content)
	decode := f.decode
	f.decode = func() (image.Image, error) {
		img, err := decode()
		if paletted, ok := img.(*image.Paletted); ok && err == nil {
			paletted.Palette = wholePalette(paletted.Palette)
		}
		return img, err
	}
	return f, err
}
