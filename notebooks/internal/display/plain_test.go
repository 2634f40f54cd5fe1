package display

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode"
)

// Nothing that a notebook, a file's name or a program says steers the terminal.
func TestDisplayIsPlain(t *testing.T) {
	var out bytes.Buffer
	d := New(&out)
	d.Say("%s: %v", "a\x1b]0;x\x07.ipynb", errors.New("b\x1b[2J\x9bc"))
	if strings.IndexFunc(out.String(), func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) >= 0 {
		t.Errorf("%q", out.String())
	}
}
