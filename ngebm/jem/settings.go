package jem

import (
	"fmt"
	"math"
)

// Settings of JEM. The zero value disables it. With a Weight or Joint weight above 0, other
// settings of 0 are the paper's.
type Settings struct {
	// Weight of log p(x) in the loss; 1 in the paper.
	Weight float64 `json:"weight,omitempty"`
	// Joint is the weight of log p(x,y), with samples of a class drawn for it. It
	// needs Conditional.
	Joint float64 `json:"joint,omitempty"`
	// Conditional draws each sample for a class, drawn uniformly where the number of classes
	// divides Buffer: each class has a part of the buffer, as even as can be. Its chain follows the
	// gradient of that class's logit, which is log p(x|y) up to a constant. The replay
	// buffer keeps a label with each sample.
	Conditional bool `json:"conditional,omitempty"`

	Steps int     `json:"steps,omitempty"` // SGLD steps for each training step; 20
	Step  float64 `json:"step,omitempty"`  // size of an SGLD step; 1
	Noise float64 `json:"noise,omitempty"` // standard deviation of its noise; .01

	Buffer  int     `json:"buffer,omitempty"`  // samples kept; 10000
	Restart float64 `json:"restart,omitempty"` // share of chains that restart, in (0,1]; .05
	// Start is the initial distribution: "uniform" (the paper's: U(-1,1) for images, the box of
	// the training points in the plane) or "data" (JEM++'s informative start: a normal distribution
	// with the mean and covariance of a class of the training set).
	Start string `json:"start,omitempty"`

	// EnergyL2 weighs the mean of E² over data and samples, which keeps energies
	// near 0 (Du, Mordatch 2019, equation 4); 0 is none, as in the paper.
	EnergyL2 float64 `json:"energy_l2,omitempty"`
	// MaxGap is the difference of the mean energies of data and samples above which
	// training counts as diverged; 100. Normal values are a few units.
	MaxGap float64 `json:"max_gap,omitempty"`
}

// Enabled reports whether the loss has a term with samples.
func (s Settings) Enabled() bool { return s.Weight != 0 || s.Joint != 0 }

// WithDefaults replaces settings of 0 by the paper's.
func (s Settings) WithDefaults() Settings {
	if !s.Enabled() {
		return s
	}
	or := func(value *float64, standard float64) {
		if *value == 0 {
			*value = standard
		}
	}
	or(&s.Step, 1)
	or(&s.Noise, .01)
	or(&s.Restart, .05)
	or(&s.MaxGap, 100)
	if s.Steps == 0 {
		s.Steps = 20
	}
	if s.Buffer == 0 {
		s.Buffer = 10_000
	}
	if s.Start == "" {
		s.Start = "uniform"
	}
	return s
}

// Bounds of settings: chains of the paper have 20 steps, its buffer 10,000 samples.
const (
	maxSteps  = 10_000
	maxBuffer = 1_000_000
	maxValues = 1 << 30 // numbers in the buffer
)

// Validate returns an error with key and value of the first invalid setting.
func (s Settings) Validate() error {
	bad := func(key string, value any, want string) error {
		return fmt.Errorf("jem.%s is %v; it must be %s", key, value, want)
	}
	for _, w := range []struct {
		key   string
		value float64
	}{{"weight", s.Weight}, {"joint", s.Joint}, {"energy_l2", s.EnergyL2}} {
		if !(w.value >= 0) || math.IsInf(w.value, 0) {
			return bad(w.key, w.value, "a finite number of 0 (none) or more")
		}
	}
	if !s.Enabled() {
		if s != (Settings{}) {
			return bad("weight", s.Weight, "above 0 where other settings of jem are given, as in jem.weight=1")
		}
		return nil
	}
	s = s.WithDefaults()
	positive := func(v float64) bool { return v > 0 && !math.IsInf(v, 0) }
	switch {
	case s.Joint > 0 && !s.Conditional:
		return bad("joint", s.Joint, "0 unless samples are drawn by class: set jem.conditional=true too")
	case s.Steps < 1 || s.Steps > maxSteps:
		return bad("steps", s.Steps, fmt.Sprintf("from 1 to %d", maxSteps))
	case !positive(s.Step):
		return bad("step", s.Step, "a finite number above 0")
	case !positive(s.Noise):
		return bad("noise", s.Noise, "a finite number above 0")
	case s.Buffer < 1 || s.Buffer > maxBuffer:
		return bad("buffer", s.Buffer, fmt.Sprintf("from 1 to %d samples", maxBuffer))
	case !(s.Restart > 0 && s.Restart <= 1):
		return bad("restart", s.Restart, "above 0 and at most 1")
	case s.Start != "uniform" && s.Start != "data":
		return bad("start", fmt.Sprintf("%q", s.Start), "uniform or data")
	case !positive(s.MaxGap):
		return bad("max_gap", s.MaxGap, "a finite number above 0")
	}
	return nil
}
