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
// need two examples or more. The time grows with the square of their number, and so does memory
// with that of the reference's, of which there may be 10,000 at most (400 MB): data.Dataset.Sample
// draws some.
func MMD(samples, reference *data.Dataset) (float64, error) {
	if !slices.Equal(samples.Shape, reference.Shape) {
		return 0, fmt.Errorf("measure: %s has examples of shape %v, but %s has %v", samples.Name, samples.Shape, reference.Name, reference.Shape)
	}
	if samples.Len() < 2 || reference.Len() < 2 {
		return 0, fmt.Errorf("measure: %d and %d examples are too few to compare distributions; give 2 or more of each", samples.Len(), reference.Len())
	}
	if reference.Len() > maxReference {
		return 0, fmt.Errorf("measure: the reference %s has %d examples, and the median of their distances needs memory that grows with the square; draw at most %d with Sample", reference.Name, reference.Len(), maxReference)
	}
	a, b := rows(samples), rows(reference)
	distances := make([]float64, 0, len(b)*(len(b)-1)/2)
	for i := range b {
		for j := range i {
			distances = append(distances, squaredDistance(b[i], b[j]))
		}
	}
	slices.Sort(distances)
	low, high := distances[(len(distances)-1)/2], distances[len(distances)/2]
	sigma := (math.Sqrt(low) + math.Sqrt(high)) / 2
	width := 2 * sigma * sigma
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

// maxReference bounds the memory of MMD.
const maxReference = 10_000

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
		d := float64(v) - float64(y[i])
		sum += d * d
	}
	return sum
}
