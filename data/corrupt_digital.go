package data

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
)

// pixelate shrinks the image with a box filter, which assigns each pixel by its center, and enlarges
// it by nearest neighbor. So every pixel becomes the mean of those with the same cell in the small
// image.
func pixelate(c *floatImage, scale float64, _ *rand.Rand) error {
	cellOf := func(i, side int) int {
		small := max(1, int(float64(side)*scale))
		return (2*i + 1) * small / (2 * side)
	}
	columns := cellOf(c.width-1, c.width) + 1
	cells := (cellOf(c.height-1, c.height) + 1) * columns * c.channels
	sums, counts := make([]float64, cells), make([]float64, cells)
	cell := func(j int) int {
		y, x := j/c.channels/c.width, j/c.channels%c.width
		return (cellOf(y, c.height)*columns+cellOf(x, c.width))*c.channels + j%c.channels
	}
	for j, v := range c.values {
		sums[cell(j)] += v
		counts[cell(j)]++
	}
	for j := range c.values {
		c.values[j] = sums[cell(j)] / counts[cell(j)]
	}
	return nil
}

// recode encodes and decodes the image as JPEG, with chroma at half resolution.
func recode(c *floatImage, quality float64, _ *rand.Rand) error {
	if c.channels != 1 && c.channels != 3 {
		return fmt.Errorf("it needs images of 1 or 3 channels, but these have %d", c.channels)
	}
	pixels := make([]uint8, len(c.values))
	c.store(pixels, 255)
	bounds := image.Rect(0, 0, c.width, c.height)
	var source image.Image = &image.Gray{Pix: pixels, Stride: c.width, Rect: bounds}
	if c.channels == 3 {
		rgba := image.NewRGBA(bounds)
		for i := range c.height * c.width {
			copy(rgba.Pix[4*i:], pixels[3*i:3*i+3])
			rgba.Pix[4*i+3] = 255
		}
		source = rgba
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, source, &jpeg.Options{Quality: int(quality)}); err != nil {
		return err
	}
	decoded, err := jpeg.Decode(&file)
	if err != nil {
		return err
	}
	for j := 0; j < len(c.values); j += c.channels {
		y, x := j/c.channels/c.width, j/c.channels%c.width
		rgb := color.NRGBAModel.Convert(decoded.At(x, y)).(color.NRGBA)
		for k, v := range []uint8{rgb.R, rgb.G, rgb.B}[:c.channels] {
			c.values[j+k] = float64(v) / 255
		}
	}
	return nil
}
