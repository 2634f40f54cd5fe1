package bootstrap

import "math"

// Wilson is the 95 % score interval (Wilson 1927) of a share of n examples, which needs no
// resampling.
func Wilson(share float64, n int) Interval {
	const z = 1.959963984540054 // the standard normal's 97.5 % point
	m := float64(n)
	center := (share + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(share*(1-share)/m+z*z/(4*m*m))
	i := Interval{max(0, center-half), min(1, center+half)}
	// Exactly, where rounding would leave a trace.
	if share == 0 {
		i.Low = 0
	}
	if share == 1 {
		i.High = 1
	}
	return i
}
