package data

import (
	"context"
	"fmt"
	"image"
	"strconv"
	"strings"
)

// imageSize is the size that may follow an @ in the name of a dataset. The zero value requests none.
type imageSize struct {
	height, width int
	channels      int // 1 or 3; 0 keeps them
}

// cutSize cuts the size off a name. Only digits and x are a size, so paths may contain an @; a path
// that ends like a size can be written with a trailing slash.
func cutSize(name string) (string, imageSize, error) {
	if strings.HasPrefix(name, "csv:") { // there a column follows the @
		return name, imageSize{}, nil
	}
	at := strings.LastIndexByte(name, '@')
	if at < 0 || strings.Trim(name[at+1:], "0123456789x") != "" {
		return name, imageSize{}, nil
	}
	invalid := fmt.Errorf("data: %q has no valid size: write @SIZE, @HEIGHTxWIDTH or @HEIGHTxWIDTHxCHANNELS with sides from 1 to %d and 1 or 3 channels", name, maxSide)
	var sides []int
	for _, text := range strings.Split(name[at+1:], "x") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxSide {
			return "", imageSize{}, invalid
		}
		sides = append(sides, n)
	}
	size := imageSize{height: sides[0], width: sides[0]}
	if len(sides) > 1 {
		size.width = sides[1]
	}
	if len(sides) == 3 {
		size.channels = sides[2]
	}
	if len(sides) > 3 || len(sides) == 3 && size.channels != 1 && size.channels != 3 {
		return "", imageSize{}, invalid
	}
	if size.height*size.width > maxImagePixels {
		return "", imageSize{}, fmt.Errorf("data: %q asks for images of %dx%d, but they may have %d pixels: give a smaller size", name, size.height, size.width, maxImagePixels)
	}
	return name[:at], size, nil
}

func (s imageSize) String() string {
	switch {
	case s == imageSize{}:
		return ""
	case s.channels == 0:
		return fmt.Sprintf("%dx%d", s.height, s.width)
	}
	return fmt.Sprintf("%dx%dx%d", s.height, s.width, s.channels)
}

// of returns d resized; see [Dataset.Resize].
func (s imageSize) of(ctx context.Context, d *Dataset) (*Dataset, error) {
	if s == (imageSize{}) {
		return d, nil
	}
	if d.IsImages() && s.channels == 0 {
		s.channels = d.Shape[2]
	}
	return d.resize(ctx, s.height, s.width, s.channels)
}

// heightByWidth writes a size in the order of @SIZE and of shapes, "10x20" for an image 10 high and 20
// wide: what a message says can be copied.
func heightByWidth(size image.Point) string { return fmt.Sprintf("%dx%d", size.Y, size.X) }

// forExample returns a size to scale images of size s to, for advice: of the same proportions, and no
// larger than networks are usually trained on.
func (s imageSize) forExample() imageSize {
	const maxAdvised = 128
	long := max(s.height, s.width)
	if long <= maxAdvised {
		return s
	}
	scaled := func(side int) int { return max(1, (2*side*maxAdvised+long)/(2*long)) } // rounded
	return imageSize{height: scaled(s.height), width: scaled(s.width)}
}

// crop returns the largest centered part of an image with the proportions of s. Scaling it is the
// same as scaling the image to cover s and cropping the center.
func (s imageSize) crop(whole image.Rectangle) image.Rectangle {
	w, h := whole.Dx(), whole.Dy()
	if w*s.height > h*s.width {
		w = max(1, (2*h*s.width+s.height)/(2*s.height)) // rounded
	} else {
		h = max(1, (2*w*s.height+s.width)/(2*s.width))
	}
	corner := whole.Min.Add(image.Pt((whole.Dx()-w)/2, (whole.Dy()-h)/2))
	return image.Rectangle{corner, corner.Add(image.Pt(w, h))}
}
