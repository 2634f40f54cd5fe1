package nearest

import (
	"flag"
	"io"
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

// A value that cannot be parsed is answered with what the flag takes.
func TestFlagParseError(t *testing.T) {
	for arg, want := range map[string]string{
		"-save-every=5": `"5" for flag -save-every; give a duration, as in 5s or 2m`,
		"-every=x":      `"x" for flag -every; give a whole number`,
		"-seed=-1":      `"-1" for flag -seed; give a whole number`,
		"-epsilon=8/25": `"8/25" for flag -epsilon; give a number`,
		"-dry-run=yes":  `"yes" for -dry-run; give true or false`,
		"-evry=1":       "there is no flag -evry (did you mean -every?)",
	} {
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		fs.Duration("save-every", 0, "")
		fs.Int("every", 0, "")
		fs.Uint64("seed", 0, "")
		fs.Float64("epsilon", 0, "")
		fs.Bool("dry-run", false, "")
		if err := Flag(fs, fs.Parse([]string{arg})); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", arg, err, want)
		}
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
