// Package ngebm says what a training run of a non-generative energy-based model is
// (NG-EBM; Piland et al., arXiv 2304.01297): its configuration, its history, its folder,
// and the classifier that results.
//
//	data.Open(cfg.Data) ──► train, validation and test sets
//	   │                      Config: one value, JSON, hashed; presets and methods by name
//	   ▼
//	train.Run(ctx, backend, cfg, options) ──► <runs>/<name>-<hash>/: checkpoints, history
//	   │                                         │ Load, LoadBest
//	   ▼                                         ▼
//	*Run: Config, History, Cost, Classifier ◄────┘
//	   │     Classifier: Logits, Probabilities, Energies, GradientNorms, Sample, Refine
//	   ▼
//	calibration | ood | attack ──► measure.Report ──► plots ──► notebook
//
// The energy is E(x) = logsumexp f(x), larger where the model finds x more likely; most of
// the field calls -E the energy. A run of a configuration that is complete is loaded, so
// that notebook cells, programs and people share runs by their configuration. The hash
// covers every setting that determines the result and the data's checksum, and no paths.
//
// # The authors' flags
//
// What train_wrn_ebm.py of NG-EBM (github.com/chrissweet/NG-EBM, a fork of JEM) takes, with its
// default, and what it is here, as -set or [Config.Set] takes it. The preset cifar10-wrn28-10
// with the method ng-ebm-paper is the command of the authors' README.
//
//	--energy_variance_loss 1         beta=1
//	--energy_derivative_loss 1       gamma=1
//	--p_y_given_x_weight 1           alpha=1
//	--p_x_weight 0                   jem.weight=0
//	--p_x_y_weight 0                 jem.joint=0
//	--optimizer adam (or sgd)        optimizer=adam; sgd is optimizer=sgd,momentum=.9 (theirs is fixed)
//	--lr 1e-4                        learning_rate=1e-4
//	--weight_decay 0                 weight_decay=0; coupled to the gradient of both
//	--warmup_iters -1                warmup=0; 1000 in the README. Step k of n, from 1, has the rate
//	                                 times k/n here and (k-1)/n there
//	--decay_epochs 160 180           schedule=step,decay_epochs=[160,180]
//	--decay_rate .3                  decay=.3
//	--batch_size 64, --n_epochs 150  batch=64, epochs=150; the decay at 160 and 180 is then never reached
//	--sigma .03                      augment.noise=.03; and experiment -test-noise .03, since theirs is on test images, too
//	--n_valid 5000                   validation=5000
//	--depth 28, --width 10           net=wrn-28-10
//	--norm instance|layer|act|batch  net=wrn-28-10+instance …, and +group; batch only with beta=0,gamma=0
//	--dropout_rate 0                 net=wrn-28-10+dropout.3 for .3, after each block's first convolution
//	--n_steps 20, --sgld_lr 1        jem.steps=20, jem.step=1
//	--sgld_std .01                   jem.noise=.01
//	--buffer_size 10000              jem.buffer=10000
//	--reinit_freq .05                jem.restart=.05
//	--class_cond_p_x_sample          jem.conditional=true
//	--uncond, --clf_only             none
//	--labels_per_class -1            none: all images have labels
//	--seed 1234                      seed=1234, of other random numbers
//	best_valid_ckpt.pt (a file)      [LoadBest], export -best, experiment -best
//
// Nesterov's momentum, AdamW, clip_norm and other schedules are not theirs.
//
// Package train has the training loop, study trains many runs and compares them, measure
// makes the report of one, predict makes decisions, and serve answers HTTP requests with them.
package ngebm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/ngebm/jem"
	"ngebm/ngebm/nets"
)

// algorithm is part of every hash. It stays, so that runs made before are found; other
// code is that of [Source].
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
	// Draw is the number of those examples that the seed draws, those of Validation among
	// them, so that runs differ in their images as well; 0 is all.
	Draw int `json:"draw,omitempty"`
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
	// LogitNorm is the temperature of cross-entropy of unit logits (see energy.UnitLogits),
	// which then stands in for cross-entropy: 0 is none, .04 is the paper's.
	LogitNorm float64 `json:"logitnorm,omitempty"`

	// ZLoss, InputGradient and Jacobian weigh terms that differ from β's or γ's in one thing
	// each; see energy.NGEBM. 0 is none.
	ZLoss         float64 `json:"z_loss,omitempty"`
	InputGradient float64 `json:"input_gradient,omitempty"`
	Jacobian      float64 `json:"jacobian,omitempty"`
	// InputNoise is the deviation of Gaussian noise that is added to training examples
	// besides Augment.Noise, in the network's units.
	InputNoise float64 `json:"input_noise,omitempty"`

	// JEM trains with samples of the model, Adversarial on adversarial examples, and
	// Margin against outliers. The zero value of each is none.
	JEM         jem.Settings `json:"jem,omitzero"`
	Adversarial Adversarial  `json:"adversarial,omitzero"`
	Margin      Margin       `json:"margin,omitzero"`

	// InitFrom is the hash of a complete run in the same folder of runs whose weights
	// this one starts from; "" starts from the seed.
	InitFrom string `json:"start,omitempty"`
	// EMA is the decay of an exponential moving average of the weights, which the
	// classifier then uses, in [0,1); 0 is none. Early on the decay is (1+t)/(10+t)
	// at step t, so that the start is soon forgotten.
	EMA float64 `json:"ema,omitempty"`
	// Precision is "bfloat16" for training with the network's weights, activations and
	// gradients rounded to it, half the memory and for GPUs several times the speed;
	// "" or "float32" is all in float32. Weights in the optimizer, the loss, and all
	// that is measured afterwards are float32 either way.
	Precision string `json:"precision,omitempty"`
	// Rollback says what happens when the run diverges; the zero value stops it.
	Rollback Rollback `json:"recover,omitzero"`

	Epochs int `json:"epochs"`
	Batch  int `json:"batch"` // examples in a step
	// LearningRate is the optimizer's, before warm-up and decay.
	LearningRate float64 `json:"learning_rate"`
	// Optimizer is "adam" (the default; β₁ = .9, β₂ = .999, ε = 1e-8), "adamw" or "sgd".
	// Each takes the steps of its namesake in torch.optim.
	Optimizer string `json:"optimizer,omitempty"`
	// Momentum is SGD's, in [0,1), without dampening; Nesterov looks ahead by it
	// (Sutskever et al. 2013).
	Momentum float64 `json:"momentum,omitempty"`
	Nesterov bool    `json:"nesterov,omitempty"`
	// WeightDecay is λ of all weights and biases. Of adam and sgd it adds λ·w to the
	// gradient (L2 regularization), of adamw it subtracts rate·λ·w from the weight
	// (Loshchilov, Hutter 2019); 0 is none, and .01 of adamw.
	WeightDecay float64 `json:"weight_decay,omitempty"`
	// ClipNorm is the largest norm of the gradient of all weights together, before weight
	// decay; a larger one is scaled down to it (torch.nn.utils.clip_grad_norm_). 0 is any.
	ClipNorm float64 `json:"clip_norm,omitempty"`
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

// Adversarial trains on adversarial examples in place of the batch's own (Madry et
// al. 2018): projected gradient ascent on the cross-entropy from a random start in
// the Lp ball.
type Adversarial struct {
	// Epsilon is the radius of the Lp ball, as a fraction of the pixel range (8/255 is
	// .0314) or in the units of points (of rows of a table: deviations of a column); 0 is
	// none.
	Epsilon float64 `json:"epsilon,omitempty"`
	Norm    string  `json:"norm,omitempty"`  // "linf" (the default) or "l2"
	Steps   int     `json:"steps,omitempty"` // 10
	// Step is the size of one step, in Epsilon's unit; 0 is 2.5·Epsilon/Steps.
	Step float64 `json:"step,omitempty"`
}

// Margin trains on outliers: it pushes the energies of the data and of outliers away from each
// other (energy-bounded learning, Liu et al. 2020; see energy.Margin), or the predictions on
// outliers towards the uniform distribution (outlier exposure, Hendrycks et al. 2019).
type Margin struct {
	// Outliers names what the model should find unlikely: a kind of synthetic OOD set
	// (see data.Dataset.SynthesizeOOD: "uniform noise") or a dataset for data.Open, brought
	// to the same shape. "" is none. A kind that changes images changes all training images, those
	// held out for validation too: detect another kind there, or the outliers have been seen.
	Outliers string  `json:"outliers,omitempty"`
	Weight   float64 `json:"weight,omitempty"` // .1, or 0 (no margin) where Exposure is given
	In       float64 `json:"in,omitempty"`     // energies of data below it cost; 0 is the default, 23
	Out      float64 `json:"out,omitempty"`    // energies of outliers above it cost; 0 is the default, 5
	// Exposure is the weight of outlier exposure; 0 is none, .5 is the paper's.
	Exposure float64 `json:"exposure,omitempty"`
}

// Rollback says how often a run that diverges goes back to the last state in which all
// was well and tries again, with other random numbers.
type Rollback struct {
	Times int `json:"times,omitempty"` // at most so often; 0 stops the run
	// Shrink multiplies, at each time, the size of JEM's SGLD steps, or the learning
	// rate of other methods; 0 is .5, and 1 leaves it as it is.
	Shrink float64 `json:"shrink,omitempty"`
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

// Hash identifies what the configuration trains to on the given training data:
// the first 12 hex digits of a SHA-256. It covers every setting that matters, the
// network's name, the data's checksum and the version of the algorithm, and
// neither names nor paths. [Run].Hash covers the network of a person's own, too. What
// no hash covers, such as the code, is compared when a run is loaded: see [Run].Notes.
func (c Config) Hash(dataChecksum string) string {
	c = c.WithDefaults()
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

// WithoutFolders is the configuration without the folders of paths in the names of its
// datasets, as config.json and published results have it: "folder:photos" in place of
// "folder:/home/ada/photos". Its hash is the same.
func (c Config) WithoutFolders() Config {
	c.Data, c.Margin.Outliers = withoutFolder(c.Data), withoutFolder(c.Margin.Outliers)
	return c
}

// withoutFolder is the name of a dataset without the folders of its path.
func withoutFolder(set string) string {
	kind, path, named := strings.Cut(set, ":")
	if named && kind == "csv" {
		return "csv:" + withoutTableFolders(path)
	}
	if !named || path == "" || !slices.Contains([]string{"folder", "tar", "zip", "npz", "celeba"}, kind) {
		return set
	}
	size := "" // of photos/@64, too
	if at := sizeAt(path); at >= 0 {
		path, size = path[:at], path[at:]
	}
	name := fileName(path)
	if size == "" && sizeAt(name) >= 0 {
		name += "/" // a folder that is called photos@64
	}
	return kind + ":" + name + size
}

// sizeAt is where the size at the end of a path begins, or what would be read as one; -1 without.
func sizeAt(path string) int {
	at := strings.LastIndexByte(path, '@')
	if at >= 0 && strings.Trim(path[at+1:], "0123456789x") != "" {
		return -1
	}
	return at
}

// withoutTableFolders is PATH@LABEL or TRAIN,TEST@LABEL without the folders of the paths.
func withoutTableFolders(table string) string {
	paths, label := table, ""
	if at := strings.LastIndexByte(table, '@'); at >= 0 {
		paths, label = table[:at], table[at:]
	}
	parts := strings.Split(paths, ",")
	for i, path := range parts {
		parts[i] = fileName(path)
	}
	return strings.Join(parts, ",") + label
}

// fileName is the last part of a path, and empty for one that would lead out of the current folder.
func fileName(path string) string {
	base := filepath.Base(path)
	name, _, _ := strings.Cut(base, "@") // what is read as a size may follow
	if path == "" || slices.Contains([]string{string(filepath.Separator), ".."}, name) {
		return ""
	}
	return base
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

var hashPattern = regexp.MustCompile(`^[0-9a-f]{12}$`)

// Resolve returns the configuration as it is trained, and its network: the one that Net
// names or, if it is not nil, own. The settings are checked, and those that are left open
// have their defaults. The error is of the first setting that cannot be trained.
func (c Config) Resolve(own nets.Network) (Config, nets.Network, error) {
	net, err := c.findNetwork(own)
	if err != nil {
		return c, nil, err
	}
	c.Net = net.String()
	if err := c.fitsBatches(net); err != nil {
		return c, nil, err
	}
	return c.WithDefaults(), net, c.Validate()
}

// findNetwork returns the network that Net names, or own, if it is not nil.
func (c Config) findNetwork(own nets.Network) (nets.Network, error) {
	if own == nil {
		return nets.Parse(c.Net)
	}
	if c.Net != "" && c.Net != own.String() {
		return nil, fmt.Errorf("ngebm: the configuration names the network %.60q, but the one given is %q; leave net empty or make them equal", c.Net, own)
	}
	return own, nil
}
