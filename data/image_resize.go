package data

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/semaphore"
)

// Resize returns the images in another size, for instance to evaluate a model on another dataset.
// Each axis is scaled separately by a triangle (bilinear, antialiased) filter, so proportions may
// change. Gray images become color images of three equal channels, and color images gray by luma
// (Rec. 601); other numbers of channels cannot change. MaxPixel of the result is 255, because 17
// levels of gray are too few to interpolate. If d has the shape already it is returned unchanged.
//
// It is an error if d holds points, a side is below 1 or too large, or the channels cannot be
// converted.
func (d *Dataset) Resize(height, width, channels int) (*Dataset, error) {
	return d.resize(context.Background(), height, width, channels)
}

// resize is [Dataset.Resize] until ctx is done; the error is then its cause.
func (d *Dataset) resize(ctx context.Context, height, width, channels int) (*Dataset, error) {
	if err := d.withoutNoise(); err != nil {
		return nil, err
	}
	shape := []int{height, width, channels}
	switch {
	case !d.IsImages():
		return nil, fmt.Errorf("data: %s holds points, which cannot be resized", d.Name)
	case slices.Equal(d.Shape, shape):
		return d, nil
	case slices.Min(shape) < 1 || slices.Max(shape) > maxSide:
		return nil, fmt.Errorf("data: %s cannot be resized to %v: give [height width channels], each from 1 to %d", d.Name, shape, maxSide)
	case height*width > maxImagePixels || d.Len() > maxDecoded/(height*width*channels):
		return nil, fmt.Errorf("data: %d images of %v are more than %d GiB, or than %d pixels each: give a smaller size, or take fewer images", d.Len(), shape, maxDecoded>>30, maxImagePixels)
	case d.Shape[0]*width > maxPhotoPixels: // see decoding.between
		return nil, fmt.Errorf("data: images of %s have %d rows, which is too many for a width of %d: give a width of at most %d", d.Name, d.Shape[0], width, maxPhotoPixels/d.Shape[0])
	}
	from := d.Shape[2]
	convertible := func(n int) bool { return n == 1 || n == 3 }
	if channels != from && !(convertible(channels) && convertible(from)) {
		return nil, fmt.Errorf("data: %s has %d channels, which cannot become %d: only gray (1) and color (3) are converted into each other", d.Name, from, channels)
	}
	resized := Dataset{
		Info: d.Info, Shape: shape, MaxPixel: 255,
		Pixels: make([]uint8, d.Len()*height*width*channels), Labels: slices.Clone(d.Labels),
	}
	resized.Name = fmt.Sprintf("%s, resized to %dx%dx%d", d.Name, height, width, channels)
	resized.Source = fmt.Sprintf("%s; resized from %dx%dx%d", d.Source, d.Shape[0], d.Shape[1], from)
	// What resample has in between counts as in decoding.between: images that take much of it wait.
	room, between := semaphore.NewWeighted(maxPhotoPixels), roomBetween(int64(d.Shape[0])*int64(width))
	err := parallelFor(d.Len(), func(i int) error {
		if ctx.Err() != nil || room.Acquire(ctx, between) != nil {
			return context.Cause(ctx)
		}
		defer room.Release(between)
		full := make([]uint8, d.Size())
		d.floatImage(i).store(full, 255)
		scaled := resample(full, d.Shape[0], d.Shape[1], from, height, width)
		copy(resized.pixels(i), recolor(scaled, from, channels))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return New(resized)
}
