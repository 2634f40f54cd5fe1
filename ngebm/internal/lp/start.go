package lp

import (
	"math"
	"math/rand/v2"
)

// Start writes a point drawn uniformly from the Lp ball around x, cut to the range, into y.
func (t ThreatModel) Start(r *rand.Rand, x, y []float32) {
	if t.Norm == L2 {
		t.startAt(r, x, y, float64(t.Radius)*math.Pow(r.Float64(), 1/float64(len(x))))
		return
	}
	for j, v := range x {
		y[j] = v + float32(2*r.Float64()-1)*t.Radius
	}
	t.Settle(x, y)
}

// StartOnSurface writes the start of APGD into y: a random direction, at the distance ε from
// x in the norm (L∞: uniform values, scaled), cut to the range.
func (t ThreatModel) StartOnSurface(r *rand.Rand, x, y []float32) {
	if t.Norm == L2 {
		t.startAt(r, x, y, float64(t.Radius))
		return
	}
	largest := float32(0)
	for j := range y {
		y[j] = float32(2*r.Float64() - 1)
		largest = max(largest, y[j], -y[j])
	}
	for j, v := range x {
		y[j] = v + y[j]/largest*t.Radius
	}
	t.Settle(x, y)
}

// startAt writes a point in a random direction at a Euclidean distance from x.
func (t ThreatModel) startAt(r *rand.Rand, x, y []float32, distance float64) {
	direction, length := randomDirection(r, len(x))
	for j, v := range x {
		y[j] = float32(float64(v) + distance*direction[j]/length)
	}
	t.Settle(x, y)
}

// ScaleTo scales delta to the Euclidean length ε, and writes x+delta, cut to the range,
// into y.
func (t ThreatModel) ScaleTo(delta []float64, x, y []float32) {
	square := 0.
	for _, d := range delta {
		square += d * d
	}
	for j, v := range x {
		y[j] = float32(float64(v) + float64(t.Radius)*delta[j]/(math.Sqrt(square)+1e-12))
	}
	t.Settle(x, y)
}

// TrainingStart moves x to a point drawn uniformly from the Lp ball around it, up to
// rounding, and from there to the nearest that is in the range. It differs from
// [ThreatModel.Start] as the package's doc says.
func (t ThreatModel) TrainingStart(r *rand.Rand, x []float32) {
	if t.Norm == L2 {
		direction, length := randomDirection(r, len(x))
		scale := t.Epsilon * math.Pow(r.Float64(), 1/float64(len(x))) / length
		for j := range x {
			x[j] += float32(direction[j] * scale)
		}
	} else {
		for j := range x {
			x[j] += float32((2*r.Float64() - 1) * t.Epsilon)
		}
	}
	for j, v := range x {
		x[j] = min(max(v, t.Lo), t.Hi)
	}
}

// randomDirection draws n normal values, and returns their Euclidean length too.
func randomDirection(r *rand.Rand, n int) (direction []float64, length float64) {
	direction, square := make([]float64, n), 0.
	for j := range direction {
		direction[j] = r.NormFloat64()
		square += direction[j] * direction[j]
	}
	return direction, math.Sqrt(square)
}
