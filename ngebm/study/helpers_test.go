package study_test

import (
	"strings"
	"testing"

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

// wantMessage checks that an error has one line with all the parts.
func wantMessage(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error; want one that says %q", parts)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not say %q", err, p)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error has more than one line: %q", err)
	}
}

// said collects the tasks that are reported.
type said struct{ tasks []string }

func (s *said) Report(r progress.Report) {
	if r.Unit == "" {
		s.tasks = append(s.tasks, r.Task)
	}
}
