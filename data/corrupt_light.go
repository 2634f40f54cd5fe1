package data

import (
	"math/rand/v2"
	"slices"
)

// brighten adds to the value of HSV, the maximum of a pixel's channels, up to 1. Hue and saturation
// stay, so the channels keep their ratios; black becomes gray.
func brighten(c *floatImage, more float64, _ *rand.Rand) error {
	for pixel := range slices.Chunk(c.values, c.channels) {
		value := slices.Max(pixel)
		brighter := min(value+more, 1)
		for k, v := range pixel {
			if value == 0 {
				pixel[k] = brighter
			} else {
				pixel[k] = v * (brighter / value)
			}
		}
	}
	return nil
}

// flatten reduces contrast: every value moves toward the image's mean of its channel.
func flatten(c *floatImage, factor float64, _ *rand.Rand) error {
	mean := make([]float64, c.channels)
	area := float64(c.height * c.width)
	for j, v := range c.values {
		mean[j%c.channels] += v / area
	}
	for j, v := range c.values {
		m := mean[j%c.channels]
		c.values[j] = m + float64(factor*(v-m))
	}
	return nil
}
