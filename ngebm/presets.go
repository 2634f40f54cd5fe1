package ngebm

import (
	"fmt"
	"slices"
	"strings"

	"ngebm/data"
	"ngebm/data/nearest"
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
		if err := c.Use("jem"); err != nil {
			panic(err) // the list of methods has it
		}
	}

	smoke := DefaultConfig("cifar10", "wrn-10-2")
	smoke.Epochs, smoke.Warmup, smoke.Schedule = 2, 20, "cosine"
	smoke.Beta, smoke.Gamma = .1, .1
	smoke.Augment = data.Augment{Pad: 4, Flip: true, Noise: .03}
	smoke.Validation = 500

	// The paper's protocol (arXiv 2304.01297): a WRN-28-10 without normalisation, Adam
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

	// Few images that never change but for the noise, seen often, at a high rate: a
	// network so small becomes over-confident in minutes, and
	// without over-confidence there is nothing that NG-EBM could mend.
	cpu := DefaultConfig("cifar10", "wrn-10-1")
	cpu.Limit, cpu.Validation = 1200, 500
	cpu.Epochs, cpu.Batch, cpu.LearningRate, cpu.Schedule = 24, 32, 3e-3, "cosine"
	cpu.Augment, cpu.EvalEvery = data.Augment{Noise: .03}, 5

	presets := []Preset{
		{moons, "NG-EBM on two half-moons in the plane; seconds"},
		{digits, "ordinary training (β=γ=0) on 8x8 digits; test accuracy .97 or more, in seconds on 2 cores"},
		{digitsNGEBM, "NG-EBM, β=γ=.1, on 8x8 digits; test accuracy .97 or more, in seconds on 2 cores"},
		{few, "ordinary training on 300 of the digits (200 more are held out), where it is over-confident: the base of the notebooks that measure trust; seconds"},
		{fewMoons, "ordinary training on 300 points of the half-moons (100 more are held out): the same notebooks' problem in the plane; seconds"},
		{moonsJEM, "JEM on two half-moons in the plane: its samples fall on the moons; seconds"},
		{digitsJEM, "JEM on 8x8 digits: its samples look like digits; half a minute on 2 cores"},
		{smoke, "NG-EBM on CIFAR-10 for two epochs: does everything work? With -limit 8000 about 3 minutes on 2 cores"},
		{cpu, "ordinary training on 700 images of CIFAR-10 (500 more are held out), where it is over-confident: the experiment's form for two cores; minutes a run there"},
		{wrn16, "ordinary training on CIFAR-10 for one GPU; not yet timed"},
		{paper, "the protocol of the NG-EBM paper (arXiv 2304.01297) on CIFAR-10 to the letter, for its methods see -method; days on one GPU, not yet run"},
		{hundred, "the same on CIFAR-100"},
	}
	for i, name := range []string{"moons", "digits", "digits-ngebm", "digits-few", "moons-few", "moons-jem", "digits-jem", "cifar10-smoke",
		"cifar10-cpu", "cifar10-wrn16-4", "cifar10-wrn28-10", "cifar100-wrn28-10"} {
		presets[i].Name = name
	}
	return presets
}

// PresetConfig returns the configuration of that name.
func PresetConfig(name string) (Config, error) {
	var names []string
	presets := Presets()
	i := slices.IndexFunc(presets, func(p Preset) bool { names = append(names, p.Name); return p.Name == name })
	if i < 0 {
		return Config{}, fmt.Errorf("ngebm: no preset is named %.60q%s; there are %s", name, nearest.Hint(name, names), strings.Join(names, ", "))
	}
	return presets[i].Config, nil
}
