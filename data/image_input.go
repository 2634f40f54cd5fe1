package data

import (
	"context"
	"fmt"
	"image"
	"io"
	"slices"
	"strings"
)

// Fit is how an image file of any size becomes an input of one size.
type Fit string

// The fits, each with the names of datasets that are made so.
const (
	// FitExact refuses images of another size: "folder:PATH", "cifar10".
	FitExact Fit = "exact"
	// FitCrop scales an image to cover the size and crops it to its center: "folder:PATH@64",
	// "zip:PATH@48x64", "celeba".
	FitCrop Fit = "crop"
	// FitStretch scales each axis separately: "mnist@32", "npz:PATH@64".
	FitStretch Fit = "stretch"
)

// FitOf returns how [Open] makes the images of a dataset with that name, for instance
// [ngebm/ngebm.Config.Data] of a run. A name that is unknown, or that of points or rows, is an error.
func FitOf(name string) (Fit, error) {
	if strings.HasPrefix(name, "csv:") {
		return "", fmt.Errorf("data: %s has rows of a table, not images: give numbers", shown(name))
	}
	base, size, err := cutSize(name)
	if err != nil {
		return "", err
	}
	kind, _, _ := strings.Cut(base, ":")
	switch scaled := size.height > 0; {
	case !slices.ContainsFunc((Options{}).sources(), func(s source) bool { return s.name == kind }):
		return "", unknown(base, kind)
	case slices.Contains(Toy2DKinds(), kind):
		return "", fmt.Errorf("data: %s has points, not images: give numbers", shown(name))
	case kind == "celeba":
		return FitCrop, nil
	case !scaled:
		return FitExact, nil
	case kind == "folder" || kind == "tar" || kind == "zip":
		return FitCrop, nil
	}
	return FitStretch, nil
}

// ImageDecoder makes inputs of image files exactly as [Open] makes examples of them: by the same
// decoders, filter, crop and scale, within the same bounds. It may be used by any number of
// goroutines, which then share the bound on the pixels that are decoded at the same time.
type ImageDecoder struct {
	shape    []int
	decoding *decoding
}

// NewImageDecoder returns a decoder to inputs of shape [height, width, channels] with 1 (gray) or
// 3 (RGB) channels. The fit is that of the training set; see [FitOf].
func NewImageDecoder(shape []int, fit Fit) (*ImageDecoder, error) {
	if len(shape) != 3 || slices.Min(shape) < 1 || slices.Max(shape) > maxSide || shape[0] > maxImagePixels/shape[1] || shape[2] != 1 && shape[2] != 3 {
		return nil, fmt.Errorf("data: an image file cannot become an input of shape %v: want [height width channels], at most %d pixels, and 1 or 3 channels", shape, maxImagePixels)
	}
	size := imageSize{shape[0], shape[1], shape[2]}
	decoding := newDecoding(size)
	switch fit {
	case FitExact:
		decoding.size, decoding.only = imageSize{}, image.Pt(size.width, size.height)
	case FitStretch:
		decoding.stretch = true
	case FitCrop:
	default:
		return nil, fmt.Errorf("data: the fit %q is unknown: give one of %q, %q, %q", fit, FitExact, FitCrop, FitStretch)
	}
	return &ImageDecoder{slices.Clone(shape), decoding}, nil
}

// Decode reads one image file, of at most 64 MiB, to its end. It returns the values of one input,
// [height, width, channels] flat, in [-1,1]: white is 1. A color image becomes gray for a shape of
// one channel, a gray one three equal channels. Images have at most 25 Mi pixels, 4 Mi for
// [FitExact]; see [Open] for formats, transparency and orientation.
//
// The levels are the 256 of a file, also where the training set has fewer: 17 in "digits".
// If ctx ends while the decoder waits for others, Decode returns its error. Any other error is one
// of reading, wrapped, or describes the image and the remedy.
func (d *ImageDecoder) Decode(ctx context.Context, r io.Reader) ([]float32, error) {
	content, err := readImage(r)
	if err != nil {
		return nil, fmt.Errorf("data: the image cannot be read: %w", err)
	}
	var p decodedImage
	if err := p.decode(ctx, content, d.decoding.forOne()); err != nil {
		return nil, fmt.Errorf("data: the image was not decoded: %w", err)
	}
	if p.err != nil {
		return nil, fmt.Errorf("data: the image %w: %s", p.err.what, p.err.remedy)
	}
	values := make([]float32, d.shape[0]*d.shape[1]*d.shape[2])
	toInput(values, recolor(p.pixels, p.channels, d.shape[2]), 255)
	return values, nil
}

// DecodeImage is [ImageDecoder.Decode] for a single file.
func DecodeImage(r io.Reader, shape []int, fit Fit) ([]float32, error) {
	d, err := NewImageDecoder(shape, fit)
	if err != nil {
		return nil, err
	}
	return d.Decode(context.Background(), r)
}
