package printable

import (
	"testing"

	"ngebm/data/plain"
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
		if got := plain.Text(in); got != want {
			t.Errorf("%q: %s, not %s", in, got, want)
		}
	}
	if got := Plain("a\x1b[31mred\x1b[0m\n\tb\r\nc\x1b[2J"); got != "ared\n    b\nc\\x1b[2J" {
		t.Errorf("%q", got)
	}
}
