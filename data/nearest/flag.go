package nearest

import (
	"flag"
	"fmt"
	"strings"
	"time"
)

// Flag explains an error of package flag: a flag that is not defined gets a hint, and a
// value that cannot be parsed the kind of value that the flag takes.
func Flag(flags *flag.FlagSet, err error) error {
	if err == nil {
		return nil
	}
	wrong, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !ok {
		return parseError(flags, err)
	}
	var known []string
	flags.VisitAll(func(f *flag.Flag) { known = append(known, f.Name) })
	if name := Name(strings.TrimLeft(wrong, "-"), known); name != "" {
		return fmt.Errorf("there is no flag -%s (did you mean -%s?)", printable(wrong), name)
	}
	return fmt.Errorf("there is no flag -%s", printable(wrong))
}

// parseError says what the flag takes where package flag says "parse error".
func parseError(flags *flag.FlagSet, err error) error {
	what, ok := strings.CutSuffix(err.Error(), ": parse error")
	if !ok {
		return err
	}
	flags.VisitAll(func(f *flag.Flag) {
		value, ok := f.Value.(flag.Getter)
		if !ok || !strings.HasSuffix(what, " -"+f.Name) {
			return
		}
		switch value.Get().(type) {
		case time.Duration:
			err = fmt.Errorf("%s; give a duration, as in 5s or 2m", what)
		case int, int64, uint, uint64:
			err = fmt.Errorf("%s; give a whole number", what)
		case float64:
			err = fmt.Errorf("%s; give a number", what)
		case bool:
			err = fmt.Errorf("%s; give true or false", what)
		}
	})
	return err
}

// printable is a name that a terminal shows as it is.
func printable(s string) string { return strings.Trim(fmt.Sprintf("%q", s), `"`) }
