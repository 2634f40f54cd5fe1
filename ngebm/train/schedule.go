package train

import (
	"math"

	"ngebm/ngebm"
)

// learningRate is the learning rate of a step, counted from 0, of total.
func learningRate(c ngebm.Config, step, total, stepsPerEpoch int) float64 {
	rate := c.LearningRate
	if step < c.Warmup {
		rate *= float64(step+1) / float64(c.Warmup)
	}
	switch c.Schedule {
	case "step":
		for _, e := range c.DecayEpochs {
			if step >= e*stepsPerEpoch {
				rate *= c.Decay
			}
		}
	case "cosine":
		rate *= (1 + math.Cos(math.Pi*float64(step)/float64(total))) / 2
	}
	return rate
}

// ramp is the factor, in [0,1], on the weights of all terms but the
// classification's at a step, counted from 0, of total.
func ramp(c ngebm.Config, step, total, stepsPerEpoch int) float64 {
	f := 1.
	if n := c.RampEpochs * stepsPerEpoch; step < n {
		f = float64(step) / float64(n)
	}
	if n := c.FadeEpochs * stepsPerEpoch; total-step <= n {
		f = min(f, float64(total-1-step)/float64(n))
	}
	return f
}
