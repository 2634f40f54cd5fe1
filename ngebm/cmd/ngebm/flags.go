package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"ngebm/data/nearest"
)

// flagSet returns the flags of a command, whose -h shows what it does and an example.
func flagSet(name, about, example string) *flag.FlagSet {
	fs := flag.NewFlagSet("ngebm "+name, flag.ContinueOnError)
	fs.Usage = func() {
		fmt.Fprintf(fs.Output(), "%s\n\nexample: %s\n\n", about, example)
		printFlags(fs)
	}
	return fs
}

// printFlags explains the flags. One without an explanation is not for people.
func printFlags(fs *flag.FlagSet) {
	shown := flag.NewFlagSet(fs.Name(), flag.ContinueOnError)
	shown.SetOutput(fs.Output())
	fs.VisitAll(func(f *flag.Flag) {
		if f.Usage != "" {
			shown.Var(f.Value, f.Name, f.Usage)
			shown.Lookup(f.Name).DefValue = f.DefValue
		}
	})
	shown.PrintDefaults()
}

// parse reads the arguments. An unknown flag is an error that names a similar one. Help is
// printed to the standard error.
func parse(fs *flag.FlagSet, args []string) error {
	_, err := parseAfter(fs, args, map[string]use{})
	return err
}

// parseAfter is parse after arguments that gave some flags already. It adds those that it finds. ended
// says that -- ended the flags.
func parseAfter(fs *flag.FlagSet, args []string, given map[string]use) (ended bool, err error) {
	help := fs.Usage
	defer func() { fs.Usage = help }()
	fs.SetOutput(io.Discard) // package flag prints the arguments as they are
	fs.Usage = func() {}
	args, ended, err = current(fs, args, renamedFlags(strings.TrimPrefix(fs.Name(), "ngebm ")), given)
	if err == nil {
		err = nearest.Flag(fs, fs.Parse(args))
	}
	if err == nil {
		err = refuseEmpty(fs)
	}
	if errors.Is(err, flag.ErrHelp) {
		fs.SetOutput(os.Stderr)
		help()
		return false, err
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w; -h explains the flags", fs.Name(), err)
	}
	return ended, nil
}

// neverEmpty are flags that say what is done or where its results are stored. An empty value, as of a
// shell's variable that is not set, would do other work, or lose results, without a word.
var neverEmpty = []string{"data", "model", "method", "continue", "part", "compare", "runs", "cache", "o", "onnx", "safetensors"}

// refuseEmpty refuses an empty value of one of these.
func refuseEmpty(fs *flag.FlagSet) (err error) {
	fs.Visit(func(f *flag.Flag) {
		if f.Value.String() == "" && slices.Contains(neverEmpty, f.Name) {
			err = fmt.Errorf("-%s is given an empty value; give another, or leave the flag out", f.Name)
		}
	})
	return err
}

// given are the names of the flags that the command line, or a plan, has set.
func given(fs *flag.FlagSet) map[string]bool {
	names := map[string]bool{}
	fs.Visit(func(one *flag.Flag) { names[one.Name] = true })
	return names
}

// parseAmong is parse for a command with other arguments, before, after and between the flags. It
// returns these. All that follows -- is among them.
func parseAmong(fs *flag.FlagSet, args []string) (others []string, err error) {
	given := map[string]use{}
	for {
		ended, err := parseAfter(fs, args, given)
		if err != nil {
			return nil, err
		}
		if ended || fs.NArg() == 0 {
			return append(others, fs.Args()...), nil
		}
		others, args = append(others, fs.Arg(0)), fs.Args()[1:]
	}
}

// repeatable is the value of a flag that may be given again.
type repeatable interface{ repeatable() }

// several is the value of a flag that may be given many times.
type several []string

// String returns nothing: there is no default.
func (s *several) String() string { return "" }

// Set adds a value.
func (s *several) Set(more string) error {
	*s = append(*s, more)
	return nil
}

func (s *several) repeatable() {}

// list is the value of a flag that takes a list. Given again, it adds to what was given
// before; the first time it replaces the default.
type list struct {
	text      *string
	separator string
	given     bool
}

// listVar defines a flag that takes a list with that separator.
func listVar(fs *flag.FlagSet, text *string, name, byDefault, separator, usage string) {
	*text = byDefault
	fs.Var(&list{text: text, separator: separator}, name, usage+"; may be repeated to add more")
}

func (l *list) repeatable() {}

// String returns the list as text.
func (l *list) String() string {
	if l.text == nil { // package flag asks an empty one for what no default is
		return ""
	}
	return *l.text
}

// Set adds to the list.
func (l *list) Set(more string) error {
	switch {
	case !l.given:
		*l.text = more
	case strings.TrimSpace(*l.text) == "":
		*l.text = more
	case strings.TrimSpace(more) != "":
		*l.text += l.separator + more
	}
	l.given = true
	return nil
}
