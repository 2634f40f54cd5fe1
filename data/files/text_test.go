package files_test

import (
	"testing"

	"ngebm/data/files"
)

func TestWithoutFolders(t *testing.T) {
	for text, want := range map[string]string{
		"xla:/home/me/.cache/cpu.so - PJRT (/home/me/.cache/cpu.so) v0.106": "xla:cpu.so - PJRT (cpu.so) v0.106",
		"/etc/passwd":       "passwd",
		"3/4 of it, and/or": "3/4 of it, and/or",
		"linux/amd64":       "linux/amd64",
		"xla:/Users/Jane Doe/.cache/cpu.so - PJRT (/Users/Jane Doe/.cache/cpu.so) v0.106": "xla:cpu.so - PJRT (cpu.so) v0.106",
		"/Users/jane/Library/Application Support/a  b/cpu.so at /opt/x/y":                 "cpu.so at y",
		"/a/b.so: open and/or close, a / b / c":                                           "b.so: open and/or close, a / b / c",
		`open "/a/b c": gone`:                                                             `open "b c": gone`,
	} {
		if got := files.WithoutFolders(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
