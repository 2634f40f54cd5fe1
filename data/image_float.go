package data

import "math"

// floatImage is one image of shape [height, width, channels] with values in [0,1].
type floatImage struct {
	height, width, channels int
	values                  []float64
}

// floatImage returns example i, its pixels divided by MaxPixel.
func (d *Dataset) floatImage(i int) *floatImage {
	c := &floatImage{d.Shape[0], d.Shape[1], d.Shape[2], make([]float64, d.Size())}
	for j, p := range d.pixels(i) {
		c.values[j] = float64(p) / float64(d.MaxPixel)
	}
	return c
}

// store writes the image as pixels of 0..maxPixel: clipped to [0,1], scaled, rounded.
func (c *floatImage) store(pixels []uint8, maxPixel uint8) {
	for j, v := range c.values {
		pixels[j] = uint8(math.Round(min(max(v, 0), 1) * float64(maxPixel)))
	}
}

// enlargement is the factor on lengths that are given in pixels of 32x32 images: the shorter side
// over 32, and 1 for smaller images, where a fraction of a pixel would have no effect.
func (c *floatImage) enlargement() float64 {
	return max(1, float64(min(c.height, c.width))/32)
}

// The axes of a floatImage.
const (
	vertical = iota
	horizontal
	acrossChannels
)

// blur convolves the image with a normal density of standard deviation sigma, in pixels, along the
// given axes: sampled at whole pixels up to 4 sigma and normalized, border values repeated, as
// scipy.ndimage.gaussian_filter and skimage.filters.gaussian do with mode="nearest".
func (c *floatImage) blur(sigma float64, axes ...int) {
	kernel := make([]float64, int(4*sigma+.5)+1) // one half of it
	sum := 0.
	for i := range kernel {
		kernel[i] = math.Exp(-float64(i*i) / (2 * sigma * sigma))
		sum += kernel[i]
		if i > 0 {
			sum += kernel[i]
		}
	}
	for i := range kernel {
		kernel[i] /= sum
	}
	for _, axis := range axes {
		c.convolve(kernel, axis)
	}
}

// convolve convolves along one axis with a symmetric kernel, of which the center and the right half
// are given.
func (c *floatImage) convolve(kernel []float64, axis int) {
	n := [...]int{c.height, c.width, c.channels}[axis]
	stride := [...]int{c.width * c.channels, c.channels, 1}[axis]
	line := make([]float64, n)
	for first := range c.values {
		if first/stride%n != 0 {
			continue // not the first of a line
		}
		for i := range line {
			line[i] = c.values[first+i*stride]
		}
		for i, v := range line {
			sum := float64(kernel[0] * v)
			for k := 1; k < len(kernel); k++ {
				// The conversions prevent a fused multiply-add, so that the
				// bits are the same on every processor.
				sum += float64(kernel[k] * (line[max(i-k, 0)] + line[min(i+k, n-1)]))
			}
			c.values[first+i*stride] = sum
		}
	}
}
