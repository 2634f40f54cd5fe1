package conformal

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mathext/prng"
)

// mapieReference is mapie.json, see make_mapie.py.
type mapieReference struct {
	Seed  uint64
	Cases []struct {
		Options
		Data      string
		Held      int
		Rows      []int // that calibrate; all of the first Held if nil
		Threshold float64
		Sets      []string // a digit for each class: 1 is in the set
	}
}

// numpyRand is numpy.random.RandomState(seed).uniform: 53 bits of two numbers of the Mersenne twister.
func numpyRand(seed uint64) func() float64 {
	source := prng.NewMT19937()
	source.Seed(seed)
	return func() float64 {
		high, low := source.Uint32()>>5, source.Uint32()>>6
		return (float64(high)*(1<<26) + float64(low)) / (1 << 53)
	}
}

// MAPIE 1.6.0 (numpy 2.4.6) gives the same thresholds and the same sets, element by element, as far as its
// definitions are those of this package; see the package's documentation. It draws the same numbers u for
// held-out examples whether or not sets are randomized, and its sets that are not have one class at least.
// The penalty and the rank of RAPS are those that it chose.
func TestMAPIE(t *testing.T) {
	var r mapieReference
	readJSON(t, "mapie", &r)
	if len(r.Cases) != 10 {
		t.Fatalf("%d cases, want 10", len(r.Cases))
	}
	for _, c := range r.Cases {
		t.Run(fmt.Sprintf("%s %s α=%g randomized=%v", c.Data, c.Method, c.Alpha, c.Randomized), func(t *testing.T) {
			probabilities, labels := examples(t, c.Data)
			held, heldLabels := probabilities[:c.Held], labels[:c.Held]
			if c.Rows != nil {
				held, heldLabels = nil, nil
				for _, i := range c.Rows {
					held, heldLabels = append(held, probabilities[i]), append(heldLabels, labels[i])
				}
			}
			o, adaptive := c.Options, c.Method != LAC
			o.Randomized = adaptive
			var u []float64
			for next := numpyRand(r.Seed); adaptive && len(u) < len(held); {
				u = append(u, next())
			}
			s, err := Fit(held, heldLabels, u, o)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Thresholds[0]; math.Abs(got-c.Threshold) > 1e-12 {
				t.Errorf("the threshold is %v, want %v", got, c.Threshold)
			}
			s.Randomized = c.Randomized
			next := numpyRand(r.Seed)
			for i, want := range c.Sets {
				p, u := probabilities[c.Held+i], next()
				set := s.Of(p, u)
				for k := range p {
					got := slices.Contains(set, k) || adaptive && !c.Randomized && len(set) == 0 && k == byProbability(p)[0]
					if got != (want[k] == '1') && !(c.Data == "C_n37_K3_edge" && s.tie(p, u, k)) {
						t.Errorf("class %d of row %d (%v) is in the set: %v, want %v", k, c.Held+i, p, got, want)
					}
				}
			}
		})
	}
}
