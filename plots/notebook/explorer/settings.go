package explorer

import (
	"fmt"
	"math"
	"slices"
)

// Settings are what the sliders set.
type Settings struct {
	Alpha, Beta, Gamma float64 // weights of the loss, each 0 to 100
	Noise              float64 // of the moons: a normal deviation, .1 to 1, where a moon's radius is 1
	Epochs             int     // 1 to 2000; one is 14 steps
}

// Ranges of what can be explored.
const (
	maxWeight          = 100
	minNoise, maxNoise = .1, 1
	maxEpochs          = 2000
)

func (s Settings) check() error {
	for _, w := range []struct {
		name  string
		value float64
	}{{"alpha", s.Alpha}, {"beta", s.Beta}, {"gamma", s.Gamma}} {
		if !(w.value >= 0 && w.value <= maxWeight) {
			return fmt.Errorf("explorer: %s is %v: choose 0 to %d", w.name, w.value, maxWeight)
		}
	}
	switch {
	case s.Alpha+s.Beta+s.Gamma == 0:
		return fmt.Errorf("explorer: alpha, beta and gamma are all 0, which leaves nothing to train: set one above 0")
	case !(s.Noise >= minNoise && s.Noise <= maxNoise):
		return fmt.Errorf("explorer: noise is %v: choose %v to %v", s.Noise, minNoise, maxNoise)
	case s.Epochs < 1 || s.Epochs > maxEpochs:
		return fmt.Errorf("explorer: epochs is %d: choose 1 to %d", s.Epochs, maxEpochs)
	}
	return nil
}

// String lists the settings in one line.
func (s Settings) String() string {
	return fmt.Sprintf("α=%g β=%g γ=%g, noise %g, %d epochs", s.Alpha, s.Beta, s.Gamma, s.Noise, s.Epochs)
}

// slider is one slider: the values that it can take, ascending, and the one that it
// starts at.
type slider struct {
	Name, Label, About string
	Stops              []float64
	Value              float64
}

// Index is where the slider starts among its stops.
func (s slider) Index() int { return slices.Index(s.Stops, s.Value) }

// Last is the index of the last stop.
func (s slider) Last() int { return len(s.Stops) - 1 }

// sliders are the panel's sliders, at these settings. Weights rise in factors of about
// three, since their order of magnitude is what matters.
func (s Settings) sliders() []slider {
	weights := []float64{0, .001, .003, .01, .03, .1, .3, 1, 3, 10}
	sliders := []slider{
		{"alpha", "α", "weight of the cross-entropy", weights, s.Alpha},
		{"beta", "β", "weight of the energy's variance", weights, s.Beta},
		{"gamma", "γ", "weight of the energy's gradient norm", weights, s.Gamma},
		{"noise", "noise", "how far points are off their moon", []float64{.1, .15, .2, .3, .4, .5}, s.Noise},
		{"epochs", "epochs", "how long to train", []float64{10, 20, 40, 80, 160, 320, 640}, float64(s.Epochs)},
	}
	for i := range sliders {
		k := &sliders[i]
		if at, found := slices.BinarySearch(k.Stops, k.Value); !found {
			k.Stops = slices.Insert(slices.Clone(k.Stops), at, k.Value)
		}
	}
	return sliders
}

// settingsOf reads the values of the sliders, by name.
func settingsOf(values map[string]float64) (Settings, error) {
	epochs := values["epochs"]
	s := Settings{Alpha: values["alpha"], Beta: values["beta"], Gamma: values["gamma"], Noise: values["noise"]}
	if !(epochs >= 1 && epochs <= maxEpochs) || epochs != math.Trunc(epochs) {
		return s, fmt.Errorf("explorer: epochs is %v: choose a whole number from 1 to %d", epochs, maxEpochs)
	}
	s.Epochs = int(epochs)
	return s, s.check()
}
