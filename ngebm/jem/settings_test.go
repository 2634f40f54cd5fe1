package jem_test

import (
	"math"
	"strings"
	"testing"

	"ngebm/ngebm/jem"
)

// Every setting that cannot be used is refused with its key, its value and what it must
// be; and the defaults are the paper's.
func TestSettings(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		s    jem.Settings
		want []string
	}{
		{jem.Settings{Weight: -1}, []string{"jem.weight is -1", "0 (none) or more"}},
		{jem.Settings{Weight: nan}, []string{"jem.weight is NaN", "finite"}},
		{jem.Settings{Joint: inf}, []string{"jem.joint is +Inf", "finite"}},
		{jem.Settings{Weight: 1, EnergyL2: -1}, []string{"jem.energy_l2 is -1"}},
		{jem.Settings{Steps: 5}, []string{"jem.weight is 0", "jem.weight=1"}},
		{jem.Settings{Joint: 1}, []string{"jem.joint is 1", "jem.conditional=true"}},
		{jem.Settings{Weight: 1, Steps: -1}, []string{"jem.steps is -1", "from 1 to 10000"}},
		{jem.Settings{Weight: 1, Step: -1}, []string{"jem.step is -1", "above 0"}},
		{jem.Settings{Weight: 1, Step: inf}, []string{"jem.step is +Inf", "finite"}},
		{jem.Settings{Weight: 1, Noise: nan}, []string{"jem.noise is NaN", "above 0"}},
		{jem.Settings{Weight: 1, Buffer: -1}, []string{"jem.buffer is -1", "from 1 to 1000000"}},
		{jem.Settings{Weight: 1, Restart: 1.5}, []string{"jem.restart is 1.5", "at most 1"}},
		{jem.Settings{Weight: 1, Restart: nan}, []string{"jem.restart is NaN"}},
		{jem.Settings{Weight: 1, Start: "noise"}, []string{`jem.start is "noise"`, "uniform or data"}},
		{jem.Settings{Weight: 1, MaxGap: -1}, []string{"jem.max_gap is -1", "above 0"}},
	} {
		err := c.s.Validate()
		if err == nil {
			t.Errorf("%+v was accepted", c.s)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("error %q does not say %q", err, w)
			}
		}
	}
	got := jem.Settings{Weight: 1}.WithDefaults()
	if want := (jem.Settings{Weight: 1, Steps: 20, Step: 1, Noise: .01, Buffer: 10_000, Restart: .05, Start: "uniform", MaxGap: 100}); got != want {
		t.Errorf("defaults are %+v, want %+v", got, want)
	}
	if (jem.Settings{}).WithDefaults() != (jem.Settings{}) {
		t.Error("no JEM has settings")
	}
}
