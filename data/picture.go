package data

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"sync/atomic"
)

// Bounds on what is decoded, so that a header that lies, or a folder of
// photographs from a camera, ends in an error and not in swapping.
const (
	maxImageFile   = 64 << 20 // bytes of one file
	maxImagePixels = 1 << 22  // of one image
	maxDecoded     = 8 << 30  // bytes of all images of a set
)

// picture is one decoded image: 8 bits a channel, row by row, channels last,
// either grey or red, green, blue. Transparency is dropped.
type picture struct {
	place         place
	width, height int
	channels      int
	lossy         bool // came as JPEG
	pixels        []uint8
}

// decode fills in p from the content of its file. total counts the bytes of all
// pictures of the set.
func (p *picture) decode(content []byte, total *atomic.Int64) error {
	decodeConfig, decode := jpeg.DecodeConfig, jpeg.Decode
	if p.lossy = !bytes.HasPrefix(content, []byte("\x89PNG")); !p.lossy {
		decodeConfig, decode = png.DecodeConfig, png.Decode
	}
	config, err := decodeConfig(bytes.NewReader(content))
	if err != nil {
		return p.fault(err)
	}
	p.width, p.height = config.Width, config.Height
	if p.width < 1 || p.height < 1 || p.width > maxImagePixels/p.height {
		return fmt.Errorf("%v is %dx%d, and images of more than %d pixels are refused: scale it down", p.place, p.width, p.height, maxImagePixels)
	}
	if total.Add(int64(3*p.width*p.height)) > maxDecoded {
		return fmt.Errorf("the images take more than %d GiB decoded: scale them down, or take fewer", maxDecoded>>30)
	}
	img, err := decode(bytes.NewReader(content))
	if err != nil {
		return p.fault(err)
	}
	p.take(img)
	return nil
}

func (p *picture) fault(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%v does not decode: %w: replace or remove it", p.place, err)
}

// take copies the pixels of a decoded image.
func (p *picture) take(img image.Image) {
	bounds := img.Bounds()
	p.channels = 3
	switch img.(type) {
	case *image.Gray, *image.Gray16:
		p.channels = 1
	}
	p.pixels = make([]uint8, 0, p.width*p.height*p.channels)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			switch img := img.(type) {
			case *image.YCbCr: // JPEG, the one that has to be fast
				luma, chroma := img.YOffset(x, y), img.COffset(x, y)
				r, g, b := color.YCbCrToRGB(img.Y[luma], img.Cb[chroma], img.Cr[chroma])
				p.pixels = append(p.pixels, r, g, b)
			case *image.Gray:
				p.pixels = append(p.pixels, img.GrayAt(x, y).Y)
			case *image.Gray16:
				p.pixels = append(p.pixels, uint8(img.Gray16At(x, y).Y>>8))
			default:
				c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
				p.pixels = append(p.pixels, c.R, c.G, c.B)
			}
		}
	}
}

// appendTo appends the picture with the given number of channels, 1 or 3.
func (p *picture) appendTo(pixels []uint8, channels int) []uint8 {
	if p.channels == channels {
		return append(pixels, p.pixels...)
	}
	for _, grey := range p.pixels {
		pixels = append(pixels, grey, grey, grey)
	}
	return pixels
}
