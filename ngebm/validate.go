package ngebm

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ngebm/ngebm/nets"
)

// Bounds of settings, far above what anybody trains: products of them fit an integer.
const (
	maxEpochs = 1_000_000
	maxBatch  = 1 << 20
	maxSteps  = 1 << 40
	maxTimes  = 1000   // of rollbacks: each draws from its own random streams
	maxAscent = 10_000 // steps of projected gradient ascent in one training step
)

// Values of [Config].Optimizer besides "adam".
const (
	AdamW = "adamw"
	SGD   = "sgd"
)

// BFloat16 is the value of [Config].Precision for training in bfloat16.
const BFloat16 = "bfloat16"

// Validate reports the first setting that is out of range, with its value and its range.
func (c Config) Validate() error {
	bad := func(field string, value any, want string) error {
		return fmt.Errorf("ngebm: %s is %v; it must be %s", field, value, want)
	}
	for _, w := range []struct {
		name  string
		value float64
	}{{"alpha", c.Alpha}, {"beta", c.Beta}, {"gamma", c.Gamma}} {
		if !(w.value >= 0) || math.IsInf(w.value, 0) {
			return bad(w.name, w.value, "a finite number of 0 or more (0 switches the term off)")
		}
	}
	switch {
	case c.Alpha == 0 && !c.TrainsEnergy():
		return fmt.Errorf("ngebm: alpha, beta, gamma and the weights of all other terms are 0, so there is nothing to minimize; ordinary training is alpha=1")
	case c.Epochs < 1 || c.Epochs > maxEpochs:
		return bad("epochs", c.Epochs, fmt.Sprintf("from 1 to %d", maxEpochs))
	case c.Batch < 1 || c.Batch > maxBatch:
		return bad("batch", c.Batch, fmt.Sprintf("from 1 to %d", maxBatch))
	case c.Limit < 0:
		return bad("limit", c.Limit, "0 (all examples) or more")
	case c.Draw < 0 || c.Draw > 0 && c.Draw <= c.Validation:
		return bad("draw", c.Draw, fmt.Sprintf("0 (all examples), or more than the %d of validation", c.Validation))
	case !(c.LearningRate > 0) || math.IsInf(c.LearningRate, 0):
		return bad("learning_rate", c.LearningRate, "a finite number above 0, such as 0.001")
	case c.Warmup < 0 || c.Warmup > maxSteps:
		return bad("warmup", c.Warmup, fmt.Sprintf("from 0 to %d steps", maxSteps))
	case !slices.Contains([]string{"constant", "step", "cosine"}, c.Schedule):
		return bad("schedule", fmt.Sprintf("%q", c.Schedule), "constant, step or cosine")
	case c.Schedule == "step" && !(c.Decay > 0 && c.Decay <= 1):
		return bad("decay", c.Decay, "above 0 and at most 1")
	case c.Schedule == "step" && !slices.IsSorted(c.DecayEpochs):
		return bad("decay_epochs", c.DecayEpochs, "in increasing order")
	case len(c.DecayEpochs) > 0 && (slices.Min(c.DecayEpochs) < 0 || slices.Max(c.DecayEpochs) > maxEpochs):
		return bad("decay_epochs", c.DecayEpochs, fmt.Sprintf("from 0 to %d each", maxEpochs))
	case c.Augment.Pad < 0:
		return bad("augment.pad", c.Augment.Pad, "0 or more pixels")
	case !(c.Augment.Noise >= 0) || math.IsInf(c.Augment.Noise, 0):
		return bad("augment.noise", c.Augment.Noise, "a finite number of 0 or more")
	case !(c.Augment.Mixup >= 0) || math.IsInf(c.Augment.Mixup, 0):
		return bad("augment.mixup", c.Augment.Mixup, "a finite number of 0 (none) or more, such as .2")
	case c.Augment.Cutout < 0:
		return bad("augment.cutout", c.Augment.Cutout, "0 (none) or more pixels")
	case c.Validation < 0:
		return bad("validation", c.Validation, "0 (none) or more examples")
	case c.EvalEvery < 1 || c.EvalEvery > maxEpochs:
		return bad("eval_every", c.EvalEvery, fmt.Sprintf("from 1 to %d epochs", maxEpochs))
	}
	if err := c.validateOptimizer(bad); err != nil {
		return err
	}
	return c.validateMethod(bad)
}

// validateOptimizer is Validate for the settings of the optimizer.
func (c Config) validateOptimizer(bad func(field string, value any, want string) error) error {
	switch sgd := c.Optimizer == SGD; {
	case !slices.Contains([]string{"", "adam", AdamW, SGD}, c.Optimizer):
		return bad("optimizer", fmt.Sprintf("%.60q", c.Optimizer), "adam, adamw or sgd")
	case !(c.Momentum >= 0 && c.Momentum < 1):
		return bad("momentum", c.Momentum, "at least 0 (none) and below 1, such as .9")
	case c.Momentum > 0 && !sgd:
		return bad("momentum", c.Momentum, "0 where optimizer is not sgd; Adam has its own, .9")
	case c.Nesterov && c.Momentum == 0:
		return bad("nesterov", c.Nesterov, "false where momentum is 0; add momentum=.9")
	case !(c.WeightDecay >= 0) || math.IsInf(c.WeightDecay, 0):
		return bad("weight_decay", c.WeightDecay, "a finite number of 0 (none) or more, such as 5e-4")
	case !(c.ClipNorm >= 0) || math.IsInf(c.ClipNorm, 0):
		return bad("clip_norm", c.ClipNorm, "a finite number of 0 (no limit) or more, such as 1")
	}
	return nil
}

// validateMethod is Validate for the settings of methods.
func (c Config) validateMethod(bad func(field string, value any, want string) error) error {
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	a, m, r := c.Adversarial, c.Margin, c.Rollback
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
	case !(c.LogitNorm >= 0 && finite(c.LogitNorm)):
		return bad("logitnorm", c.LogitNorm, "0 (none) or a finite temperature above 0, such as .04")
	case c.LogitNorm != 0 && c.Focal != 0:
		return bad("logitnorm", c.LogitNorm, "0 where focal is used: one of the two")
	case !(c.ZLoss >= 0 && finite(c.ZLoss)):
		return bad("z_loss", c.ZLoss, "a finite number of 0 (none) or more")
	case !(c.InputGradient >= 0 && finite(c.InputGradient)):
		return bad("input_gradient", c.InputGradient, "a finite number of 0 (none) or more")
	case !(c.Jacobian >= 0 && finite(c.Jacobian)):
		return bad("jacobian", c.Jacobian, "a finite number of 0 (none) or more")
	case !(c.InputNoise >= 0 && finite(c.InputNoise)):
		return bad("input_noise", c.InputNoise, "a finite number of 0 (none) or more")
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
	case !(m.Exposure >= 0 && finite(m.Exposure)):
		return bad("margin.exposure", m.Exposure, "a finite number of 0 (none) or more, such as .5")
	case m.Exposure != 0 && m.Weight == 0 && (m.In != 0 || m.Out != 0):
		return bad("margin.weight", m.Weight, "above 0 where margin.exposure is given and margin.in or margin.out are, too")
	case m.Outliers != "" && c.JEM.Enabled():
		return bad("margin.outliers", fmt.Sprintf("%q", m.Outliers), "empty where jem.weight is set: a loss has one kind of other examples")
	case a.Epsilon > 0 && (c.JEM.Enabled() || m.Outliers != ""):
		return bad("adversarial.epsilon", a.Epsilon, "0, since it cannot be combined with jem.weight or margin.outliers; set one of the three")
	case a.Epsilon > 0 && c.Augment.Mixup > 0:
		return bad("adversarial.epsilon", a.Epsilon, "0 where augment.mixup is used: the search is for an example with one label")
	case c.InitFrom != "" && !hashPattern.MatchString(c.InitFrom):
		return bad("start", fmt.Sprintf("%q", c.InitFrom), "the hash of a run, the 12 hex digits at the end of its folder's name")
	case !(c.EMA >= 0 && c.EMA < 1):
		return bad("ema", c.EMA, "at least 0 (none) and below 1, such as .999")
	case c.Precision != "" && c.Precision != "float32" && c.Precision != BFloat16:
		return bad("precision", fmt.Sprintf("%q", c.Precision), "float32 (the default) or bfloat16")
	case r.Times < 0 || r.Times > maxTimes:
		return bad("recover.times", r.Times, fmt.Sprintf("from 0 (stop) to %d", maxTimes))
	case !(r.Shrink >= 0 && r.Shrink <= 1):
		return bad("recover.shrink", r.Shrink, "above 0 and at most 1, or 0 for .5")
	case r.Times == 0 && r != Rollback{}:
		return bad("recover.times", r.Times, "1 or more where recover.shrink is given")
	}
	return nil
}

// fitsBatches refuses layers that look at whole batches where the configuration has no use
// for what they do.
func (c Config) fitsBatches(net nets.Network) error {
	b, ok := net.(nets.BatchStatistics)
	if !ok {
		return nil
	}
	method := c.Method()
	switch {
	case b.UsesBatches() && c.TrainsEnergy():
		depends, trains := "energy depends", "the energy"
		if c.InputGradient, c.Jacobian = 0, 0; !c.TrainsEnergy() {
			depends, trains = "logits depend", "gradients with respect to single inputs"
		}
		return fmt.Errorf("ngebm: %s has batch normalization, with which an example's %s on the other examples of its batch, and this configuration trains %s (%s); use group, layer, instance, act or none in its place, as in %s, or the method cross-entropy",
			net, depends, trains, method, withNorm(net, "group"))
	case b.LearnsFromBatches() && c.Precision == BFloat16:
		return fmt.Errorf("ngebm: %s takes statistics of batches, which precision=%s does not keep; use group, layer or instance normalization, or float32", net, c.Precision)
	}
	return nil
}

// withNorm names a network with another normalization.
func withNorm(net nets.Network, norm string) string {
	base, _, _ := strings.Cut(net.String(), "+")
	return base + "+" + norm
}
