package study_test

import (
	"ngebm/data/progress"
	"ngebm/ngebm"
)

// small is a configuration that trains in a moment.
func small() ngebm.Config {
	cfg := ngebm.DefaultConfig("moons:240", "mlp-16")
	cfg.Epochs, cfg.Batch, cfg.Warmup, cfg.Validation = 4, 20, 5, 40
	cfg.Beta, cfg.Gamma = .1, .1
	cfg.Augment.Noise = .03
	return cfg
}

// said collects the tasks that are reported.
type said struct{ tasks []string }

func (s *said) Report(r progress.Report) {
	if r.Unit == "" {
		s.tasks = append(s.tasks, r.Task)
	}
}
