package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"ngebm/data/nearest"
)

// flagSet returns a flag set whose -h shows about and an example.
func flagSet(name, about, example string) *flag.FlagSet {
	fs := flag.NewFlagSet("ngebm "+name, flag.ContinueOnError)
	fs.Usage = func() {
		fmt.Fprintf(fs.Output(), "%s\n\nexample: %s\n\n", about, example)
		fs.PrintDefaults()
	}
	return fs
}

// parse reads the arguments, and says which flag was meant by one that is none. Help goes
// to the standard error.
func parse(fs *flag.FlagSet, args []string) error {
	help := fs.Usage
	fs.SetOutput(io.Discard) // package flag prints the arguments as they are
	fs.Usage = func() {}
	err := nearest.Flag(fs, fs.Parse(args))
	if err == nil {
		err = givenOnce(fs, args)
	}
	if errors.Is(err, flag.ErrHelp) {
		fs.SetOutput(os.Stderr)
		help()
		return err
	}
	if err != nil {
		return fmt.Errorf("%s: %w; -h explains the flags", fs.Name(), err)
	}
	return nil
}

// repeatable is the value of a flag that may be given again.
type repeatable interface{ repeatable() }

// givenOnce refuses a flag that is given again with another value, which package flag
// would take in place of the first without a word.
func givenOnce(fs *flag.FlagSet, args []string) error {
	given := map[string]string{}
	for i := 0; i < len(args)-fs.NArg(); i++ {
		name, value, assigned := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		f := fs.Lookup(name)
		if f == nil {
			return nil // the end of the flags, --
		}
		if b, ok := f.Value.(interface{ IsBoolFlag() bool }); !assigned && !(ok && b.IsBoolFlag()) {
			i++
			value = args[i]
		}
		if _, ok := f.Value.(repeatable); ok {
			continue
		}
		if before, twice := given[name]; twice && before != value {
			return fmt.Errorf("-%s is given twice, as %q and as %q: leave one out", name, before, value)
		}
		given[name] = value
	}
	return nil
}

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
// before; the first time it takes the place of the default.
type list struct {
	text      *string
	separator string
	given     bool
}

// listVar defines a flag that takes a list with that separator.
func listVar(fs *flag.FlagSet, text *string, name, byDefault, separator, usage string) {
	*text = byDefault
	fs.Var(&list{text: text, separator: separator}, name, usage+"; more of them where the flag is given again")
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
