package ngebm

import (
	"fmt"
	"math"
	"regexp"

	"ngebm/ngebm/energy"
	"ngebm/ngebm/jem"
)

// Adversarial trains on adversarial examples in place of the batch's own (Madry et
// al. 2018): projected gradient ascent on the cross-entropy from a random start in
// the ball.
type Adversarial struct {
	// Epsilon is the radius of the ball, as a fraction of the pixel range (8/255 is
	// .0314) or in the points' own units; 0 is none.
	Epsilon float64 `json:"epsilon,omitempty"`
	Norm    string  `json:"norm,omitempty"`  // "linf" (the default) or "l2"
	Steps   int     `json:"steps,omitempty"` // 10
	// Step is the size of one step, in Epsilon's unit; 0 is 2.5·Epsilon/Steps.
	Step float64 `json:"step,omitempty"`
}

// Margin pushes the energies of the data and of outliers apart (energy-bounded
// learning, Liu et al. 2020); see energy.Margin.
type Margin struct {
	// Outliers names what the model should find unlikely: a way to make strange
	// examples of the training set (see data.Dataset.SynthesizeOOD: "uniform noise") or a
	// data set for data.Open, brought to the same shape. "" is none.
	Outliers string  `json:"outliers,omitempty"`
	Weight   float64 `json:"weight,omitempty"` // .1
	In       float64 `json:"in,omitempty"`     // energies of data below it cost; 23
	Out      float64 `json:"out,omitempty"`    // energies of outliers above it cost; 5
}

// Recover says how often a run that diverges goes back to the last evaluation where
// all was well and tries again, with other random numbers.
type Recover struct {
	Times int `json:"times,omitempty"` // at most so often; 0 stops the run
	// Shrink multiplies, at each time, the size of JEM's SGLD steps, or the learning
	// rate of other methods; 0 is .5, and 1 leaves it as it is.
	Shrink float64 `json:"shrink,omitempty"`
}

var hashPattern = regexp.MustCompile(`^[0-9a-f]{12}$`)

// withDefaults fills in what is left open, so that what is the same has one hash.
func (c Config) withDefaults() Config {
	or := func(value *float64, standard float64) {
		if *value == 0 {
			*value = standard
		}
	}
	c.JEM = c.JEM.WithDefaults()
	if a := &c.Adversarial; a.Epsilon > 0 {
		if a.Norm == "" {
			a.Norm = "linf"
		}
		if a.Steps == 0 {
			a.Steps = 10
		}
		or(&a.Step, 2.5*a.Epsilon/float64(a.Steps))
	}
	if m := &c.Margin; m.Outliers != "" {
		or(&m.Weight, .1)
		or(&m.In, 23)
		or(&m.Out, 5)
	}
	if c.Precision == "float32" {
		c.Precision = ""
	}
	if c.Recover.Times > 0 {
		or(&c.Recover.Shrink, .5)
	}
	return c
}

// validateMethod is Validate for the settings of the rival methods.
func (c Config) validateMethod(bad func(field string, value any, want string) error) error {
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	a, m, r := c.Adversarial, c.Margin, c.Recover
	if err := c.JEM.Validate(); err != nil {
		return fmt.Errorf("ngebm: %w", err)
	}
	switch {
	case !(c.LabelSmoothing >= 0 && c.LabelSmoothing < 1):
		return bad("label_smoothing", c.LabelSmoothing, "at least 0 (none) and below 1")
	case c.Focal != 0 && !(c.Focal >= 1 && finite(c.Focal)):
		return bad("focal", c.Focal, "0 (none) or a finite number of 1 or more")
	case c.Focal != 0 && c.LabelSmoothing != 0:
		return bad("focal", c.Focal, "0 where label_smoothing is used: one of the two")
	case c.RampEpochs < 0 || c.FadeEpochs < 0 || c.RampEpochs > c.Epochs-c.FadeEpochs:
		return fmt.Errorf("ngebm: ramp_epochs is %d and fade_epochs is %d; each must be 0 or more, and together at most the %d epochs", c.RampEpochs, c.FadeEpochs, c.Epochs)
	case !(a.Epsilon >= 0 && finite(a.Epsilon)):
		return bad("adversarial.epsilon", a.Epsilon, "a finite number of 0 (none) or more")
	case a.Epsilon == 0 && a != Adversarial{}:
		return bad("adversarial.epsilon", a.Epsilon, "above 0 where other settings of adversarial are given, such as .0314 for 8/255")
	case a.Norm != "" && a.Norm != "linf" && a.Norm != "l2":
		return bad("adversarial.norm", fmt.Sprintf("%q", a.Norm), "linf or l2")
	case a.Steps < 0 || a.Steps > maxAscent:
		return bad("adversarial.steps", a.Steps, fmt.Sprintf("from 1 to %d, or 0 for 10", maxAscent))
	case !(a.Step >= 0 && finite(a.Step)):
		return bad("adversarial.step", a.Step, "a finite number of 0 or more")
	case m.Outliers == "" && m != Margin{}:
		return bad("margin.outliers", `""`, `given where other settings of margin are, as in margin.outliers=uniform noise`)
	case !(m.Weight >= 0 && finite(m.Weight)) || !finite(m.In) || !finite(m.Out):
		return fmt.Errorf("ngebm: margin is %+v; its weight must be 0 or more and all its numbers finite", m)
	case m.Outliers != "" && c.JEM.Enabled():
		return bad("margin.outliers", fmt.Sprintf("%q", m.Outliers), "empty where jem.weight is set: a loss has one kind of other examples")
	case a.Epsilon > 0 && (c.JEM.Enabled() || m.Outliers != ""):
		return bad("adversarial.epsilon", a.Epsilon, "0 where jem.weight or margin.outliers is set: a step has one thing beside its batch")
	case a.Epsilon > 0 && c.Augment.Mixup > 0:
		return bad("adversarial.epsilon", a.Epsilon, "0 where augment.mixup is used: the search is for an example with one label")
	case c.Start != "" && !hashPattern.MatchString(c.Start):
		return bad("start", fmt.Sprintf("%q", c.Start), "the hash of a run, the 12 hex digits at the end of its folder's name")
	case !(c.EMA >= 0 && c.EMA < 1):
		return bad("ema", c.EMA, "at least 0 (none) and below 1, such as .999")
	case c.Precision != "" && c.Precision != "float32" && c.Precision != bfloat16:
		return bad("precision", fmt.Sprintf("%q", c.Precision), "float32 (the default) or bfloat16")
	case r.Times < 0 || r.Times > maxTimes:
		return bad("recover.times", r.Times, fmt.Sprintf("from 0 (stop) to %d", maxTimes))
	case !(r.Shrink >= 0 && r.Shrink <= 1):
		return bad("recover.shrink", r.Shrink, "above 0 and at most 1, or 0 for .5")
	case r.Times == 0 && r != Recover{}:
		return bad("recover.times", r.Times, "1 or more where recover.shrink is given")
	}
	return nil
}

// baseLoss is what every method's loss has, for examples of the given shape.
func (c Config) baseLoss(shape []int) energy.NGEBM {
	base := energy.NGEBM{Alpha: c.Alpha, Beta: c.Beta, Gamma: c.Gamma, Smoothing: c.LabelSmoothing, Focal: c.Focal}
	if c.GammaPerDimension {
		base.Gamma *= math.Sqrt(float64(sizeOf(shape)))
	}
	return base
}

// Objective returns the loss that the configuration minimises for examples of the
// given shape.
func (c Config) Objective(shape []int) energy.Objective {
	base := c.baseLoss(shape)
	c = c.withDefaults()
	switch {
	case c.JEM.Enabled():
		return jem.Objective{NGEBM: base, Settings: c.JEM}
	case c.Margin.Outliers != "":
		return energy.Bounded{NGEBM: base, Weight: c.Margin.Weight, In: c.Margin.In, Out: c.Margin.Out}
	}
	return base
}

// ramp is the factor, in [0,1], on the weights of all terms but the
// classification's at a step, counted from 0, of total.
func (c Config) ramp(step, total, stepsPerEpoch int) float64 {
	f := 1.
	if n := c.RampEpochs * stepsPerEpoch; step < n {
		f = float64(step) / float64(n)
	}
	if n := c.FadeEpochs * stepsPerEpoch; total-step <= n {
		f = min(f, float64(total-1-step)/float64(n))
	}
	return f
}
