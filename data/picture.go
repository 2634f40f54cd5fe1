package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"sync/atomic"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"
)

// Bounds on what is decoded, so that a header that lies, or a folder of
// photographs from a camera, ends in an error and not in swapping.
const (
	maxImageFile   = 64 << 20 // bytes of one file
	maxImagePixels = 1 << 22  // of one image that is taken as it is
	maxPhotoPixels = 25 << 20 // of one image that is scaled, and of all that are scaled at once; up to 15 bytes each
	maxDecoded     = 8 << 30  // bytes of all images of a set
)

// picture is one decoded image: 8 bits a channel, row by row, channels last,
// either grey or red, green, blue. Transparency is dropped, and so is the note of
// a camera which way is up.
type picture struct {
	place         place
	original      image.Point // size in the file
	width, height int
	channels      int
	lossy         bool // came as JPEG or WebP
	pixels        []uint8
}

// codec is one kind of image file.
type codec struct {
	magic  string // with which it begins; ? stands for any byte
	lossy  bool
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error) // of the first image in the file
}

func codecs() []codec {
	return []codec{
		{"\xff\xd8", true, jpeg.DecodeConfig, jpeg.Decode},
		{"\x89PNG", false, png.DecodeConfig, png.Decode},
		{"GIF8", false, gif.DecodeConfig, gif.Decode},
		{"BM", false, bmp.DecodeConfig, bmp.Decode},
		{"II*\x00", false, tiff.DecodeConfig, tiff.Decode},
		{"MM\x00*", false, tiff.DecodeConfig, tiff.Decode},
		{"RIFF????WEBPVP8L", false, webp.DecodeConfig, webp.Decode},
		{"RIFF????WEBP", true, webp.DecodeConfig, decodeWebP},
	}
}

// decodeWebP gives a lossy WebP its colours. Brightness and chroma go from 16 to
// 235 and 240 there (Rec. 601, RFC 6386 section 9.2), but the library returns
// them as if, like in JPEG, all 256 values were in use.
func decodeWebP(r io.Reader) (image.Image, error) {
	img, err := webp.Decode(r)
	if err != nil {
		return nil, err
	}
	planes, ok := img.(*image.YCbCr)
	if withAlpha, transparent := img.(*image.NYCbCrA); transparent {
		planes, ok = &withAlpha.YCbCr, true
	}
	if !ok {
		return img, nil
	}
	for i, y := range planes.Y {
		planes.Y[i] = fullRange(y, 16, 0, 219)
	}
	for i := range planes.Cb {
		planes.Cb[i] = fullRange(planes.Cb[i], 128, 128, 224)
		planes.Cr[i] = fullRange(planes.Cr[i], 128, 128, 224)
	}
	return planes, nil
}

// fullRange stretches span steps to 255, such that from becomes to.
func fullRange(v uint8, from, to, span float64) uint8 {
	return uint8(math.Round(min(max((float64(v)-from)*255/span+to, 0), 255)))
}

// isImageName tells by the ending of a name whether a file is to be an image.
func isImageName(ext string) bool {
	switch ext {
	case ".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp":
		return true
	}
	return false
}

// codecOf recognises a file by how it begins, whatever its name.
func codecOf(content []byte) (codec, error) {
	for _, c := range codecs() {
		match := len(content) >= len(c.magic)
		for i := 0; match && i < len(c.magic); i++ {
			match = c.magic[i] == '?' || c.magic[i] == content[i]
		}
		if match {
			return c, nil
		}
	}
	if len(content) == 0 {
		return codec{}, errors.New("the file is empty")
	}
	return codec{}, errors.New("it is none of JPEG, PNG, GIF, BMP, TIFF and WebP")
}

// decoding is what the pictures of a set share while they are decoded.
type decoding struct {
	size  imageSize           // to which they are scaled; the zero value leaves them
	bytes atomic.Int64        // of all so far
	room  *semaphore.Weighted // for the pixels of those being scaled
}

func newDecoding(size imageSize) *decoding {
	return &decoding{size: size, room: semaphore.NewWeighted(maxPhotoPixels)}
}

// decode fills in p from the content of its file.
func (p *picture) decode(ctx context.Context, content []byte, d *decoding) error {
	c, err := codecOf(content)
	if err != nil {
		return p.fault(err)
	}
	p.lossy = c.lossy
	config, err := c.config(bytes.NewReader(content))
	if err != nil {
		return p.fault(err)
	}
	scaled := d.size != imageSize{}
	most, remedy := maxImagePixels, "add @SIZE to the name, or scale it down"
	if scaled {
		most, remedy = maxPhotoPixels, "scale it down"
	}
	if config.Width < 1 || config.Height < 1 || config.Width > most/config.Height {
		return fmt.Errorf("%s is %dx%d, and images of more than %d pixels are refused: %s", p.place.name, config.Width, config.Height, most, remedy)
	}
	pixels := int64(config.Width) * int64(config.Height)
	if scaled {
		if err := d.room.Acquire(ctx, pixels); err != nil {
			return err
		}
		defer d.room.Release(pixels)
		pixels = int64(d.size.height) * int64(d.size.width)
	}
	if d.bytes.Add(3*pixels) > maxDecoded {
		return fmt.Errorf("the images take more than %d GiB decoded: take fewer or smaller ones", maxDecoded>>30)
	}
	img, err := c.decode(bytes.NewReader(content))
	if err != nil {
		return p.fault(err)
	}
	p.original = img.Bounds().Size()
	if !scaled {
		p.take(img, img.Bounds())
		return nil
	}
	p.takeScaled(img, d.size)
	return nil
}

func (p *picture) fault(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%s does not decode: %w: replace or remove it", p.place.name, err)
}

// takeScaled takes the middle of a decoded image, scaled to a size: first its
// rows, some at a time as photographs are large, then its columns.
func (p *picture) takeScaled(img image.Image, size imageSize) {
	crop := size.crop(img.Bounds())
	const band = 64 // rows
	var narrow []uint8
	for y := crop.Min.Y; y < crop.Max.Y; y += band {
		rows := image.Rect(crop.Min.X, y, crop.Max.X, min(y+band, crop.Max.Y))
		p.take(img, rows)
		narrow = append(narrow, resample(p.pixels, p.height, p.width, p.channels, p.height, size.width)...)
	}
	p.pixels = resample(narrow, crop.Dy(), size.width, p.channels, size.height, size.width)
	p.height, p.width = size.height, size.width
	if size.channels != 0 {
		p.pixels = recolour(p.pixels, p.channels, size.channels)
		p.channels = size.channels
	}
}

// take copies a part of a decoded image.
func (p *picture) take(img image.Image, part image.Rectangle) {
	p.width, p.height, p.channels = part.Dx(), part.Dy(), 3
	switch img.(type) {
	case *image.Gray, *image.Gray16:
		p.channels = 1
	}
	p.pixels = make([]uint8, 0, p.width*p.height*p.channels)
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
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
	return append(pixels, recolour(p.pixels, p.channels, channels)...)
}
