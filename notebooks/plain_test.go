package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"00_start_here.ipynb":     "00_start_here.ipynb",
		`say "hi" Größe 日本`:       `say "hi" Größe 日本`,
		"a\x1b]0;pwned\x07":       `a\x1b]0;pwned\a`,
		"a\nnotebooks: published": `a\nnotebooks: published`,
		"\x9b2J":                  `\x9b2J`,
		"\u009b2J":                `\u009b2J`,
		"a\u202eb":                `a\u202eb`,
	} {
		if got := plain(in); got != want {
			t.Errorf("%q: %s, not %s", in, got, want)
		}
	}
	if got := plainLines("a\x1b[31mred\x1b[0m\n\tb\r\nc\x1b[2J"); got != "ared\n    b\nc\\x1b[2J" {
		t.Errorf("%q", got)
	}
}

// Nothing that a notebook, a file's name or a program says steers the terminal.
func TestDisplayIsPlain(t *testing.T) {
	var out bytes.Buffer
	d := &display{out: &out}
	d.say("%s: %v", "a\x1b]0;x\x07.ipynb", errors.New("b\x1b[2J\x9bc"))
	name := &cellError{"n\n\x1b[2J.ipynb", 1, "line\x1b[2J", "reason"}
	if strings.IndexFunc(out.String(), func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) >= 0 {
		t.Errorf("%q", out.String())
	}
	if got := name.Error(); got != `n\n\x1b[2J.ipynb: cell 1 (line\x1b[2J): reason` {
		t.Errorf("%q", got)
	}
}
