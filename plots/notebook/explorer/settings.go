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
	mostWeight            = 100
	leastNoise, mostNoise = .1, 1
	mostEpochs            = 2000
)

func (s Settings) check() error {
	for _, w := range []struct {
		name  string
		value float64
	}{{"alpha", s.Alpha}, {"beta", s.Beta}, {"gamma", s.Gamma}} {
		if !(w.value >= 0 && w.value <= mostWeight) {
			return fmt.Errorf("explorer: %s is %v: choose 0 to %d", w.name, w.value, mostWeight)
		}
	}
	switch {
	case s.Alpha+s.Beta+s.Gamma == 0:
		return fmt.Errorf("explorer: alpha, beta and gamma are all 0, which leaves nothing to learn: set one above 0")
	case !(s.Noise >= leastNoise && s.Noise <= mostNoise):
		return fmt.Errorf("explorer: noise is %v: choose %v to %v", s.Noise, leastNoise, mostNoise)
	case s.Epochs < 1 || s.Epochs > mostEpochs:
		return fmt.Errorf("explorer: epochs is %d: choose 1 to %d", s.Epochs, mostEpochs)
	}
	return nil
}

// String is how a person would write them.
func (s Settings) String() string {
	return fmt.Sprintf("α=%g β=%g γ=%g, noise %g, %d epochs", s.Alpha, s.Beta, s.Gamma, s.Noise, s.Epochs)
}

// knob is one slider: the values that it can take, in ascending order, and the one that
// it starts at.
type knob struct {
	Name, Label, About string
	Stops              []float64
	Value              float64
}

// Index is where the slider starts among its stops.
func (k knob) Index() int { return slices.Index(k.Stops, k.Value) }

// Last is the index of the last stop.
func (k knob) Last() int { return len(k.Stops) - 1 }

// knobs are the panel's sliders, at these settings. Weights go up in steps of about
// three, for it is their order of magnitude that matters.
func (s Settings) knobs() []knob {
	weights := []float64{0, .001, .003, .01, .03, .1, .3, 1, 3, 10}
	knobs := []knob{
		{"alpha", "α", "weight of the cross-entropy", weights, s.Alpha},
		{"beta", "β", "weight of the energy's variance", weights, s.Beta},
		{"gamma", "γ", "weight of the energy's gradient norm", weights, s.Gamma},
		{"noise", "noise", "how far points lie off their moon", []float64{.1, .15, .2, .3, .4, .5}, s.Noise},
		{"epochs", "epochs", "how long to train", []float64{10, 20, 40, 80, 160, 320, 640}, float64(s.Epochs)},
	}
	for i := range knobs {
		k := &knobs[i]
		if at, found := slices.BinarySearch(k.Stops, k.Value); !found {
			k.Stops = slices.Insert(slices.Clone(k.Stops), at, k.Value)
		}
	}
	return knobs
}

// settingsOf reads what sliders of those names show.
func settingsOf(values map[string]float64) (Settings, error) {
	epochs := values["epochs"]
	s := Settings{Alpha: values["alpha"], Beta: values["beta"], Gamma: values["gamma"], Noise: values["noise"]}
	if !(epochs >= 1 && epochs <= mostEpochs) || epochs != math.Trunc(epochs) {
		return s, fmt.Errorf("explorer: epochs is %v: choose a whole number from 1 to %d", epochs, mostEpochs)
	}
	s.Epochs = int(epochs)
	return s, s.check()
}
