package main

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"strings"
)

// renamedFlags returns the flags of a command that had another name: the name of now by
// the old one. Old names are accepted for one release; -h does not show them.
func renamedFlags(command string) map[string]string {
	return map[string]map[string]string{
		"train": {"net": "model", "limit": "max-train", "dry": "dry-run"},
		"sweep": {"net": "model", "limit": "max-train", "strange": "ood", "attacked": "attack-examples", "json": "o"},
		"experiment": {"net": "model", "limit": "max-train", "dry": "dry-run", "strange": "ood", "outside": "ood-datasets",
			"detection": "ood-examples", "attacked": "attack-examples", "worst": "ensemble-examples",
			"choose-by": "select-by", "choose-seeds": "select-seeds"},
		"bench": {"net": "model", "at-once": "steps-per-call", "times": "repeats", "peer": "compare",
			"against": "reference-device", "json": "o"},
		"measure": {"json": "o"},
		"predict": {"fit": "refit"},
		"serve":   {"fit": "image-fit"},
	}[command]
}

// use is how a flag is given.
type use struct{ name, value string }

// current returns the arguments with the flags' names of now, and adds those flags to given. A flag
// that is given again with another value, which package flag would take in place of the first without a word,
// is an error, under one name or two. An argument that is no flag, or one that nobody
// defined, ends it: it is for package flag. ended says that it is --, after which no argument is a flag.
func current(fs *flag.FlagSet, args []string, renamed map[string]string, given map[string]use) (renewed []string, ended bool, err error) {
	args = slices.Clone(args)
	for i := 0; i < len(args); i++ {
		name, value, assigned := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(args[i], "-"), "-"), "=")
		now := cmp.Or(renamed[name], name)
		f := fs.Lookup(now)
		if f == nil || !strings.HasPrefix(args[i], "-") {
			return args, args[i] == "--", nil
		}
		if now != name {
			args[i] = "-" + now
			if assigned {
				args[i] += "=" + value
			}
		}
		if !assigned && isBool(f) {
			value = "true"
		} else if !assigned {
			if i++; i == len(args) {
				break // its value is missing
			}
			value = args[i]
		}
		before, twice := given[now]
		given[now] = use{name, value}
		_, addsUp := f.Value.(repeatable)
		switch {
		case !twice || before.value == value:
		case before.name != name:
			return nil, false, fmt.Errorf("-%s and -%s are one flag, given as %q and as %q: leave one out", before.name, name, before.value, value)
		case !addsUp:
			return nil, false, fmt.Errorf("-%s is given twice, as %q and as %q: leave one out", name, before.value, value)
		}
	}
	return args, false, nil
}

func isBool(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}
