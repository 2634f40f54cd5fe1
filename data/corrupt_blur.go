package data

import (
	"math"
	"math/rand/v2"
)

// gaussianBlur models a lens out of focus.
func gaussianBlur(c *floatImage, sigma float64, _ *rand.Rand) error {
	c.blur(sigma*c.enlargement(), vertical, horizontal)
	return nil
}

// motionBlur models camera motion: each pixel becomes the mean over a line that starts at it,
// weighted with one half of a normal density of standard deviation sigma, in pixels. Positions on
// the line are rounded to whole pixels and border pixels repeated, as in ImageMagick, which made
// CIFAR-10-C.
func motionBlur(c *floatImage, sigma float64, rng *rand.Rand) error {
	sin, cos := math.Sincos((2*rng.Float64() - 1) * math.Pi / 4)
	sigma *= c.enlargement()
	type tap struct {
		down, right int
		weight      float64
	}
	taps := make([]tap, int(4*sigma+.5)+1)
	sum := 0.
	for t := range taps {
		along := float64(t)
		taps[t] = tap{int(math.Round(along * sin)), int(math.Round(along * cos)), math.Exp(-along * along / (2 * sigma * sigma))}
		sum += taps[t].weight
	}
	sharp := c.values
	c.values = make([]float64, len(sharp))
	for y := range c.height {
		for x := range c.width {
			to := c.values[(y*c.width+x)*c.channels:][:c.channels]
			for _, t := range taps {
				row := min(max(y+t.down, 0), c.height-1)
				column := min(max(x+t.right, 0), c.width-1)
				for k, v := range sharp[(row*c.width+column)*c.channels:][:c.channels] {
					to[k] += float64(t.weight / sum * v)
				}
			}
		}
	}
	return nil
}
