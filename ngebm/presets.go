package ngebm

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/data/nearest"
	"ngebm/ngebm/energy"
	"ngebm/ngebm/jem"
	"ngebm/ngebm/nets"
)

// Preset is a documented configuration.
type Preset struct {
	Config
	About string // what it is for, what to expect, how long it takes
}

// Presets returns the configurations that have a name, in the order in which a
// newcomer would try them.
func Presets() []Preset {
	moons := DefaultConfig("moons", "mlp-128-128")
	moons.Epochs, moons.EvalEvery = 40, 10
	moons.Beta, moons.Gamma = .1, .1

	digits := DefaultConfig("digits", "convnet")
	digits.Epochs, digits.Batch, digits.LearningRate = 100, 32, 3e-3
	digits.Augment = data.Augment{Pad: 1, Noise: .1}
	digits.Schedule, digits.Validation, digits.EvalEvery = "cosine", 100, 5

	digitsNGEBM := digits
	digitsNGEBM.Beta, digitsNGEBM.Gamma = .1, .1

	few := DefaultConfig("digits", "convnet")
	few.Limit, few.Validation, few.EvalEvery = 500, 200, 20
	few.Epochs, few.Batch, few.LearningRate, few.Schedule = 100, 32, 3e-3, "cosine"

	fewMoons := moons
	fewMoons.Data, fewMoons.Validation, fewMoons.Beta, fewMoons.Gamma = "moons:400", 100, 0, 0
	fewMoons.Epochs = 100

	moonsJEM := moons
	digitsJEM := DefaultConfig("digits", "convnet")
	digitsJEM.Epochs, digitsJEM.EvalEvery = 60, 20
	digitsJEM.Augment = data.Augment{Noise: .03}
	for _, c := range []*Config{&moonsJEM, &digitsJEM} {
		if err := c.SetMethod("jem"); err != nil {
			panic(err) // the list of methods has it
		}
	}

	smoke := DefaultConfig("cifar10", "wrn-10-2")
	smoke.Epochs, smoke.Warmup, smoke.Schedule = 2, 20, "cosine"
	smoke.Beta, smoke.Gamma = .1, .1
	smoke.Augment = data.Augment{Pad: 4, Flip: true, Noise: .03}
	smoke.Validation = 500

	// The paper's protocol (arXiv 2304.01297): a WRN-28-10 without normalization, Adam
	// at 1e-4 with a warm-up of 1000 steps, batches of 64, 150 epochs of a schedule whose
	// decays at 160 and 180 are not reached, images shifted, flipped and with noise of
	// .03, 5,000 of them held out. The weights α = β = γ = 1 are the method ng-ebm-paper;
	// its five seeds are given to the command.
	paper := DefaultConfig("cifar10", "wrn-28-10")
	paper.Epochs, paper.Batch, paper.LearningRate, paper.Warmup = 150, 64, 1e-4, 1000
	paper.Schedule, paper.Decay, paper.DecayEpochs = "step", .3, []int{160, 180}
	paper.Augment = data.Augment{Pad: 4, Flip: true, Noise: .03}
	paper.Validation, paper.EvalEvery = 5000, 10

	hundred := paper
	hundred.Data = "cifar100"

	// One GPU and an evening: a smaller network with a learning rate that it stands,
	// down to 0 at the end, and larger batches.
	wrn16 := paper
	wrn16.Net, wrn16.Epochs, wrn16.Batch = "wrn-16-4", 30, 128
	wrn16.LearningRate, wrn16.Warmup, wrn16.Schedule, wrn16.EvalEvery = 1e-3, 500, "cosine", 5
	wrn16.Decay, wrn16.DecayEpochs = .3, nil

	// Two CPU cores and two hours a seed: each seed draws 15,000 images to train on and
	// 5,000 to choose a temperature and weights with. They are neither shifted nor flipped:
	// with either, a network so small is hardly over-confident after an affordable number
	// of steps, and without over-confidence there is nothing that NG-EBM could improve.
	cpu := DefaultConfig("cifar10", "wrn-10-2")
	cpu.Draw, cpu.Validation = 20_000, 5000
	cpu.Epochs, cpu.Batch, cpu.LearningRate, cpu.Warmup, cpu.Schedule = 12, 32, 2e-3, 300, "cosine"
	cpu.Augment, cpu.EvalEvery = data.Augment{Noise: .03}, 3

	presets := []Preset{
		{moons, "NG-EBM on two half-moons in the plane; seconds"},
		{digits, "ordinary training (β=γ=0) on 8x8 digits; test accuracy .97 or more, in seconds on 2 cores"},
		{digitsNGEBM, "NG-EBM, β=γ=.1, on 8x8 digits; test accuracy .97 or more, in seconds on 2 cores"},
		{few, "ordinary training on 300 of the digits (200 more are held out), where it is over-confident: the base of the notebooks that measure trust; seconds"},
		{fewMoons, "ordinary training on 300 points of the half-moons (100 more are held out): the same notebooks' problem in the plane; seconds"},
		{moonsJEM, "JEM on two half-moons in the plane: its samples fall on the moons; seconds"},
		{digitsJEM, "JEM on 8x8 digits: its samples look like digits; half a minute on 2 cores"},
		{smoke, "NG-EBM on CIFAR-10 for two epochs: does everything work? With -max-train 8000 about 3 minutes on 2 cores"},
		{cpu, "ordinary training on 15,000 images of CIFAR-10 that the seed draws (5,000 more are held out): the experiment's form for two cores; ngebm experiment takes its plan from study/published/plans"},
		{wrn16, "ordinary training on CIFAR-10 for one GPU; not yet timed"},
		{paper, "the protocol of the NG-EBM paper (arXiv 2304.01297) on CIFAR-10 to the letter, for its methods see -method, for its evaluation ngebm experiment -test-noise .03 -best; days on one GPU, not yet run"},
		{hundred, "the same on CIFAR-100"},
	}
	for i, name := range []string{"moons", "digits", "digits-ngebm", "digits-few", "moons-few", "moons-jem", "digits-jem", "cifar10-smoke",
		"cifar10-cpu", "cifar10-wrn16-4", "cifar10-wrn28-10", "cifar100-wrn28-10"} {
		presets[i].Name = name
	}
	return presets
}

// PresetConfig returns the configuration of the preset with that name, or an error that lists
// the names.
func PresetConfig(name string) (Config, error) {
	var names []string
	presets := Presets()
	i := slices.IndexFunc(presets, func(p Preset) bool { names = append(names, p.Name); return p.Name == name })
	if i < 0 {
		return Config{}, fmt.Errorf("ngebm: no preset is named %.60q%s; there are %s", name, nearest.Hint(name, names), strings.Join(names, ", "))
	}
	return presets[i].Config, nil
}

// Method is a training method with a name.
type Method struct {
	Name  string
	About string
	// images and points are the settings that it changes, on images and on points in
	// the plane, as [Config.Set] takes them.
	images, points string
}

// Methods returns the training methods that have a name: NG-EBM and its baselines. Their
// settings are the papers' where they carry over to small problems.
func Methods() []Method {
	both := func(name, about, settings string) Method { return Method{name, about, settings, settings} }
	return []Method{
		both("cross-entropy", "ordinary training", ""),
		both("label-smoothing", "cross-entropy with ε = .1 (Szegedy et al. 2016)", "label_smoothing=.1"),
		both("focal", "focal loss with γ = 3, which calibrates (Mukhoti et al. 2020)", "focal=3"),
		both("mixup", "examples blended in pairs, α = .2 (Zhang et al. 2018, Thulasidasan et al. 2019)", "augment.mixup=.2"),
		both("ng-ebm", "NG-EBM with β = γ = .1", "beta=.1,gamma=.1"),
		both("ng-ebm-paper", "NG-EBM with the paper's β = γ = 1, strong on small inputs", "beta=1,gamma=1"),
		{
			"jem", "JEM: samples by SGLD, 20 steps from a replay buffer (Grathwohl et al. 2020); in the plane at temperature 1",
			"jem.weight=1,jem.noise=.03", "jem.weight=1,jem.step=.01,jem.noise=.14",
		},
		{
			"jem-informative", "JEM with JEM++'s informative start, from a normal distribution with the mean and covariance of each class, and 5 steps; the rest of JEM++ (Yang, Ji 2021) is not built",
			"jem.weight=1,jem.noise=.03,jem.start=data,jem.steps=5", "jem.weight=1,jem.step=.01,jem.noise=.14,jem.start=data,jem.steps=5",
		},
		{
			"adversarial", "training on PGD's examples: L∞ 8/255 of the pixel range, or .1 in the plane (Madry et al. 2018)",
			"adversarial.epsilon=.0314", "adversarial.epsilon=.1",
		},
		{
			"energy-margin", "cross-entropy and a margin between the energies of data and outliers, here noise or points in a box around the data (Liu et al. 2020; its margins for CIFAR-10 are 23 and 5, these 10 and 5)",
			"margin.outliers=uniform noise,margin.in=10,margin.out=5,margin.weight=.01", "margin.outliers=uniform box,margin.in=10,margin.out=5,margin.weight=.01",
		},
	}
}

// Controls returns training methods that differ from NG-EBM, or from cross-entropy, in one
// thing each, so that a comparison says which part of a method does what. A pass is one
// computation of the network's size for a batch: the forward pass, or one of the two halves of a
// backward pass. A step of cross-entropy takes 3 passes, NG-EBM's 6.
func Controls() []Method {
	both := func(name, about, settings string) Method { return Method{name, about, settings, settings} }
	return []Method{
		both("ng-ebm-beta", "NG-EBM's first term alone, the variance of the energy, β = .1; 3 passes", "beta=.1"),
		both("ng-ebm-gamma", "NG-EBM's second term alone, the norm of the energy's gradient, γ = .1; 6 passes", "gamma=.1"),
		both("z-loss", "mean E² with the weight .1: the variance without its mean taken off; 3 passes", "z_loss=.1"),
		both("input-gradient", "mean ‖∂CE/∂x‖ with the weight .1: the gradient of the loss in place of the energy's (after Ross, Doshi-Velez 2018, who square it); 6 passes", "input_gradient=.1"),
		both("jacobian", "the squared Jacobian of the logits with the weight .01, by one random projection (Hoffman et al. 2019); 6 passes", "jacobian=.01"),
		both("gaussian-noise", "Gaussian noise of deviation .1 on training examples, besides the preset's; 3 passes", "input_noise=.1"),
		both("logitnorm", "cross-entropy of logits of norm 25, τ = .04 (Wei et al. 2022); 3 passes", "logitnorm=.04"),
		{
			"outlier-exposure", "cross-entropy, and uniform predictions on outliers with the weight .5, here noise or points in a box around the data (Hendrycks et al. 2019; set margin.outliers to a dataset for theirs); 6 passes",
			"margin.outliers=uniform noise,margin.exposure=.5", "margin.outliers=uniform box,margin.exposure=.5",
		},
	}
}

// CanonicalMethod returns the name of now of a method that had another: jem-informative was
// jem++, of which it has the start and the number of steps only.
func CanonicalMethod(name string) string {
	if name == "jem++" {
		return "jem-informative"
	}
	return name
}

// SetMethod changes the configuration to the method of that name: everything in which
// methods differ is set as the method has it, and nothing else is touched. Set what
// should differ afterwards.
func (c *Config) SetMethod(method string) error {
	var names []string
	for _, m := range append(Methods(), Controls()...) {
		names = append(names, m.Name)
		if m.Name != CanonicalMethod(method) {
			continue
		}
		c.Alpha, c.Beta, c.Gamma, c.GammaPerDimension = 1, 0, 0, false
		c.LabelSmoothing, c.Focal, c.LogitNorm, c.Augment.Mixup = 0, 0, 0, 0
		c.ZLoss, c.InputGradient, c.Jacobian, c.InputNoise = 0, 0, 0, 0
		c.JEM, c.Adversarial, c.Margin = jem.Settings{}, Adversarial{}, Margin{}
		settings := m.images
		if set, _, _ := strings.Cut(c.Data, ":"); slices.Contains(data.Toy2DKinds(), set) {
			settings = m.points
		}
		if err := c.Set(settings); err != nil {
			return err
		}
		// Rows of a table have the images' settings, but other kinds of outliers.
		if kinds := data.OODKindsOf(c.Data); c.Margin.Outliers != "" && !slices.Contains(kinds, c.Margin.Outliers) {
			c.Margin.Outliers = kinds[0]
		}
		return nil
	}
	return fmt.Errorf("ngebm: no method is named %.60q%s; there are %s", method, nearest.Hint(method, names), strings.Join(names, ", "))
}

// SetAll changes the configuration by [Config.SetMethod], unless method is empty, and then by
// [Config.Set]. Where the settings name data, the method is set for those.
func (c *Config) SetAll(method, settings string) error {
	if set, ok := FindSetting(settings, "data"); ok {
		c.Data = set
	}
	if method != "" {
		if err := c.SetMethod(method); err != nil {
			return err
		}
	}
	return c.Set(settings)
}

// Method returns the name of the training method, as [Methods] or [Controls] has it. If none of
// them has these settings, it says how this one differs from cross-entropy, as [Config.Set]
// takes it: "gamma=0.05".
func (c Config) Method() string {
	var own string
	for _, m := range append(Methods(), Controls()...) {
		named := c
		if named.SetMethod(m.Name) != nil {
			continue
		}
		differ := differences(c.settings(), named.settings())
		if differ == "" {
			return m.Name
		}
		if own == "" {
			own = differ // the first is cross-entropy
		}
	}
	return own
}

// differences lists the settings whose values differ, with those of a.
func differences(a, b []setting) string {
	var differ []string
	for i, s := range a {
		if s != b[i] {
			differ = append(differ, s.key+"="+strings.Trim(s.value, `"`))
		}
	}
	return strings.Join(differ, ",")
}

// baseLoss is what every method's loss has, for examples of the given shape.
func (c Config) baseLoss(shape []int) energy.NGEBM {
	base := energy.NGEBM{
		Alpha: c.Alpha, Beta: c.Beta, Gamma: c.Gamma, Smoothing: c.LabelSmoothing, Focal: c.Focal, LogitNorm: c.LogitNorm,
		ZLoss: c.ZLoss, InputGradient: c.InputGradient, Jacobian: c.Jacobian,
	}
	if c.GammaPerDimension {
		base.Gamma *= math.Sqrt(float64(nets.Size(shape)))
	}
	return base
}

// Objective returns the loss that the configuration minimizes for examples of the
// given shape.
func (c Config) Objective(shape []int) energy.Objective {
	base := c.baseLoss(shape)
	c = c.WithDefaults()
	switch {
	case c.JEM.Enabled():
		return jem.Objective{NGEBM: base, Settings: c.JEM}
	case c.Margin.Outliers != "":
		return energy.Bounded{NGEBM: base, Weight: c.Margin.Weight, In: c.Margin.In, Out: c.Margin.Out, Exposure: c.Margin.Exposure}
	}
	return base
}

// lossWeights are the weights of the loss's terms, by name; see [Config.Objective].
func (c Config) lossWeights(shape []int) map[string]float64 {
	c = c.WithDefaults()
	weights := map[string]float64{jem.NameGap: c.JEM.Weight, jem.NameJointGap: c.JEM.Joint, jem.NameSquare: c.JEM.EnergyL2, jem.NameSlope: 0, energy.NameMargin: c.Margin.Weight}
	base := c.baseLoss(shape)
	weights[energy.NameExposure] = c.Margin.Exposure
	weights[energy.NameZLoss], weights[energy.NameInputGradient], weights[energy.NameJacobian] = base.ZLoss, base.InputGradient, base.Jacobian
	weights[energy.NameCrossEntropy], weights[energy.NameFocal], weights[energy.NameLogitNorm] = base.Alpha, base.Alpha, base.Alpha
	weights[energy.NameVariance], weights[energy.NameGradientNorm] = base.Beta, base.Gamma
	return weights
}

// TrainsEnergy reports whether the loss has more than the classification's term: terms of the
// energy, of gradients with respect to inputs, of samples or of outliers.
func (c Config) TrainsEnergy() bool {
	return c.Beta != 0 || c.Gamma != 0 || c.JEM.Enabled() || c.Margin.Outliers != "" || c.ZLoss != 0 || c.InputGradient != 0 || c.Jacobian != 0
}
