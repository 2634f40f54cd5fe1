package ngebm_test

import "ngebm/ngebm"

// small is a configuration that trains in a blink.
func small() ngebm.Config {
	cfg := ngebm.DefaultConfig("moons:240", "mlp-16")
	cfg.Epochs, cfg.Batch, cfg.Warmup, cfg.Validation = 4, 20, 5, 40
	cfg.Beta, cfg.Gamma = .1, .1
	cfg.Augment.Noise = .03
	return cfg
}
