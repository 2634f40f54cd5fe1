package data

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	"io"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// Bounds on what is decoded, so that a forged header, or a folder of photographs from a camera, gives
// an error instead of exhausting memory.
const (
	maxImageFile   = 64 << 20 // bytes of one file
	maxImagePixels = 1 << 22  // of one image that is not scaled
	maxPhotoPixels = 25 << 20 // of one image that is scaled, and of all decoded at the same time; up to 24 bytes each
	maxDecoded     = 8 << 30  // bytes of all images of a dataset
	maxDecodedFree = 1 << 27  // bytes that may be any number of times the files' size
)

// decodedImage is one decoded image of shape [height, width, channels], 8 bits per channel, gray or
// RGB. As in Pillow's convert("RGB") and torchvision, transparency is dropped (a transparent pixel
// has the color that the file gives it) and EXIF orientation is not applied.
type decodedImage struct {
	entry         imageEntry
	original      image.Point // size in the file
	width, height int
	channels      int
	lossy         bool  // was JPEG or lossy WebP
	deep          bool  // has more than 8 bits a channel in the file
	brightest     uint8 // largest value before scaling, if deep
	pixels        []uint8
	err           *imageError // nil if the image can be used
}

// decoding is the state that the images of a dataset share while they are decoded.
type decoding struct {
	size    imageSize           // to which images are scaled; zero does not scale
	stretch bool                // scale each axis separately instead of cropping
	only    image.Point         // size that an image must have; zero allows any
	files   atomic.Int64        // bytes of files so far
	bytes   atomic.Int64        // decoded bytes so far
	room    *semaphore.Weighted // pixels that may be decoded at the same time
}

func newDecoding(size imageSize) *decoding {
	return &decoding{size: size, room: semaphore.NewWeighted(maxPhotoPixels)}
}

// forOne returns the state for one more image that is not of the same dataset: only the room is shared.
func (d *decoding) forOne() *decoding {
	return &decoding{size: d.size, stretch: d.stretch, only: d.only, room: d.room}
}

// imageError is why an image cannot be used.
type imageError struct {
	what   error
	remedy string
}

// decode fills in p, or p.err, from the content of its file. An error is returned only for the
// dataset as a whole.
func (p *decodedImage) decode(ctx context.Context, content []byte, d *decoding) error {
	d.files.Add(int64(len(content)))
	return p.decodeFrame(ctx, func() (frame, error) { return openFrame(content) }, d)
}

// decodeFrame is decode for the frame that open returns. A panic of a decoder, for content that it did
// not expect, becomes p.err.
func (p *decodedImage) decodeFrame(ctx context.Context, open func() (frame, error), d *decoding) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			p.doesNotDecode(fmt.Errorf("its decoder panicked: %s", shown(fmt.Sprint(panicked))))
			err = nil
		}
	}()
	f, err := open()
	if err != nil {
		p.doesNotDecode(err)
		return nil
	}
	p.lossy, p.deep = f.lossy, f.deep
	if d.only != (image.Point{}) && f.size != d.only {
		p.err = &imageError{fmt.Errorf("is %s, but must be %s (height x width)", heightByWidth(f.size), heightByWidth(d.only)), "scale it, or have it cropped or stretched (ngebm serve -image-fit; in Go, data.FitCrop or data.FitStretch)"}
		return nil
	}
	scaled := d.size != imageSize{}
	maxPixels, remedy := maxImagePixels, "add @SIZE (height x width) to the name, or scale it down"
	if scaled {
		maxPixels, remedy = maxPhotoPixels, "scale it down"
	}
	if f.size.X < 1 || f.size.Y < 1 || f.size.X > maxPixels/f.size.Y {
		p.err = &imageError{fmt.Errorf("is %s, but images must have 1 to %d pixels", heightByWidth(f.size), maxPixels), remedy}
		return nil
	}
	if (!scaled || d.stretch) && max(f.size.X, f.size.Y) > maxSide {
		p.err = &imageError{fmt.Errorf("is %s, but sides may have at most %d pixels", heightByWidth(f.size), maxSide), remedy}
		return nil
	}
	between := d.between(f.size)
	if between > maxPhotoPixels {
		p.err = &imageError{fmt.Errorf("is %s, but one that is stretched to a width of %d may have a height of at most %d pixels", heightByWidth(f.size), d.size.width, maxPhotoPixels/d.size.width), remedy}
		return nil
	}
	room := min(max(paddedPixels(f.size), roomBetween(between), f.room), maxPhotoPixels)
	if err := d.room.Acquire(ctx, room); err != nil {
		return err
	}
	defer d.room.Release(room)
	img, err := f.decode()
	if err == nil && img.Bounds().Size() != f.size {
		err = fmt.Errorf("it is %s, but its header says %s", heightByWidth(img.Bounds().Size()), heightByWidth(f.size))
	}
	if err != nil {
		p.doesNotDecode(err)
		return nil
	}
	p.original = f.size
	channels, pixels := channelsOf(img), int64(f.size.X)*int64(f.size.Y)
	if scaled {
		pixels = int64(d.size.height) * int64(d.size.width)
		channels = cmp.Or(d.size.channels, channels)
	}
	if err := d.take(pixels * int64(channels)); err != nil {
		return err
	}
	switch {
	case !scaled:
		p.copyPixels(img, img.Bounds())
	case d.stretch:
		p.copyStretched(img, d.size)
	default:
		p.copyScaled(img, d.size)
	}
	return nil
}

// paddedPixels returns the pixels that decoding an image takes memory for: a JPEG decoder pads them to
// blocks of up to 32x16.
func paddedPixels(size image.Point) int64 {
	const width, height = 32, 16
	return int64((size.X+width-1)/width*width) * int64((size.Y+height-1)/height*height)
}

// roomBetween returns the room for pixels that [resample] has in between: 32 bytes each, where decoded
// ones take up to 24.
func roomBetween(pixels int64) int64 { return min(pixels*32/24, maxPhotoPixels) }

// between returns the pixels that [resample] has in between when an image of that size is scaled: as high
// as the part that is scaled, and as wide as the result.
func (d *decoding) between(size image.Point) int64 {
	switch {
	case d.size == imageSize{}:
		return 0
	case !d.stretch:
		size = d.size.crop(image.Rectangle{Max: size}).Size()
	}
	return int64(size.Y) * int64(d.size.width)
}

// take counts bytes that decoded images take, and returns an error if they are too many.
func (d *decoding) take(bytes int64) error {
	switch n := d.bytes.Add(bytes); {
	case n > maxDecoded:
		return fmt.Errorf("the images take more than %d GiB decoded: take fewer or smaller ones", maxDecoded>>30)
	case d.size == imageSize{} && n > maxDecodedFree && n/maxUnpackedRatio > d.files.Load():
		return fmt.Errorf("the images take more than %d MiB decoded and %d times the size of their files: add @SIZE to the name, or take smaller ones", maxDecodedFree>>20, maxUnpackedRatio)
	}
	return nil
}

func openFrame(content []byte) (frame, error) {
	c, err := codecOf(content)
	if err != nil {
		return frame{}, err
	}
	return c.open(content)
}

func (p *decodedImage) doesNotDecode(err error) {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	p.err = &imageError{fmt.Errorf("does not decode: %w", err), "replace or remove it"}
}

// copyScaled copies the center of an image, scaled: first the rows, in bands because photographs are
// large, then the columns.
func (p *decodedImage) copyScaled(img image.Image, size imageSize) {
	crop := size.crop(img.Bounds())
	const band = 64 // rows
	var narrow []uint8
	for y := crop.Min.Y; y < crop.Max.Y; y += band {
		rows := image.Rect(crop.Min.X, y, crop.Max.X, min(y+band, crop.Max.Y))
		p.copyPixels(img, rows)
		narrow = append(narrow, resample(p.pixels, p.height, p.width, p.channels, p.height, size.width)...)
	}
	p.pixels = resample(narrow, crop.Dy(), size.width, p.channels, size.height, size.width)
	p.resized(size)
}

// copyStretched copies a whole image, scaled as [Dataset.Resize] does: both axes in one step.
func (p *decodedImage) copyStretched(img image.Image, size imageSize) {
	p.copyPixels(img, img.Bounds())
	p.pixels = resample(p.pixels, p.height, p.width, p.channels, size.height, size.width)
	p.resized(size)
}

// resized sets the size of scaled pixels and converts their channels.
func (p *decodedImage) resized(size imageSize) {
	p.height, p.width = size.height, size.width
	if size.channels != 0 {
		p.pixels = recolor(p.pixels, p.channels, size.channels)
		p.channels = size.channels
	}
}

// channelsOf returns 1 for a gray image, else 3.
func channelsOf(img image.Image) int {
	switch img.(type) {
	case *image.Gray, *image.Gray16:
		return 1
	}
	return 3
}

// copyPixels copies a part of an image.
func (p *decodedImage) copyPixels(img image.Image, part image.Rectangle) {
	p.width, p.height, p.channels = part.Dx(), part.Dy(), channelsOf(img)
	switch img.(type) {
	case *image.Gray16, *image.RGBA64, *image.NRGBA64:
		p.deep = true
	}
	p.pixels = make([]uint8, 0, p.width*p.height*p.channels)
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			switch img := img.(type) {
			case *image.YCbCr: // JPEG, the most common
				luma, chroma := img.YOffset(x, y), img.COffset(x, y)
				r, g, b := color.YCbCrToRGB(img.Y[luma], img.Cb[chroma], img.Cr[chroma])
				p.pixels = append(p.pixels, r, g, b)
			case *image.Gray:
				p.pixels = append(p.pixels, img.GrayAt(x, y).Y)
			case *image.Gray16:
				p.pixels = append(p.pixels, uint8(img.Gray16At(x, y).Y>>8))
			case *image.NRGBA64: // conversion would make transparent pixels black
				c := img.NRGBA64At(x, y)
				p.pixels = append(p.pixels, uint8(c.R>>8), uint8(c.G>>8), uint8(c.B>>8))
			case *image.RGBA: // PNG without transparency
				c := img.RGBAAt(x, y)
				if c.A != 255 {
					o := color.NRGBAModel.Convert(c).(color.NRGBA)
					c.R, c.G, c.B = o.R, o.G, o.B
				}
				p.pixels = append(p.pixels, c.R, c.G, c.B)
			case *image.NRGBA:
				c := img.NRGBAAt(x, y)
				p.pixels = append(p.pixels, c.R, c.G, c.B)
			default:
				c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
				p.pixels = append(p.pixels, c.R, c.G, c.B)
			}
		}
	}
	if p.deep {
		p.brightest = max(p.brightest, slices.Max(p.pixels))
	}
}

// appendTo appends the pixels with the given number of channels, 1 or 3.
func (p *decodedImage) appendTo(pixels []uint8, channels int) []uint8 {
	return append(pixels, recolor(p.pixels, p.channels, channels)...)
}
