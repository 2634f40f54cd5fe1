package systemtest

import (
	"os/exec"
	"strings"
	"testing"
)

// What the command line says reaches the commands: that a notebook is missing is found
// after the flags were read, and before anything is set up.
func TestCommandLine(t *testing.T) {
	program := built(t)
	for args, says := range map[string]string{
		"publish -o site none":            `no notebook "none"; there are: `,
		"-w publish none -timeout 10s b":  `no notebook "none"; there are: `,
		"publish -html-only -o site none": `no notebook "none"; there are: `,

		"open":                            `unknown command "open"`,
		"setup now":                       `unexpected "now" after setup`,
		"setup -port 3":                   "-port has no meaning for setup",
		"-o site":                         "-o has no meaning for lab",
		"publish":                         "publish needs -o DIR for pages, or -w",
		"publish -o s -port 80":           "-port has no meaning for publish",
		"-port 70000":                     "-port 70000: a port is a number from 1 to 65535",
		"-port x":                         `invalid value "x"`,
		"publish -o s -timeout 0s":        "must be above zero",
		"publish -w -html-only":           "-html-only runs nothing: leave out -w and -force",
		"-force":                          "-force has no meaning for lab",
		"publish -o s -html-only -jobs 8": "-html-only runs nothing: leave out -jobs",
		"-nobrowser":                      "there is no flag -nobrowser (did you mean -no-browser?)",
	} {
		out, err := exec.Command(program, strings.Fields(args)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), says) {
			t.Errorf("%q: %v, it says\n%s\nnot %q", args, err, out, says)
		}
	}
}

func TestHelp(t *testing.T) {
	out, err := exec.Command(built(t), "-h").Output()
	if err != nil {
		t.Error(err)
	}
	for _, want := range []string{"go run ./notebooks publish -o site", "-no-browser", "longest T a single cell may take (default 5m0s)"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("help lacks %q:\n%s", want, out)
		}
	}
}
