package calibration

import (
	"math"
	"slices"

	"ngebm/ngebm/bootstrap"
)

// binOf returns the bin of p among n of equal width: bin i is (i/n, (i+1)/n],
// and 0 is in the first.
func binOf(p float64, n int) int {
	i := min(max(int(p*float64(n)), 0), n-1)
	for i > 0 && p <= float64(i)/float64(n) {
		i--
	}
	for i < n-1 && p > float64(i+1)/float64(n) {
		i++
	}
	return i
}

// midpointBins is the number of bins of both midpoint forms.
const midpointBins = 20

// officialBin returns the bin of a confidence in the NG-EBM authors' evaluation:
// in single precision, [lo,hi), each edge moved up by 1e-10.
func officialBin(confidence float64) int {
	const width, shift = .05, 1e-10
	c := float64(float32(confidence))
	i := 0
	for i < midpointBins-1 && c >= float64(i)*width+width+shift {
		i++
	}
	return i
}

// Bin is one bin of a reliability diagram. An empty bin has mean confidence and
// accuracy 0.
type Bin struct {
	Low        float64 `json:"low"` // (Low, High]; the first bin holds 0 too
	High       float64 `json:"high"`
	Count      int     `json:"count"`
	Confidence float64 `json:"mean_confidence"`
	Accuracy   float64 `json:"accuracy"`
	// Perfect holds 95 % of the accuracies that a perfectly calibrated model with the same
	// confidences would have; nil in an empty bin, and in reports of before 2026-12.
	Perfect *bootstrap.Interval `json:"perfect,omitempty"`
}

// tally sums the examples of a bin.
type tally struct {
	count, confidence, right float64 // confidence and right are sums
}

func (t *tally) add(weight, confidence float64, right bool) {
	t.count += weight
	t.confidence += weight * confidence
	if right {
		t.right += weight
	}
}

// gap returns |mean confidence - accuracy|, 0 if the bin is empty.
func (t tally) gap() float64 {
	if t.count == 0 {
		return 0
	}
	return math.Abs(t.confidence/t.count - t.right/t.count)
}

// equalMass returns the expected calibration error over bins of about equal
// mass, as uncertainty-calibration 0.1.4 makes them: the sorted confidences are
// split into parts whose sizes differ by one at most, the longer ones first; an
// edge is midway between the last confidence of a part and the first of the
// next; equal edges are one. Equal confidences so share a bin, (lo,hi].
// Confidences are in rising order, weights[example] says how often each counts,
// and total is their sum.
func equalMass(examples []ranked, weights []int32, total, bins int, edges []float64) float64 {
	edges = equalMassEdges(examples, weights, total, bins, edges)
	var bin tally
	edge, sum := 0, 0.
	for _, e := range examples {
		for e.confidence > edges[edge] {
			sum += bin.count * bin.gap()
			bin = tally{}
			edge++
		}
		bin.add(float64(weights[e.example]), e.confidence, e.right)
	}
	return (sum + bin.count*bin.gap()) / float64(total)
}

// equalMassEdges returns the upper edges, the last of which is infinite, in the memory of
// edges.
func equalMassEdges(examples []ranked, weights []int32, total, bins int, edges []float64) []float64 {
	edges = edges[:0]
	at, end := -1, 0 // examples[at] takes positions … end-1 of the weighted list
	confidenceAt := func(position int) float64 {
		for end <= position {
			at++
			end += int(weights[examples[at].example])
		}
		return examples[at].confidence
	}
	for part := 1; part < bins; part++ {
		start := part*(total/bins) + min(part, total%bins)
		last := confidenceAt(start - 1)
		edges = append(edges, (last+confidenceAt(start))/2)
	}
	return slices.Compact(append(edges, math.Inf(1)))
}
