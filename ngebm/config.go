// Package ngebm trains classifiers as non-generative energy-based models
// (NG-EBM; Piland et al., arXiv 2304.01297) and hands them out as a
// [Classifier].
//
// One value, [Config], describes a run. [Train] trains it, goes on with it where
// it was left, or loads it if it is done:
//
//	dev, err := device.Open("", progress.Discard{})
//	cfg := ngebm.DefaultConfig("digits", "convnet")
//	cfg.Beta, cfg.Gamma = .1, .1
//	run, err := ngebm.Train(ctx, dev.Backend, cfg, ngebm.Options{})
//	logits, err := run.Classifier.Logits(run.Test)
package ngebm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/ngebm/jem"
)

// algorithm is part of every hash. It stays, so that runs made before are found; other
// code is told by [Source].
const algorithm = 1

// Config describes a training run: with the same Config, data and kind of
// device, the same weights come out. It is plain data; [Config.String] prints it
// as JSON.
type Config struct {
	// Name is the label that the run's folder begins with. It does not affect
	// the result.
	Name string `json:"name"`
	// Data names the set, as data.Open takes it.
	Data string `json:"data"`
	// Limit is the most training examples to use; 0 is all of them.
	Limit int `json:"limit"`
	// Net names the network, as nets.Parse takes it.
	Net string `json:"net"`

	// Alpha, Beta and Gamma weigh cross-entropy, the variance of the energy in
	// a batch, and the norm of the energy's gradient; see energy.NGEBM. The paper
	// has 1, 1, 1; β = γ = 0 is ordinary training.
	Alpha float64 `json:"alpha"`
	Beta  float64 `json:"beta"`
	Gamma float64 `json:"gamma"`

	// GammaPerDimension measures γ by the size of an input: the weight of the norm is
	// γ·√D for D values in an example. Then one γ means the same whether an image has
	// 8×8 or 32×32 pixels: enlarged r times to either side, an energy that sees the
	// same picture has a gradient r times smaller, and √D is r times larger. The
	// paper's γ = 1 on 32×32×3 values is .018 by this measure.
	GammaPerDimension bool `json:"gamma_per_dimension,omitempty"`
	// RampEpochs is the number of epochs over which the weights of all terms but the
	// classification's grow linearly from 0, FadeEpochs that over which they fall to
	// 0 at the end.
	RampEpochs int `json:"ramp_epochs,omitempty"`
	FadeEpochs int `json:"fade_epochs,omitempty"`

	// LabelSmoothing is ε of label smoothing, in [0,1); 0 is none.
	LabelSmoothing float64 `json:"label_smoothing,omitempty"`
	// Focal is the exponent of the focal loss, which then stands in for
	// cross-entropy: 0 (none) or 1 and more.
	Focal float64 `json:"focal,omitempty"`

	// JEM trains with samples of the model, Adversarial on adversarial examples, and
	// Margin against outliers. The zero value of each is none.
	JEM         jem.Settings `json:"jem,omitzero"`
	Adversarial Adversarial  `json:"adversarial,omitzero"`
	Margin      Margin       `json:"margin,omitzero"`

	// Start is the hash of a complete run in the same folder of runs whose weights
	// this one starts from; "" starts from the seed.
	Start string `json:"start,omitempty"`
	// EMA is the decay of an exponential moving average of the weights, which the
	// classifier then uses, in [0,1); 0 is none. Early on the decay is (1+t)/(10+t)
	// at step t, so that the start is soon forgotten.
	EMA float64 `json:"ema,omitempty"`
	// Precision is "bfloat16" for training with the network's weights, activations and
	// gradients rounded to it, half the memory and for GPUs several times the speed;
	// "" or "float32" is all in float32. Weights in the optimiser, the loss, and all
	// that is measured afterwards are float32 either way.
	Precision string `json:"precision,omitempty"`
	// Recover says what happens when the run diverges; the zero value stops it.
	Recover Recover `json:"recover,omitzero"`

	Epochs int `json:"epochs"`
	Batch  int `json:"batch"` // examples in a step
	// LearningRate is Adam's (β₁ = .9, β₂ = .999, ε = 1e-8), before warm-up and
	// decay.
	LearningRate float64 `json:"learning_rate"`
	// Warmup is the number of steps over which the rate grows linearly.
	Warmup int `json:"warmup"`
	// Schedule is "constant", "step" (times Decay at each of DecayEpochs) or
	// "cosine" (down to 0 at the end).
	Schedule    string  `json:"schedule"`
	Decay       float64 `json:"decay"`
	DecayEpochs []int   `json:"decay_epochs"`

	// Augment changes training examples at random: shifts, flips, and noise in
	// network units, in which pixels lie in [-1,1].
	Augment data.Augment `json:"augment"`

	// Validation is the number of training examples held out and evaluated
	// every EvalEvery epochs.
	Validation int `json:"validation"`
	EvalEvery  int `json:"eval_every"`

	// Seed is what every random choice follows from: weights, order,
	// augmentation, the validation split.
	Seed uint64 `json:"seed"`
}

// DefaultConfig returns ordinary training (β = γ = 0) of a network on a set with
// settings that suit small problems. [Presets] lists others.
func DefaultConfig(dataName, net string) Config {
	return Config{
		Data: dataName, Net: net,
		Alpha:  1,
		Epochs: 20, Batch: 64, LearningRate: 1e-3, Warmup: 50,
		Schedule: "constant", Decay: .3,
		EvalEvery: 1,
		Seed:      1,
	}
}

// String returns the configuration as indented JSON.
func (c Config) String() string {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err.Error() // NaN or infinity; Validate names the field
	}
	return string(b)
}

// Bounds of settings, far above what anybody trains: products of them fit an integer.
const (
	maxEpochs = 1_000_000
	maxBatch  = 1 << 20
	maxSteps  = 1 << 40
	maxTimes  = 1000   // of being set back: each draws from random streams of its own
	maxAscent = 10_000 // steps of projected gradient ascent in one training step
)

// Validate reports the first setting that cannot be trained.
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
	case c.Alpha == 0 && c.Beta == 0 && c.Gamma == 0 && !c.JEM.Enabled():
		return fmt.Errorf("ngebm: alpha, beta and gamma are all 0, so there is nothing to minimise; ordinary training is alpha=1")
	case c.Epochs < 1 || c.Epochs > maxEpochs:
		return bad("epochs", c.Epochs, fmt.Sprintf("from 1 to %d", maxEpochs))
	case c.Batch < 1 || c.Batch > maxBatch:
		return bad("batch", c.Batch, fmt.Sprintf("from 1 to %d", maxBatch))
	case c.Limit < 0:
		return bad("limit", c.Limit, "0 (all examples) or more")
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
	case c.Validation < 0:
		return bad("validation", c.Validation, "0 (none) or more examples")
	case c.EvalEvery < 1 || c.EvalEvery > maxEpochs:
		return bad("eval_every", c.EvalEvery, fmt.Sprintf("from 1 to %d epochs", maxEpochs))
	}
	return c.validateMethod(bad)
}

// WarmupWarning says so where the warm-up takes more than half of a run of that many
// steps; else it is empty.
func (c Config) WarmupWarning(steps int) string {
	if steps < 1 || c.Warmup <= steps/2 {
		return ""
	}
	fewer := fmt.Sprintf("warmup=%d or less", steps/10)
	if steps < 10 {
		fewer = "warmup=0"
	}
	return fmt.Sprintf("the warm-up takes %d steps of the run's %d, so that most of it learns at less than learning_rate=%g; set %s, or more epochs",
		min(c.Warmup, steps), steps, c.LearningRate, fewer)
}

// Hash identifies what the configuration trains to on the given training data:
// the first 12 hex digits of a SHA-256. It covers every setting that matters, the
// network's name, the data's checksum and the version of the algorithm, and
// neither names nor paths. [Run].Hash covers the network of a person's own, too. What
// no hash covers, such as the code, is compared when a run is loaded: see [Run].Notes.
func (c Config) Hash(dataChecksum string) string {
	c = c.withDefaults()
	// The checksum says which examples.
	c.Name, c.Data, c.Limit, c.Margin.Outliers = "", "", 0, ""
	if c.Schedule != "step" {
		c.Decay, c.DecayEpochs = 0, nil // not used
	}
	b, err := json.Marshal(struct {
		Algorithm int
		Data      string
		Config    Config
	}{algorithm, dataChecksum, c})
	if err != nil {
		panic(err) // Validate refuses what JSON cannot hold
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// parseConfig reads the JSON form, refusing settings it does not know.
func parseConfig(b []byte) (Config, error) {
	var c Config
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		if strings.Contains(err.Error(), "unknown field") {
			err = fmt.Errorf("it has a setting that this program does not know (%w): use the newer program that wrote it", err)
		}
		return c, err
	}
	return c, c.Validate()
}

// rate is the learning rate of a step, counted from 0, of total.
func (c Config) rate(step, total, stepsPerEpoch int) float64 {
	rate := c.LearningRate
	if step < c.Warmup {
		rate *= float64(step+1) / float64(c.Warmup)
	}
	switch c.Schedule {
	case "step":
		for _, e := range c.DecayEpochs {
			if step >= e*stepsPerEpoch {
				rate *= c.Decay
			}
		}
	case "cosine":
		rate *= (1 + math.Cos(math.Pi*float64(step)/float64(total))) / 2
	}
	return rate
}
