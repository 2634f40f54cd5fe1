package data

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// gaussianNoise is what a sensor adds in the dark.
func gaussianNoise(c *floatImage, deviation float64, rng *rand.Rand) error {
	for j := range c.values {
		c.values[j] += float64(deviation * rng.NormFloat64())
	}
	return nil
}

// shotNoise is the noise of counting light: full light is so many photons.
func shotNoise(c *floatImage, photons float64, rng *rand.Rand) error {
	for j, v := range c.values {
		c.values[j] = distuv.Poisson{Lambda: photons * v, Src: rng}.Rand() / photons
	}
	return nil
}

// impulseNoise is salt and pepper, in equal parts, on a share of all values.
func impulseNoise(c *floatImage, share float64, rng *rand.Rand) error {
	for j := range c.values {
		struck, salt := rng.Float64() < share, rng.IntN(2) // both always, so that a severity strikes what a lesser one did
		if struck {
			c.values[j] = float64(salt)
		}
	}
	return nil
}
