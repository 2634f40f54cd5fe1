// Package printable makes text from outside safe and short enough for a terminal.
package printable

import (
	"errors"
	"io/fs"
	"net/url"
	"regexp"
	"strings"

	"ngebm/data/plain"
)

// Shorten cuts a line of code to what fits a progress line.
func Shorten(line string) string {
	const most = 50
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return line
}

var percent = regexp.MustCompile(`(?:%[0-9A-Fa-f]{2})+`)

// UnescapePercent decodes what is written as in addresses and leaves the rest.
func UnescapePercent(text string) string {
	return percent.ReplaceAllStringFunc(text, func(s string) string {
		if decoded, err := url.PathUnescape(s); err == nil {
			return decoded
		}
		return s
	})
}

// Cause is an error without the path, which others might not print safely.
func Cause(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Plain is [plain.Text] of each line, without colors.
func Plain(s string) string {
	lines := strings.Split(StripColors(s), "\n")
	for i, line := range lines {
		lines[i] = plain.Text(strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

var colors = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// StripColors takes a terminal's color codes out of a text.
func StripColors(s string) string { return colors.ReplaceAllString(s, "") }
