package main

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain returns a text from outside, as the name of a file is, in a form that is one line
// and steers no terminal: what is not printable is written as Go would.
func plain(s string) string {
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	if utf8.ValidString(s) && strings.IndexFunc(s, odd) < 0 {
		return s
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// plainLines is plain of each line, without colors.
func plainLines(s string) string {
	lines := strings.Split(colours.ReplaceAllString(s, ""), "\n")
	for i, line := range lines {
		lines[i] = plain(strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", "    "))
	}
	return strings.Join(lines, "\n")
}
