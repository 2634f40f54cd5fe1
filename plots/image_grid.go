package plots

import (
	"errors"
	"fmt"
	"image"
	"strings"

	xdraw "golang.org/x/image/draw"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ngebm/data"
)

// Sizes of an image grid, in pixels of a PNG, so that an image's pixels are
// whole pixels there.
const (
	imagesAcross  = 10
	maxImages     = 400
	imagesWidth   = 8 * imageDPI
	largestTile   = imageDPI
	tileGap       = 12
	captionPixels = 46
)

// Images draws the images at the given indices of a set, ten in a row, enlarged
// without smoothing, each with its caption below; without captions (nil) these
// are the names of the classes. At most 400 images.
func Images(d *data.Dataset, indices []int, captions []string) (*Figure, error) {
	tiles, captions, err := pickImages(d, indices, captions)
	if err != nil {
		return nil, err
	}
	columns := min(len(tiles), imagesAcross)
	rows := (len(tiles) + columns - 1) / columns
	outer := int(margin.Dots(imageDPI))
	tile := min(largestTile, (imagesWidth-2*outer-(columns-1)*tileGap)/columns)
	width := 2*outer + columns*tile + (columns-1)*tileGap
	rowHeight := tile*d.Shape[0]/max(d.Shape[0], d.Shape[1]) + captionPixels
	height := 2*outer + rows*rowHeight

	f := &Figure{Width: pixelLength(width), Height: pixelLength(height), photo: true, Alt: imagesAlt(d, captions)}
	f.draw = func(c draw.Canvas) {
		style := textStyle(tickSize, false)
		style.XAlign, style.YAlign = draw.XCenter, draw.YTop
		for i, img := range tiles {
			img := enlarge(img, tile)
			left := outer + i%columns*(tile+tileGap) + (tile-img.Bounds().Dx())/2
			top := height - outer - i/columns*rowHeight
			drawTile(c, img, left, top, style, shorten(captions[i], pixelLength(tile), style.Width))
		}
	}
	return f, nil
}

// pixelLength is the length of n pixels in a figure of images.
func pixelLength(n int) vg.Length { return vg.Length(n) * vg.Inch / imageDPI }

// drawTile draws an image in its frame, with a caption in the middle below it. Left and top are in pixels, from the left and
// from below. It returns where the image is.
func drawTile(c draw.Canvas, img image.Image, left, top int, caption text.Style, words string) vg.Rectangle {
	size := img.Bounds().Size()
	rect := vg.Rectangle{
		Min: vg.Point{X: c.Min.X + pixelLength(left), Y: c.Min.Y + pixelLength(top-size.Y)},
		Max: vg.Point{X: c.Min.X + pixelLength(left+size.X), Y: c.Min.Y + pixelLength(top)},
	}
	drawFrame(c, rect, pixelLength(1))
	c.DrawImage(rect, img)
	c.FillText(caption, vg.Point{X: (rect.Min.X + rect.Max.X) / 2, Y: rect.Min.Y - 2}, words)
	return rect
}

// drawFrame draws a border around an image, else one with a light edge would run
// into the paper.
func drawFrame(c draw.Canvas, rect vg.Rectangle, width vg.Length) {
	rect.Min = rect.Min.Sub(vg.Point{X: width, Y: width})
	rect.Max = rect.Max.Add(vg.Point{X: width, Y: width})
	c.SetColor(frame)
	c.Fill(rect.Path())
}

// pickImages returns the images and their captions, or says what is wrong.
func pickImages(d *data.Dataset, indices []int, captions []string) ([]image.Image, []string, error) {
	switch {
	case d == nil:
		return nil, nil, errors.New("plots: no dataset")
	case !d.IsImages() || len(d.Shape) != 3 || d.Shape[2] != 1 && d.Shape[2] != 3:
		return nil, nil, fmt.Errorf("plots: %s has examples of shape %v: an image has height, width and 1 or 3 channels", d.Name, d.Shape)
	case d.Shape[0] < 1 || d.Shape[1] < 1 || d.MaxPixel == 0 || len(d.Pixels) != d.Len()*d.Size():
		return nil, nil, fmt.Errorf("plots: %s has %d pixels of at most %d for %d examples of shape %v: make sets with data.New, which checks them", d.Name, len(d.Pixels), d.MaxPixel, d.Len(), d.Shape)
	case len(indices) == 0 || len(indices) > maxImages:
		return nil, nil, fmt.Errorf("plots: %d images to draw: choose 1 to %d", len(indices), maxImages)
	case captions != nil && len(captions) != len(indices):
		return nil, nil, fmt.Errorf("plots: %d captions for %d images", len(captions), len(indices))
	}
	pictures, texts := make([]image.Image, len(indices)), make([]string, len(indices))
	for i, index := range indices {
		if index < 0 || index >= d.Len() {
			return nil, nil, fmt.Errorf("plots: index %d is outside %s, which has %d examples", index, d.Name, d.Len())
		}
		if err := checkLabel(d, index); err != nil {
			return nil, nil, err
		}
		pictures[i] = picture(d, index)
		if captions != nil {
			texts[i] = captions[i]
		} else {
			texts[i] = d.Classes[d.Labels[index]]
		}
	}
	return pictures, texts, nil
}

// checkLabel refuses an example of a class that the set does not name.
func checkLabel(d *data.Dataset, index int) error {
	if label := d.Labels[index]; label < 0 || int(label) >= len(d.Classes) {
		return fmt.Errorf("plots: example %d of %s has label %d, and the set names %d classes: make sets with data.New, which checks them", index, d.Name, label, len(d.Classes))
	}
	return nil
}

// picture is one example of a set as an image.
func picture(d *data.Dataset, index int) image.Image {
	channels := d.Shape[2]
	pixels := d.Pixels[index*d.Size() : (index+1)*d.Size()]
	return paintPixels(d.Shape, func(pixel, channel int) uint8 {
		return uint8(int(pixels[pixel*channels+channel%channels]) * 255 / int(d.MaxPixel))
	})
}

// enlarge scales an image to at most a size: by a whole factor if it is smaller,
// each pixel a square; smoothly if it is larger.
func enlarge(img image.Image, size int) image.Image {
	from := img.Bounds().Size()
	side := max(from.X, from.Y)
	if side > size {
		small := image.NewNRGBA(image.Rect(0, 0, max(1, from.X*size/side), max(1, from.Y*size/side)))
		xdraw.CatmullRom.Scale(small, small.Rect, img, img.Bounds(), xdraw.Src, nil)
		return small
	}
	factor := size / side
	large := image.NewNRGBA(image.Rect(0, 0, from.X*factor, from.Y*factor))
	xdraw.NearestNeighbor.Scale(large, large.Rect, img, img.Bounds(), xdraw.Src, nil)
	return large
}

func imagesAlt(d *data.Dataset, captions []string) string {
	const listed = 20
	text := fmt.Sprintf("%d images of %s: %s", len(captions), d.Name, strings.Join(captions[:min(listed, len(captions))], ", "))
	if len(captions) > listed {
		text += " and more"
	}
	return text + "."
}
