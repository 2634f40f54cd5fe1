package calibration

import (
	"testing"

	"ngebm/ngebm/bootstrap"
)

// Where a metric is near the upper end of its range, its interval ends there: 18 of 20
// examples are wrong and confident.
func TestIntervalsStayInRange(t *testing.T) {
	s := Sample{}
	for i := range 20 {
		s.Probabilities = append(s.Probabilities, []float64{.99 + float64(i)*1e-4, .01 - float64(i)*1e-4})
		s.Labels = append(s.Labels, 1)
	}
	s.Labels[0], s.Labels[1] = 0, 0
	r, err := Measure(s, Options{Bootstrap: bootstrap.Options{Resamples: 200, Seed: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Conventions() {
		if i := r.Intervals[c.Name]; i.Low > i.High || i.High > c.most() {
			t.Errorf("%s is %v with the interval %+v; %v is the most", c.Name, c.Of(r.Metrics), i, c.most())
		}
	}
}
