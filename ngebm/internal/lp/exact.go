package lp

import "math"

// Bounds writes, for each value of x, the interval that the norm (if L∞) and the range
// leave it.
func (t ThreatModel) Bounds(x, lower, upper []float32) {
	for j, v := range x {
		lower[j], upper[j] = t.interval(v)
	}
}

// interval is what the norm (if L∞) and the range leave for a value v.
func (t ThreatModel) interval(v float32) (lower, upper float32) {
	if t.Norm == Linf {
		return max(t.Lo, reach(v, -t.Radius)), min(t.Hi, reach(v, t.Radius))
	}
	return t.Lo, t.Hi
}

// reach returns the float32 farthest from v towards v+step whose distance from v, not the
// rounded sum's, is at most |step|.
func reach(v, step float32) float32 {
	y := float32(float64(v) + float64(step))
	for math.Abs(float64(y)-float64(v)) > math.Abs(float64(step)) {
		y = math.Nextafter32(y, v)
	}
	return y
}

// Contains reports whether y is a perturbed x, as float64 and as plain float32 arithmetic
// compute it. NaN is not.
func (t ThreatModel) Contains(x, y []float32) bool {
	var exact float64
	var single float32
	for j, v := range x {
		d, d64 := y[j]-v, float64(y[j])-float64(v)
		// Negated, so that NaN is outside.
		if !(y[j] >= t.Lo && y[j] <= t.Hi) {
			return false
		}
		switch t.Norm {
		case Linf:
			exact = max(exact, math.Abs(d64))
			single = max(single, d, -d)
		case L2:
			exact += d64 * d64
			single += float32(d * d) // the conversion forbids a fused operation
		}
	}
	if t.Norm == L2 {
		exact, single = math.Sqrt(exact), float32(math.Sqrt(float64(single)))
	}
	return exact <= float64(t.Radius) && single <= t.Radius
}

// Settle moves y, which a device has projected up to rounding, into the threat model around
// x to the last bit. Values that are not numbers stay so.
func (t ThreatModel) Settle(x, y []float32) {
	for j, v := range x {
		lower, upper := t.interval(v)
		y[j] = min(max(y[j], lower), upper)
	}
	if t.Norm == Linf {
		return
	}
	for margin := 0x1p-24; margin <= 1 && !t.Contains(x, y); margin *= 2 {
		square := 0.
		for j, v := range x {
			d := float64(y[j]) - float64(v)
			square += d * d
		}
		// Between x and y, so the range holds; at margin 1 it is x itself.
		scale := min(1, float64(t.Radius)/math.Sqrt(square)) * (1 - margin)
		for j, v := range x {
			y[j] = float32(float64(v) + (float64(y[j])-float64(v))*scale)
		}
	}
}
