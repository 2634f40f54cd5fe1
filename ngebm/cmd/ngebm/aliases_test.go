package main

import (
	"bytes"
	"flag"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Old names of flags are accepted for one release, but not shown, and contradict the new
// ones like a flag that is given twice.
func TestRenamedFlags(t *testing.T) {
	want := map[string]map[string]string{
		"train": {"-dry": "-dry-run", "-net": "-model", "-limit": "-max-train"},
		"sweep": {"-net": "-model", "-limit": "-max-train", "-attacked": "-attack-examples", "-strange": "-ood", "-json": "-o"},
		"experiment": {"-dry": "-dry-run", "-net": "-model", "-limit": "-max-train", "-attacked": "-attack-examples", "-worst": "-ensemble-examples",
			"-choose-by": "-select-by", "-choose-seeds": "-select-seeds", "-strange": "-ood", "-outside": "-ood-datasets", "-detection": "-ood-examples"},
		"bench":   {"-net": "-model", "-at-once": "-steps-per-call", "-times": "-repeats", "-peer": "-compare", "-against": "-reference-device", "-json": "-o"},
		"measure": {"-json": "-o"},
		"predict": {"-fit": "-refit"},
		"serve":   {"-fit": "-image-fit"},
	}
	for _, c := range commands() {
		var help bytes.Buffer
		helpOf(t, c, &help)
		shown := func(name string) bool {
			return strings.Contains(help.String(), "\n  "+name+" ") || strings.Contains(help.String(), "\n  "+name+"\n")
		}
		got := map[string]string{}
		for old, now := range renamedFlags(c.name) {
			got["-"+old] = "-" + now
			if shown("-"+old) || !shown("-"+now) {
				t.Errorf("ngebm %s -h: shows %s %v, -%s %v", c.name, old, shown("-"+old), now, shown("-"+now))
			}
		}
		if !maps.Equal(got, want[c.name]) {
			t.Errorf("ngebm %s: renamed flags %v, want %v", c.name, got, want[c.name])
		}
		for _, hidden := range []string{"-worker", "-collect"} {
			if shown(hidden) {
				t.Errorf("ngebm %s -h shows %s", c.name, hidden)
			}
		}
		for old, now := range got {
			err := dispatch(t.Context(), []string{c.name, old + "=3", now, "4"}, io.Discard)
			if err == nil || !strings.Contains(err.Error(), "leave one out") && !strings.Contains(err.Error(), "invalid boolean value") {
				t.Errorf("ngebm %s %s=3 %s 4: %v", c.name, old, now, err)
			}
		}
	}
}

func TestCurrentNames(t *testing.T) {
	renamed := map[string]string{"limit": "max-train", "dry": "dry-run", "strange": "ood"}
	for _, c := range []struct {
		args, want []string
		err        string
	}{
		{[]string{"-limit", "5"}, []string{"-max-train", "5"}, ""},
		{[]string{"--limit=5"}, []string{"-max-train=5"}, ""},
		{[]string{"-limit", "-5", "-dry"}, []string{"-max-train", "-5", "-dry-run"}, ""},
		{[]string{"-dry", "-limit", "5", "file", "-limit"}, []string{"-dry-run", "-max-train", "5", "file", "-limit"}, ""},
		{[]string{"--", "-limit"}, []string{"--", "-limit"}, ""},
		{[]string{"-name", "-limit"}, []string{"-name", "-limit"}, ""}, // the value of another flag
		{[]string{"-limit"}, []string{"-max-train"}, ""},               // package flag misses the value
		{[]string{"-", "-limit"}, []string{"-", "-limit"}, ""},
		{[]string{"-limit", "5", "-max-train", "5"}, []string{"-max-train", "5", "-max-train", "5"}, ""},
		{[]string{"-limit", "5", "-max-train", "6"}, nil, `-limit and -max-train are one flag, given as "5" and as "6": leave one out`},
		{[]string{"-max-train", "6", "-limit", "5"}, nil, `-max-train and -limit are one flag, given as "6" and as "5": leave one out`},
		{[]string{"-strange", "a", "-strange", "b"}, []string{"-ood", "a", "-ood", "b"}, ""}, // a list
		{[]string{"-strange", "a", "-ood", "b"}, nil, "-strange and -ood are one flag"},
		{[]string{"-dry", "-dry-run=false"}, nil, "-dry and -dry-run are one flag"},
		{[]string{"-name", "a", "-name", "b"}, nil, `-name is given twice, as "a" and as "b"`},
	} {
		fs := flag.NewFlagSet("test", flag.ContinueOnError)
		fs.Int("max-train", 0, "")
		fs.Bool("dry-run", false, "")
		fs.String("name", "", "")
		var ood string
		listVar(fs, &ood, "ood", "", ",", "")
		got, _, err := current(fs, c.args, renamed, map[string]use{})
		if c.err == "" && (err != nil || !slices.Equal(got, c.want)) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%q: %q (%v), want %q, error %q", c.args, got, err, c.want, c.err)
		}
	}
}

// What a flag's old name sets is what its new name sets.
func TestOldNamesWork(t *testing.T) {
	for _, c := range [][2]string{
		{"train -dry -net mlp-16 -limit 100", "train -dry-run -model mlp-16 -max-train 100"},
		{"experiment -dry -preset digits-few -net mlp-16 -limit 500 -attacked 60 -worst 30 -detection 100 -strange rotated -outside mnist -choose-by accuracy -choose-seeds 7",
			"experiment -dry-run -preset digits-few -model mlp-16 -max-train 500 -attack-examples 60 -ensemble-examples 30 -ood-examples 100 -ood rotated -ood-datasets mnist -select-by accuracy -select-seeds 7"},
		{"measure -in-scores " + oodData + "O1_ties_in.csv -out-scores " + oodData + "O1_ties_out.csv -json -", "measure -in-scores " + oodData + "O1_ties_in.csv -out-scores " + oodData + "O1_ties_out.csv -o -"},
	} {
		var out [2]bytes.Buffer
		for i, args := range c {
			if err := dispatch(t.Context(), strings.Fields(args), &out[i]); err != nil {
				t.Errorf("ngebm %s: %v", args, err)
			}
		}
		if out[0].String() != out[1].String() || out[0].Len() == 0 {
			t.Errorf("ngebm %s prints\n%s\nand ngebm %s\n%s", c[0], &out[0], c[1], &out[1])
		}
	}
	if err := dispatch(t.Context(), []string{"experiment", "-collect"}, io.Discard); err == nil || !strings.Contains(err.Error(), "no results to merge") {
		t.Errorf("experiment -collect: %v", err)
	}
}
