package attack

import "slices"

// control chooses the length of each image's steps.
type control struct {
	lengths []float32 // of the next step
	restart []bool    // the next step starts from the best point

	period, shortest, shrink, since int // steps between two decisions; the same for all images
	rises                           []int
	last, best, bestBefore          []float32 // losses
	halved                          []bool    // at the decision before
}

func newControl(batch, steps int, length float32) *control {
	part := func(of float64) int { return max(1, int(of*float64(steps))) }
	c := &control{
		lengths: slices.Repeat([]float32{length}, batch), restart: make([]bool, batch),
		period: part(.22), shortest: part(.06), shrink: part(.03),
		rises: make([]int, batch), halved: make([]bool, batch),
	}
	for k := range c.halved {
		c.halved[k] = true // AutoAttack's start: the first decision is by oscillation alone
	}
	return c
}

// begin takes the losses of the start.
func (c *control) begin(loss []float32) {
	c.last, c.best, c.bestBefore = slices.Clone(loss), slices.Clone(loss), slices.Clone(loss)
}

// observe takes the losses after a step.
func (c *control) observe(loss []float32) {
	for k, l := range loss {
		c.restart[k] = false
		if l > c.last[k] {
			c.rises[k]++
		}
		c.best[k] = max(c.best[k], l)
	}
	copy(c.last, loss)
	c.since++
	if c.since < c.period {
		return
	}
	for k := range loss {
		oscillates := float64(c.rises[k]) <= .75*float64(c.period)
		stuck := !c.halved[k] && c.bestBefore[k] >= c.best[k]
		c.halved[k] = oscillates || stuck
		if c.halved[k] {
			c.lengths[k] /= 2
			c.restart[k] = true
		}
		c.rises[k] = 0
	}
	copy(c.bestBefore, c.best)
	c.since, c.period = 0, max(c.shortest, c.period-c.shrink)
}
