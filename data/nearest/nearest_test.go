package nearest

import (
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	settings := strings.Fields("name data limit net alpha beta gamma gamma_per_dimension ramp_epochs label_smoothing jem.steps jem.buffer epochs batch learning_rate warmup schedule decay decay_epochs augment.pad augment.noise validation eval_every seed")
	for wrong, want := range map[string]string{
		"epoch": "epochs", "bacth": "batch", "batch_size": "batch", "lr": "learning_rate", "learning-rate": "learning_rate", "learningrate": "learning_rate",
		"BETA": "beta", "betta": "beta", "gama": "gamma", "pad": "augment.pad", "jem.step": "jem.steps", "steps": "jem.steps", "warm_up": "warmup",
		"weight_decay": "", "momentum": "", "x": "", "": "", "color": "", strings.Repeat("epochs", 100): "", strings.Repeat("x", 1000): "",
	} {
		if got := Name(wrong, settings); got != want {
			t.Errorf("for %.20q got %q, want %q", wrong, got, want)
		}
	}
	if got := Hint("epoch", settings); got != " (did you mean epochs?)" {
		t.Errorf("the hint is %q", got)
	}
	if got := Hint("momentum", settings); got != "" {
		t.Errorf("the hint is %q", got)
	}
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"kitten", "sitting", 3}, {"", "abc", 3}, {"abc", "", 3}, {"flaw", "lawn", 2}, {"same", "same", 0}, {"wnr", "wrn", 1}, {"ca", "abc", 3}} { // examples of Wikipedia's articles on the distances of Levenshtein and of optimal string alignment
		if got := levenshtein(c.a, c.b); got != c.want {
			t.Errorf("%q and %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
