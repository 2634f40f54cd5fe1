package data

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// gaussianNoise models sensor noise in low light.
func gaussianNoise(c *floatImage, deviation float64, rng *rand.Rand) error {
	for j := range c.values {
		c.values[j] += float64(deviation * rng.NormFloat64())
	}
	return nil
}

// shotNoise models photon counting; photons is the expected count at the value 1. Poisson's number of
// draws depends on its mean, so severities do not share their draws.
func shotNoise(c *floatImage, photons float64, rng *rand.Rand) error {
	for j, v := range c.values {
		c.values[j] = distuv.Poisson{Lambda: photons * v, Src: rng}.Rand() / photons
	}
	return nil
}

// impulseNoise sets a fraction of all values to 0 or 1 (salt and pepper) with equal probability.
func impulseNoise(c *floatImage, share float64, rng *rand.Rand) error {
	for j := range c.values {
		struck, salt := rng.Float64() < share, rng.IntN(2) // always both, so that severities share their draws
		if struck {
			c.values[j] = float64(salt)
		}
	}
	return nil
}
