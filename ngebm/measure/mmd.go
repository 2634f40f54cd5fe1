package measure

import (
	"fmt"
	"math"
	"slices"

	"ngebm/data"
)

// MMD returns the squared maximum mean discrepancy between two sets, a distance of
// distributions that is 0 where they are the same: the unbiased estimate of Gretton et
// al. 2012 (JMLR 13, equation 3), which may fall a little below 0, with the kernel
// exp(-‖x-y‖²/2σ²) on examples as a network sees them. σ is the median of the distances
// between examples of reference, so that metrics with one reference compare. Both sets
// need two examples or more; the time grows with the square of their number.
func MMD(samples, reference *data.Dataset) (float64, error) {
	if !slices.Equal(samples.Shape, reference.Shape) {
		return 0, fmt.Errorf("measure: %s has examples of shape %v, but %s has %v", samples.Name, samples.Shape, reference.Name, reference.Shape)
	}
	if samples.Len() < 2 || reference.Len() < 2 {
		return 0, fmt.Errorf("measure: %d and %d examples are too few to compare distributions; give 2 or more of each", samples.Len(), reference.Len())
	}
	a, b := rows(samples), rows(reference)
	var distances []float64
	for i := range b {
		for j := range i {
			distances = append(distances, squaredDistance(b[i], b[j]))
		}
	}
	slices.Sort(distances)
	width := 2 * distances[len(distances)/2] // 2σ²
	if width == 0 {
		return 0, fmt.Errorf("measure: at least half of the examples of %s are equal, so there is no scale to compare by", reference.Name)
	}
	within := func(x [][]float32) (sum float64) {
		for i := range x {
			for j := range i {
				sum += 2 * math.Exp(-squaredDistance(x[i], x[j])/width)
			}
		}
		return sum / float64(len(x)*(len(x)-1))
	}
	across := 0.
	for _, x := range a {
		for _, y := range b {
			across += math.Exp(-squaredDistance(x, y) / width)
		}
	}
	return within(a) + within(b) - 2*across/float64(len(a)*len(b)), nil
}

func rows(d *data.Dataset) [][]float32 {
	all := make([][]float32, d.Len())
	for i := range all {
		all[i] = make([]float32, d.Size())
		d.Example(i, all[i])
	}
	return all
}

func squaredDistance(x, y []float32) (sum float64) {
	for i, v := range x {
		sum += float64(v-y[i]) * float64(v-y[i])
	}
	return sum
}
