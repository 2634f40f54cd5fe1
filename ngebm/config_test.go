package ngebm

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestValidateNamesValueAndRemedy(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		want   []string
	}{
		{func(c *Config) { c.Beta = -.5 }, []string{"beta", "-0.5", "0 or more"}},
		{func(c *Config) { c.Gamma = math.NaN() }, []string{"gamma", "NaN"}},
		{func(c *Config) { c.Alpha = math.Inf(1) }, []string{"alpha", "+Inf"}},
		{func(c *Config) { c.Alpha, c.Beta, c.Gamma = 0, 0, 0 }, []string{"all other terms are 0", "alpha=1"}},
		{func(c *Config) { c.Epochs = 0 }, []string{"epochs is 0", "from 1 to 1000000"}},
		{func(c *Config) { c.Batch = -3 }, []string{"batch", "-3"}},
		{func(c *Config) { c.Limit = -1 }, []string{"limit", "-1"}},
		{func(c *Config) { c.Draw = -1 }, []string{"draw is -1", "0 (all examples)"}},
		{func(c *Config) { c.Draw, c.Validation = 50, 50 }, []string{"draw is 50", "more than the 50 of validation"}},
		{func(c *Config) { c.LearningRate = 0 }, []string{"learning_rate", "0.001"}},
		{func(c *Config) { c.Warmup = -1 }, []string{"warmup"}},
		{func(c *Config) { c.Schedule = "linear" }, []string{"schedule", `"linear"`, "cosine"}},
		{func(c *Config) { c.Schedule, c.Decay = "step", 0 }, []string{"decay"}},
		{func(c *Config) { c.Schedule, c.DecayEpochs = "step", []int{9, 3} }, []string{"decay_epochs", "increasing"}},
		{func(c *Config) { c.Augment.Noise = -1 }, []string{"augment.noise"}},
		{func(c *Config) { c.Validation = -1 }, []string{"validation"}},
		{func(c *Config) { c.LabelSmoothing = 1 }, []string{"label_smoothing", "below 1"}},
		{func(c *Config) { c.Augment.Mixup = math.NaN() }, []string{"augment.mixup is NaN", "0 (none) or more"}},
		{func(c *Config) { c.Augment.Mixup = math.Inf(1) }, []string{"augment.mixup is +Inf"}},
		{func(c *Config) { c.Augment.Cutout = -1 }, []string{"augment.cutout is -1", "pixels"}},
		{func(c *Config) { c.EvalEvery = 0 }, []string{"eval_every"}},
		{func(c *Config) { c.Focal = .5 }, []string{"focal is 0.5", "1 or more"}},
		{func(c *Config) { c.Focal = math.Inf(1) }, []string{"focal is +Inf", "finite"}},
		{func(c *Config) { c.Focal, c.LabelSmoothing = 2, .1 }, []string{"focal is 2", "label_smoothing"}},
		{func(c *Config) { c.RampEpochs = -1 }, []string{"ramp_epochs is -1", "0 or more"}},
		{func(c *Config) { c.RampEpochs, c.FadeEpochs = 15, 6 }, []string{"ramp_epochs is 15", "fade_epochs is 6", "20 epochs"}},
		{func(c *Config) { c.JEM.Steps = 5 }, []string{"jem.weight is 0", "jem.weight=1"}},
		{func(c *Config) { c.JEM.Weight, c.JEM.Step = 1, -1 }, []string{"ngebm: jem.step is -1"}},
		{func(c *Config) { c.Adversarial.Epsilon = -1 }, []string{"adversarial.epsilon is -1", "0 (none) or more"}},
		{func(c *Config) { c.Adversarial.Epsilon = math.NaN() }, []string{"adversarial.epsilon is NaN"}},
		{func(c *Config) { c.Adversarial.Steps = 5 }, []string{"adversarial.epsilon is 0", "8/255"}},
		{func(c *Config) { c.Adversarial = Adversarial{Epsilon: .1, Norm: "l1"} }, []string{`adversarial.norm is "l1"`, "linf or l2"}},
		{func(c *Config) { c.Adversarial = Adversarial{Epsilon: .1, Steps: -1} }, []string{"adversarial.steps is -1", "from 1 to 10000"}},
		{func(c *Config) { c.Adversarial = Adversarial{Epsilon: .1, Step: -1} }, []string{"adversarial.step is -1"}},
		{func(c *Config) { c.Adversarial.Epsilon, c.JEM.Weight = .1, 1 }, []string{"adversarial.epsilon is 0.1", "jem.weight"}},
		{func(c *Config) { c.Adversarial.Epsilon, c.Margin.Outliers = .1, "far away" }, []string{"adversarial.epsilon is 0.1", "margin.outliers"}},
		{func(c *Config) { c.Adversarial.Epsilon, c.Augment.Mixup = .1, 1 }, []string{"adversarial.epsilon is 0.1", "augment.mixup"}},
		{func(c *Config) { c.Margin.Weight = 1 }, []string{`margin.outliers is ""`, "uniform noise"}},
		{func(c *Config) { c.Margin = Margin{Outliers: "far away", Weight: -1} }, []string{"Weight:-1", "0 or more"}},
		{func(c *Config) { c.Margin = Margin{Outliers: "far away", In: math.Inf(1)} }, []string{"In:+Inf", "finite"}},
		{func(c *Config) { c.Margin.Outliers, c.JEM.Weight = "far away", 1 }, []string{`margin.outliers is "far away"`, "jem.weight"}},
		{func(c *Config) { c.LogitNorm = -1 }, []string{"logitnorm is -1", ".04"}},
		{func(c *Config) { c.LogitNorm, c.Focal = .04, 2 }, []string{"logitnorm is 0.04", "focal"}},
		{func(c *Config) { c.ZLoss = math.NaN() }, []string{"z_loss is NaN"}},
		{func(c *Config) { c.InputGradient = -1 }, []string{"input_gradient is -1"}},
		{func(c *Config) { c.Jacobian = math.Inf(1) }, []string{"jacobian is +Inf"}},
		{func(c *Config) { c.InputNoise = -1 }, []string{"input_noise is -1"}},
		{func(c *Config) { c.Margin.Exposure = 1 }, []string{`margin.outliers is ""`}},
		{func(c *Config) { c.Margin = Margin{Outliers: "far away", Exposure: -1} }, []string{"margin.exposure is -1"}},
		{func(c *Config) { c.Margin = Margin{Outliers: "far away", Exposure: 1, In: 3} }, []string{"margin.weight is 0"}},
		{func(c *Config) { c.Optimizer = "lion" }, []string{`optimizer is "lion"`, "adam, adamw or sgd"}},
		{func(c *Config) { c.Optimizer, c.Momentum = "sgd", 1 }, []string{"momentum is 1", "below 1"}},
		{func(c *Config) { c.Momentum = .9 }, []string{"momentum is 0.9", "not sgd"}},
		{func(c *Config) { c.Optimizer, c.Nesterov = "sgd", true }, []string{"nesterov is true", "momentum=.9"}},
		{func(c *Config) { c.WeightDecay = -1 }, []string{"weight_decay is -1", "0 (none) or more"}},
		{func(c *Config) { c.ClipNorm = math.NaN() }, []string{"clip_norm is NaN", "0 (no limit) or more"}},
		{func(c *Config) { c.InitFrom = "runs/moons-0123456789ab" }, []string{"start is", "12 hex digits"}},
		{func(c *Config) { c.EMA = 1 }, []string{"ema is 1", "below 1", ".999"}},
		{func(c *Config) { c.Rollback.Times = -1 }, []string{"recover.times is -1"}},
		{func(c *Config) { c.Epochs = 461168601842738791 }, []string{"epochs is 461168601842738791", "1000000"}},
		{func(c *Config) { c.Batch = math.MaxInt }, []string{"batch is 9223372036854775807", "1048576"}},
		{func(c *Config) { c.Warmup = math.MaxInt }, []string{"warmup is 9223372036854775807"}},
		{func(c *Config) { c.EvalEvery = math.MaxInt }, []string{"eval_every is 9223372036854775807"}},
		{func(c *Config) { c.Schedule, c.DecayEpochs = "step", []int{9223372036854775807} }, []string{"decay_epochs is [9223372036854775807]", "1000000"}},
		{func(c *Config) { c.Schedule, c.DecayEpochs = "step", []int{-1} }, []string{"decay_epochs is [-1]"}},
		{func(c *Config) { c.RampEpochs, c.FadeEpochs = math.MaxInt, math.MaxInt }, []string{"ramp_epochs is 9223372036854775807"}},
		{func(c *Config) { c.JEM.Weight, c.JEM.Buffer = 1, math.MaxInt }, []string{"jem.buffer is 9223372036854775807", "1000000"}},
		{func(c *Config) { c.JEM.Weight, c.JEM.Buffer = 1, 1_000_000_000 }, []string{"jem.buffer is 1000000000"}},
		{func(c *Config) { c.JEM.Weight, c.JEM.Steps = 1, 1_000_000_000 }, []string{"jem.steps is 1000000000", "10000"}},
		{func(c *Config) { c.Adversarial = Adversarial{Epsilon: .1, Steps: math.MaxInt} }, []string{"adversarial.steps is 9223372036854775807"}},
		{func(c *Config) { c.Rollback.Times = math.MaxInt }, []string{"recover.times is 9223372036854775807", "1000"}},
		{func(c *Config) { c.Rollback.Shrink = .5 }, []string{"recover.times is 0", "recover.shrink"}},
		{func(c *Config) { c.Rollback = Rollback{1, 2} }, []string{"recover.shrink is 2", "at most 1"}},
	} {
		cfg := DefaultConfig("moons", "mlp-8")
		c.change(&cfg)
		err := cfg.Validate()
		if err == nil {
			t.Errorf("%v was accepted", c.want)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("error %q does not say %q", err, w)
			}
		}
	}
	samplesOnly := DefaultConfig("moons", "mlp-8") // log p(x,y) alone
	samplesOnly.Alpha, samplesOnly.JEM.Joint, samplesOnly.JEM.Conditional = 0, 1, true
	if err := samplesOnly.Validate(); err != nil {
		t.Error(err)
	}
	squares := DefaultConfig("moons", "mlp-8") // E² alone
	squares.Alpha, squares.ZLoss = 0, 1
	if err := squares.Validate(); err != nil {
		t.Error(err)
	}
	for _, p := range Presets() {
		if err := p.Validate(); err != nil {
			t.Errorf("preset %s: %v", p.Name, err)
		}
	}
}

func TestSet(t *testing.T) {
	c := DefaultConfig("moons", "mlp-8")
	if err := c.Set("beta=.1, gamma=1e-2,epochs=7,decay_epochs=[3,5],schedule=step,augment.flip=true,augment.noise=.03,seed=18446744073709551615"); err != nil {
		t.Fatal(err)
	}
	if c.Beta != .1 || c.Gamma != .01 || c.Epochs != 7 || !slices.Equal(c.DecayEpochs, []int{3, 5}) || c.Schedule != "step" || !c.Augment.Flip || c.Augment.Noise != .03 || c.Seed != math.MaxUint64 {
		t.Errorf("got %v", c)
	}
	for _, bad := range []struct{ set, want string }{
		{"betta=1", `no setting "betta" (did you mean beta?); there are name, data`},
		{"beta=1,beta=2", `beta is set twice, to "1" and to "2"`},
		{"augment=1", `no setting "augment"`},
		{"epochs=2.5", `epochs cannot be "2.5": it is a whole number`},
		{"seed=18446744073709551616", "it is a whole number from 0 to 18446744073709551615"},
		{"beta=high", `beta cannot be "high": it is a number`},
		{"beta", "key=value"},
	} {
		if err := c.Set(bad.set); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("Set(%q) gives %v, want %q", bad.set, err, bad.want)
		}
	}
}

// The hash covers what determines the result and nothing else.
func TestHash(t *testing.T) {
	base := DefaultConfig("tar:/home/a/cifar.tar.gz", "convnet")
	same := base
	same.Optimizer = "adam"
	same.Name, same.Data, same.Limit, same.Decay, same.DecayEpochs = "mine", "tar:/elsewhere/cifar.tar.gz", 8000, .1, []int{1}
	if base.Hash("d") != same.Hash("d") {
		t.Error("a name, a path or a setting that is not used changed the hash")
	}
	seen := map[string]string{base.Hash("d"): "base", base.Hash("e"): "data"}
	for _, set := range []string{"beta=1", "gamma=1", "alpha=2", "epochs=3", "batch=3", "seed=2", "net=mlp-8", "learning_rate=1", "warmup=1", "schedule=step,decay_epochs=[1]", "validation=9", "eval_every=2", "augment.pad=1", "augment.flip=true", "augment.noise=1", "label_smoothing=.1",
		"weight_decay=.1", "clip_norm=1", "logitnorm=.1", "z_loss=.1", "input_gradient=.1", "jacobian=.1", "input_noise=.1", "margin.outliers=inverted,margin.exposure=1", "margin.outliers=inverted,margin.exposure=1,margin.weight=1", "optimizer=adamw", "optimizer=adamw,weight_decay=.1", "optimizer=sgd", "optimizer=sgd,momentum=.9", "optimizer=sgd,momentum=.9,nesterov=true",
		"gamma_per_dimension=true", "ramp_epochs=1", "fade_epochs=1", "focal=2", "augment.mixup=1", "augment.cutout=1", "start=0123456789ab", "ema=.9", "recover.times=1", "recover.times=1,recover.shrink=.1",
		"jem.weight=1", "jem.weight=2", "jem.joint=1,jem.conditional=true", "jem.weight=1,jem.conditional=true", "jem.weight=1,jem.steps=5", "jem.weight=1,jem.step=2", "jem.weight=1,jem.noise=1", "jem.weight=1,jem.buffer=9", "jem.weight=1,jem.restart=1", "jem.weight=1,jem.start=data", "jem.weight=1,jem.energy_l2=1", "jem.weight=1,jem.max_gap=9",
		"adversarial.epsilon=1", "adversarial.epsilon=1,adversarial.norm=l2", "adversarial.epsilon=1,adversarial.steps=3", "adversarial.epsilon=1,adversarial.step=1", "margin.outliers=inverted,margin.weight=9", "margin.outliers=inverted,margin.in=9", "margin.outliers=inverted,margin.out=9"} {
		c := base
		if err := c.Set(set); err != nil {
			t.Fatal(err)
		}
		h := c.Hash("d")
		if other, ok := seen[h]; ok {
			t.Errorf("%s has the hash of %s", set, other)
		}
		seen[h] = set
	}
}

func TestFindSetting(t *testing.T) {
	const assignments = "decay_epochs=[60,80], seed = 3,data=folder:a=b"
	for key, want := range map[string]string{"decay_epochs": "[60,80]", "seed": "3", "data": "folder:a=b"} {
		if value, ok := FindSetting(assignments, key); !ok || value != want {
			t.Errorf("%s is %q (%v), want %q", key, value, ok, want)
		}
	}
	if value, ok := FindSetting(assignments, "net"); ok {
		t.Errorf("a key that is not there is %q", value)
	}
}

// Copies of a configuration do not share their lists.
func TestSetOfACopy(t *testing.T) {
	cfg := DefaultConfig("digits", "convnet")
	if err := cfg.Set("schedule=step,decay_epochs=[60,80]"); err != nil {
		t.Fatal(err)
	}
	other := cfg
	if err := other.Set("decay_epochs=[1,2]"); err != nil || !slices.Equal(cfg.DecayEpochs, []int{60, 80}) || !slices.Equal(other.DecayEpochs, []int{1, 2}) {
		t.Errorf("%v: %v and %v", err, cfg.DecayEpochs, other.DecayEpochs)
	}
}

// A decay that the schedule drops would load a run without it in silence, since the hash
// leaves it out.
func TestSetDecayWithoutEffect(t *testing.T) {
	for set, want := range map[string]string{
		"schedule=step":                           "schedule=step has no effect without decay_epochs",
		"epochs=null":                             `epochs cannot be "null": it is a whole number`,
		"decay=.5":                                `decay=0.5 has no effect with schedule="constant"; add schedule=step`,
		"schedule=cosine,decay=.5":                `decay=0.5 has no effect with schedule="cosine"`,
		"decay_epochs=[1]":                        `decay_epochs=[1] has no effect with schedule="constant"`,
		"decay_epochs=[1],schedule=cosine":        `decay_epochs=[1] has no effect with schedule="cosine"`,
		"schedule=step,decay=.5":                  "decay=0.5 has no effect without decay_epochs",
		"decay=.5,decay_epochs=[1],schedule=step": "",
		"decay=.3":                                "",
		"schedule=cosine":                         "",
		"decay_epochs=[]":                         "",
	} {
		cfg := DefaultConfig("digits", "convnet")
		if err := cfg.Set(set); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", set, err, want)
		}
	}
	// What a preset has for another schedule stays.
	cfg := DefaultConfig("digits", "convnet")
	cfg.Decay, cfg.DecayEpochs = .5, []int{3}
	if err := cfg.Set("beta=.1"); err != nil {
		t.Error(err)
	}
}

// The runs of a preset are found by its hash, whatever settings are added. cifar10-cpu was
// made larger on purpose in 2026-11 (issue 23); the runs of its earlier form keep their hash.
func TestPresetHashesStay(t *testing.T) {
	earlier := DefaultConfig("cifar10", "wrn-10-1")
	if err := earlier.Set("limit=1200,validation=500,epochs=24,batch=32,learning_rate=3e-3,schedule=cosine,augment.noise=.03,eval_every=5"); err != nil {
		t.Fatal(err)
	}
	if got := earlier.Hash("x"); got != "6b6ad4462cad" {
		t.Errorf("the earlier cifar10-cpu has the hash %s, had 6b6ad4462cad", got)
	}
	want := map[string]string{
		"moons":             "a78c076cd913",
		"digits":            "6df1ae35dfa8",
		"digits-ngebm":      "5e3f3fd3ff1e",
		"digits-few":        "3b511c8dbba3",
		"moons-few":         "f5fbe6154116",
		"moons-jem":         "f8a071563449",
		"digits-jem":        "03cc3f88dc2b",
		"cifar10-smoke":     "212e8121d015",
		"cifar10-cpu":       "3e72c8baeed8",
		"cifar10-wrn16-4":   "d6ff181b276b",
		"cifar10-wrn28-10":  "2a660e6efbb7",
		"cifar100-wrn28-10": "2a660e6efbb7",
	}
	for _, p := range Presets() {
		if got := p.Hash("x"); got != want[p.Name] {
			t.Errorf("%s has the hash %s, want %s", p.Name, got, want[p.Name])
		}
	}
}

// Layers that look at whole batches are refused where they would change what is trained.
func TestBatchNormalizationIsRefused(t *testing.T) {
	for set, want := range map[string]string{
		"net=convnet+batch,input_gradient=.1":               "with which an example's logits depend on the other examples of its batch, and this configuration trains gradients with respect to single inputs (",
		"net=convnet+batch,jacobian=.01,z_loss=.1":          "this configuration trains the energy (",
		"net=resnet-18,beta=.1,gamma=.1":                    "resnet-18 has batch normalization, with which an example's energy depends on the other examples of its batch, and this configuration trains the energy (ng-ebm); use group, layer, instance, act or none in its place, as in resnet-18+group",
		"net=wrn-10-2+batch,jem.weight=1":                   "as in wrn-10-2+group",
		"net=convnet+batch+gauge-mlp,gamma=.5":              "(gamma=0.5)",
		"net=convnet+act,precision=bfloat16":                "float32",
		"net=resnet-18":                                     "",
		"net=resnet-18+act,beta=.1":                         "",
		"net=wrn-10-2+group+silu,precision=bfloat16,beta=1": "",
	} {
		cfg := DefaultConfig("digits", "convnet")
		if err := cfg.Set(set); err != nil {
			t.Fatal(err)
		}
		_, _, err := cfg.Resolve(nil)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", set, err, want)
		}
	}
}

// Methods with outliers take a kind that the data have.
func TestSetMethodOutliers(t *testing.T) {
	for set, want := range map[string]string{"digits": "uniform noise", "moons": "uniform box", "csv:wine.csv@class": "uniform box"} {
		for _, method := range []string{"outlier-exposure", "energy-margin"} {
			cfg := DefaultConfig(set, "mlp-8")
			if err := cfg.SetMethod(method); err != nil || cfg.Margin.Outliers != want || cfg.Method() != method {
				t.Errorf("%s of %s has the outliers %q (%v), and is called %s", method, set, cfg.Margin.Outliers, err, cfg.Method())
			}
		}
	}
}
