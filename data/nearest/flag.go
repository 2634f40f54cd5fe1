package nearest

import (
	"flag"
	"fmt"
	"strings"
)

// Flag adds a hint to the error of a flag that is not defined.
func Flag(flags *flag.FlagSet, err error) error {
	if err == nil {
		return nil
	}
	wrong, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !ok {
		return err
	}
	var known []string
	flags.VisitAll(func(f *flag.Flag) { known = append(known, f.Name) })
	if name := Name(strings.TrimLeft(wrong, "-"), known); name != "" {
		return fmt.Errorf("there is no flag -%s (did you mean -%s?)", printable(wrong), name)
	}
	return fmt.Errorf("there is no flag -%s", printable(wrong))
}

// printable is a name that a terminal shows as it is.
func printable(s string) string { return strings.Trim(fmt.Sprintf("%q", s), `"`) }
