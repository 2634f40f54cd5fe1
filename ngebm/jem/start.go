package jem

import (
	"math"
	"math/rand/v2"

	"ngebm/data"
)

// Starter draws initial samples of chains.
type Starter struct {
	set       *data.Dataset
	low, high []float32   // of each value: [-1,1] for images, the box of the points
	byClass   [][]int     // examples of each class; nil for uniform starts
	means     [][]float32 // of each class
}

// NewStarter returns a starter for samples like the set's examples; see
// [Settings.Start] for the kinds, of which "" is "uniform".
func NewStarter(set *data.Dataset, kind string) *Starter {
	size := set.Size()
	s := &Starter{set: set, low: make([]float32, size), high: make([]float32, size)}
	for j := range size {
		s.low[j], s.high[j] = -1, 1
	}
	x := make([]float32, size)
	if !set.IsImages() {
		set.Example(0, s.low)
		set.Example(0, s.high)
		for i := range set.Len() {
			set.Example(i, x)
			for j, v := range x {
				s.low[j], s.high[j] = min(s.low[j], v), max(s.high[j], v)
			}
		}
	}
	if kind != "data" {
		return s
	}
	s.byClass, s.means = make([][]int, len(set.Classes)), make([][]float32, len(set.Classes))
	for i, label := range set.Labels {
		s.byClass[label] = append(s.byClass[label], i)
	}
	sum := make([]float64, size)
	for class, members := range s.byClass {
		clear(sum)
		for _, i := range members {
			set.Example(i, x)
			for j, v := range x {
				sum[j] += float64(v)
			}
		}
		s.means[class] = make([]float32, size)
		for j, v := range sum {
			s.means[class][j] = float32(v / float64(max(1, len(members))))
		}
	}
	return s
}

// Draw writes a fresh start for a sample of the class into x.
//
// For a start from the data it is μ + n^(-1/2)·Σ_i ε_i (x_i − μ) over the class's n
// examples, with ε_i from N(0,1): exactly N(μ, Σ) for the class's mean and covariance
// (1/n), without the covariance, which for images of 32×32×3 would have nine million
// entries.
func (s *Starter) Draw(rng *rand.Rand, class int, x []float32) {
	if s.byClass == nil || len(s.byClass[class]) == 0 {
		for j := range x {
			x[j] = s.low[j] + float32(rng.Float64())*(s.high[j]-s.low[j])
		}
		return
	}
	members, mean := s.byClass[class], s.means[class]
	sum, one := make([]float64, len(x)), make([]float32, len(x))
	for _, i := range members {
		s.set.Example(i, one)
		e := rng.NormFloat64()
		for j, v := range one {
			sum[j] += e * float64(v-mean[j])
		}
	}
	for j, v := range sum {
		x[j] = mean[j] + float32(v/math.Sqrt(float64(len(members))))
	}
}
