package train

import (
	"math"
	"testing"

	"ngebm/ngebm"
)

func TestLearningRate(t *testing.T) {
	c := ngebm.Config{LearningRate: 1, Warmup: 4, Schedule: "step", Decay: .5, DecayEpochs: []int{2, 3}}
	var got []float64
	for step := range 40 {
		got = append(got, learningRate(c, step, 40, 10))
	}
	for step, want := range map[int]float64{0: .25, 3: 1, 4: 1, 19: 1, 20: .5, 29: .5, 30: .25} {
		if got[step] != want {
			t.Errorf("rate at step %d is %v, want %v", step, got[step], want)
		}
	}
	c = ngebm.Config{LearningRate: 2, Schedule: "cosine"}
	if a, b := learningRate(c, 0, 10, 5), learningRate(c, 5, 10, 5); a != 2 || math.Abs(b-1) > 1e-12 {
		t.Errorf("cosine begins at %v and is at %v half-way, want 2 and 1", a, b)
	}
}

// The ramp over steps: up from 0 over the first epochs, down to 0 over the last.
func TestRamp(t *testing.T) {
	c := ngebm.Config{RampEpochs: 2, FadeEpochs: 1}
	for step, want := range map[int]float64{0: 0, 1: .125, 7: .875, 8: 1, 15: 1, 16: .75, 17: .5, 19: 0} {
		if got := ramp(c, step, 20, 4); got != want {
			t.Errorf("at step %d the ramp is %v, want %v", step, got, want)
		}
	}
	if got := ramp(ngebm.Config{}, 0, 20, 4); got != 1 {
		t.Errorf("without a ramp it is %v, want 1", got)
	}
}
