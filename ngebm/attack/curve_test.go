package attack

import (
	"math"
	"testing"
)

// Intervals from scipy 1.17.1: binomtest(count, n).proportion_ci(method="wilson").
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		count, n  int
		low, high float64
	}{
		{8, 10, .4901624715366418, .9433178485456248},
		{0, 20, 0, .16112515805281935},
		{20, 20, .8388748419471808, 1},
		{201, 597, .299926411207632, .3755287406676436},
	} {
		p := newPoint(.1, c.count, c.n)
		if math.Abs(p.Low-c.low) > 1e-14 || math.Abs(p.High-c.high) > 1e-14 {
			t.Errorf("%d of %d: [%.14f, %.14f], want [%.14f, %.14f]", c.count, c.n, p.Low, p.High, c.low, c.high)
		}
	}
}
