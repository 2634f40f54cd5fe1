package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"ngebm/data/files"
	"ngebm/data/plain"
)

var plainWord = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// shellQuote is an argument of a command that is printed to be pasted into a shell. Untrusted text
// in it stays one argument.
func shellQuote(argument string) string {
	argument = plain.Text(argument)
	if plainWord.MatchString(argument) {
		return argument
	}
	return "'" + strings.ReplaceAll(argument, "'", `'\''`) + "'"
}

// outFlag defines -o, by which a command writes JSON.
func outFlag(fs *flag.FlagSet) *string {
	return fs.String("o", "", "`file` to write the results to as JSON, in addition to the printed table; - prints the JSON instead of the table")
}

// checkOut reports a file that cannot be written, before hours of work, and one that would replace an
// input. It changes nothing.
func checkOut(command, file string, inputs ...string) error {
	if file == "" || file == "-" {
		return nil
	}
	if _, err := os.Stat(filepath.Dir(file)); err != nil {
		return fmt.Errorf("ngebm %s: -o %q: its folder does not exist; create it, or choose another file", command, file)
	}
	if slices.ContainsFunc(inputs, func(path string) bool { return files.Same(path, file) }) {
		return fmt.Errorf("ngebm %s: -o names the input %q, which would be lost; name another file", command, file)
	}
	p, err := files.Create(file, 0o644)
	if err != nil {
		return fmt.Errorf("ngebm %s: -o cannot be written: %w; name another file", command, err)
	}
	p.Discard()
	return nil
}

// forPart is the file for a part of the results: none if it is there, since it may be whole.
func forPart(file string) string {
	if _, err := os.Stat(file); err == nil && file != "-" {
		return ""
	}
	return file
}

// samePath is files.Same, also for one that is not there yet.
func samePath(a, b string) bool {
	first, err := filepath.Abs(a)
	second, otherErr := filepath.Abs(b)
	return files.Same(a, b) || err == nil && otherErr == nil && first == second
}

// output writes results as JSON to a file if one is named, and prints them as a table, also
// where the file or the JSON cannot be written; to the file - it prints the JSON.
func output(stdout io.Writer, command, file string, results any, table func(io.Writer) error) error {
	if file == "" {
		return table(stdout)
	}
	b, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return errors.Join(fmt.Errorf("ngebm %s: %w", command, err), table(stdout))
	}
	b = append(b, '\n')
	if file == "-" {
		_, err = stdout.Write(b)
		return err
	}
	if err := files.WriteFile(file, b, 0o644); err != nil {
		return errors.Join(fmt.Errorf("ngebm %s: cannot write the results: %w", command, err), table(stdout))
	}
	return table(stdout)
}
