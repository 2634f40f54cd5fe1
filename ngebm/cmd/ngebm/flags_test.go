package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A list that is given again adds up; the first time it takes the default's place.
func TestRepeatedListsAddUp(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "1,2,3"},
		{[]string{"-seeds", "4"}, "4"},
		{[]string{"-seeds", "4", "-seeds", "5,6", "-seeds=7"}, "4,5,6,7"},
		{[]string{"-seeds", "", "-seeds", "5"}, "5"},
		{[]string{"-seeds", "5", "-seeds", " "}, "5"},
	} {
		fs := flag.NewFlagSet("test", flag.ContinueOnError)
		var seeds string
		listVar(fs, &seeds, "seeds", "1,2,3", ",", "seeds")
		if err := parse(fs, c.args); err != nil || seeds != c.want {
			t.Errorf("%q: %q (%v), want %q", c.args, seeds, err, c.want)
		}
	}
}

// Flags may follow other arguments, -h too.
func TestHelpAfterArguments(t *testing.T) {
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	shown := 0
	fs.Usage = func() { shown++ }
	if _, err := parseAmong(fs, []string{"a", "b", "-h"}); err != flag.ErrHelp || shown != 1 {
		t.Errorf("%v; help is shown %d times", err, shown)
	}
}

// What follows -- is no flag, unless that is the value of one.
func TestArgumentsAfterFlags(t *testing.T) {
	for _, c := range []struct {
		args, others []string
		out          string
	}{
		{[]string{"run", "-o", "x", "a", "-o=x", "b"}, []string{"run", "a", "b"}, "x"},
		{[]string{"run", "--", "-a.png", "-o=thesis.json", "--", "b"}, []string{"run", "-a.png", "-o=thesis.json", "--", "b"}, ""},
		{[]string{"-o", "x", "--", "run", "-o", "y"}, []string{"run", "-o", "y"}, "x"},
		{[]string{"-o", "--", "run", "-b"}, []string{"run"}, "--"},
		{[]string{"run", "--"}, []string{"run"}, ""},
	} {
		fs := flag.NewFlagSet("test", flag.ContinueOnError)
		out := fs.String("o", "", "")
		fs.Bool("b", false, "")
		if others, err := parseAmong(fs, c.args); err != nil || !slices.Equal(others, c.others) || *out != c.out {
			t.Errorf("%q: %q and -o %q (%v), want %q and %q", c.args, others, *out, err, c.others, c.out)
		}
	}
}

// Every flag whose text is cut at commas or semicolons is such a list.
func TestEveryListAddsUp(t *testing.T) {
	lists := map[string][]string{
		"train":      {"set"},
		"sweep":      {"set", "grid", "seeds", "pareto"},
		"experiment": {"set", "methods", "seeds", "candidates", "select-seeds", "ood", "ood-datasets", "linf", "l2"},
		"bench":      {"rows"},
		"measure":    {"ood"},
	}
	for _, c := range commands() {
		var help bytes.Buffer
		helpOf(t, c, &help)
		for _, name := range lists[c.name] {
			_, about, found := strings.Cut(help.String(), "\n  -"+name+" ")
			about, _, _ = strings.Cut(about, "\n  -")
			if !found || !strings.Contains(about, "may be repeated to add more") {
				t.Errorf("%s -%s: %q", c.name, name, about)
			}
		}
	}
}

// helpOf captures what a command's -h prints.
func helpOf(t *testing.T, c command, into io.Writer) {
	t.Helper()
	out, err := runBuilt(t, c.name, "-h")
	if err != nil {
		t.Fatalf("%s -h: %v", c.name, err)
	}
	_, _ = io.WriteString(into, out)
}

func TestSetAddsUp(t *testing.T) {
	var out bytes.Buffer
	if err := dispatch(t.Context(), []string{"train", "-dry-run", "-set", "beta=.25", "-set", "decay_epochs=[1,2],epochs=7", "-set=gamma=.5,schedule=step"}, &out); err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(out.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	if all["beta"] != .25 || all["gamma"] != .5 || all["epochs"] != 7. || !slices.Equal(all["decay_epochs"].([]any), []any{1., 2.}) {
		t.Errorf("the settings are %v", all)
	}
}

func TestWrongNames(t *testing.T) {
	for args, want := range map[string]string{
		"trian":                                                        `unknown command "trian" (did you mean train?)`,
		"train -prset digits":                                          "there is no flag -prset (did you mean -preset?)",
		"sweep -seed 1":                                                "there is no flag -seed (did you mean -seeds?)",
		"measure -logit x":                                             "there is no flag -logit (did you mean -logits?)",
		"train -\x1b[2J":                                               `there is no flag -\x1b[2J`,
		"train -preset digit":                                          `no preset is named "digit" (did you mean digits?)`,
		"train -method crossentropy":                                   `no method is named "crossentropy" (did you mean cross-entropy?)`,
		"train -set epoch=3":                                           `there is no setting "epoch" (did you mean epochs?)`,
		"train -set jem.stepz=3":                                       `there is no setting "jem.stepz" (did you mean jem.steps?)`,
		"train -set lr=3":                                              `there is no setting "lr" (did you mean learning_rate?)`,
		"train -set sharpness=.9":                                      `there is no setting "sharpness"; there are name, data`,
		"train -set epochs=3 -set epochs=4":                            `epochs is set twice, to "3" and to "4"`,
		"train -set seed=18446744073709551616":                         `seed cannot be "18446744073709551616": it is a whole number from 0 to 18446744073709551615`,
		"train -set epochs=9223372036854775808":                        `epochs cannot be "9223372036854775808": it is a whole number of at most 9223372036854775807`,
		"train -preset moons -preset digits":                           `-preset is given twice, as "moons" and as "digits"`,
		"train -max-train=5 -max-train 6":                              "-max-train is given twice",
		"sweep -grid beta=0,.1 -seeds 1,18446744073709551616":          "whole numbers from 0 to 18446744073709551615",
		"sweep -grid beta=0,.1 -pareto ECE -pareto acuracy":            `(did you mean accuracy?)`,
		"sweep -set beta=1 -grid gamma+beta=0,.1":                      `-set beta="1" has no effect, since -grid sets beta`,
		"experiment -methods crossentropy":                             "(did you mean cross-entropy?)",
		"bench -rows cross-entropi":                                    "(did you mean cross-entropy?)",
		"predict -alpha .1 no-run -alpha .2 x.png":                     `-alpha is given twice, as ".1" and as ".2"`,
		"export -onnx a.onnx no-run -onnx b.onnx":                      `-onnx is given twice, as "a.onnx" and as "b.onnx"`,
		"export no-run -onnx nowhere.onnx -safetensors ./nowhere.onnx": "-onnx and -safetensors both name",
		"export no-run -safetensors nowhere.s -temperature 2":          "-temperature has no effect without -onnx",
		"train -dry-run -data=":                                        "-data is given an empty value; give another, or leave the flag out",
		"train -dry-run -net=":                                         "-model is given an empty value",
		"train -dry-run -method=":                                      "-method is given an empty value",
		"experiment -dry-run -continue=":                               "-continue is given an empty value",
		"experiment -dry-run -part=":                                   "-part is given an empty value",
		"predict no-run -data=":                                        "-data is given an empty value",
		"export no-run -onnx a.onnx -safetensors=":                     "-safetensors is given an empty value",
		"bench -rows sgd -o testdata":                                  `-o cannot be written: "testdata" is a folder, not a regular file; name another file`,
		"predict no-run -o x.json":                                     "there is nothing to write without files",
		"bench -o no-folder/x.json":                                    "its folder does not exist",
		"measure -logits L.csv -labels y.csv -o no-folder/x":           "its folder does not exist",
		"fetch svhn -ofline":                                           "there is no flag -ofline (did you mean -offline?)",
		"fetch cifar-10":                                               "(did you mean cifar10?)",
		"fetch cifar10-c:fogg":                                         "(did you mean fog?)",
		"train -model convent -runs /nowhere":                          "(did you mean convnet?)",
		"train -dry-run -model convent":                                "(did you mean convnet?)",
		"train -model wnr-10-2 -runs /nowhere":                         "(did you mean wrn-D-W?)",
	} {
		fields := strings.Fields(args)
		if strings.HasPrefix(args, "train -model") {
			fields = append(fields, "-device", "go")
		}
		err := dispatch(t.Context(), fields, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("ngebm %q: %v, want %q", args, err, want)
		}
	}
	// The same value twice drops nothing.
	if err := dispatch(t.Context(), strings.Fields("train -dry-run -preset digits -preset digits -set epochs=2 -set epochs=2"), io.Discard); err != nil {
		t.Error(err)
	}
}

// A file is as it was before the work, and so is its folder. What has no JSON is printed.
func TestOut(t *testing.T) {
	old := write(t, "old.json", "old")
	for _, file := range []string{old, old + ".new"} {
		if err := checkOut("bench", file); err != nil {
			t.Error(err)
		}
	}
	var out bytes.Buffer
	err := output(&out, "bench", old, math.Inf(1), func(w io.Writer) error { _, err := io.WriteString(w, "table"); return err })
	if err == nil || out.String() != "table" {
		t.Errorf("%v, and it prints %q", err, &out)
	}
	names, err := os.ReadDir(filepath.Dir(old))
	if content, e := os.ReadFile(old); err != nil || e != nil || len(names) != 1 || string(content) != "old" {
		t.Errorf("there is %v, and the file holds %q (%v, %v)", names, content, err, e)
	}
}

// A warm-up longer than half of the run is named before it starts, and in a dry run.
func TestDryRunDoubtsLongWarmUp(t *testing.T) {
	for args, warns := range map[string]bool{
		"-preset digits":                                               false,
		"-preset digits -set epochs=2,warmup=50":                       true, // of 34 steps an epoch
		"-preset digits -set epochs=2,warmup=30":                       false,
		"-preset digits -set epochs=2,warmup=34":                       false,
		"-preset digits -set epochs=2,warmup=35":                       true,
		"-preset moons -set epochs=1,warmup=50":                        true,
		"-preset cifar10-smoke -max-train 640 -set epochs=2,warmup=50": true,
	} {
		stderr, err := runBuilt(t, append([]string{"train", "-dry-run"}, strings.Fields(args)...)...)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(stderr, "the warm-up takes"); got != warns {
			t.Errorf("%s: warned %v, want %v", args, got, warns)
		}
	}
}

// runBuilt runs the command and returns all that it prints.
func runBuilt(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(build(t), args...).CombinedOutput()
	return string(out), err
}
