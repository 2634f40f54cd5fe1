package nb

import (
	"flag"

	"ngebm/ngebm"
)

// fresh is set by cells whose first line is %% --fresh.
var fresh = flag.Bool("fresh", false, "train again what is stored")

// Weights are the weights of the loss, as a cell's first line sets them:
//
//	%% --alpha=1 --beta=.1 --gamma=.1
type Weights struct {
	Alpha float64 // of the cross-entropy
	Beta  float64 // of the energy's variance over a batch
	Gamma float64 // of the energy's gradient norm
}

// WeightFlags declares the flags of the weights, with the values that they have in cells
// that do not set them. The flags are read when a cell begins.
func WeightFlags(alpha, beta, gamma float64) *Weights {
	w := &Weights{}
	flag.Float64Var(&w.Alpha, "alpha", alpha, "weight of the cross-entropy")
	flag.Float64Var(&w.Beta, "beta", beta, "weight of the energy's variance")
	flag.Float64Var(&w.Gamma, "gamma", gamma, "weight of the energy's gradient norm")
	return w
}

// Are reports whether the weights have these values: those that a text describes.
func (w *Weights) Are(alpha, beta, gamma float64) bool {
	return *w == Weights{alpha, beta, gamma}
}

// Apply sets a configuration's weights.
func (w *Weights) Apply(cfg *ngebm.Config) {
	cfg.Alpha, cfg.Beta, cfg.Gamma = w.Alpha, w.Beta, w.Gamma
}

// Preset returns a preset with these weights.
func (w *Weights) Preset(name string) ngebm.Config {
	cfg := Must(ngebm.PresetConfig(name))
	cfg.Name = name + "-ng-ebm"
	w.Apply(&cfg)
	return cfg
}
