package notebook

import (
	"testing"
)

func TestFailure(t *testing.T) {
	stderr := func(s string) Output { return Output{Kind: "stream", Name: "stderr", Text: text(s)} }
	for _, test := range []struct {
		name    string
		outputs []Output
		want    string
	}{
		{"nothing", nil, ""},
		{"output", []Output{{Kind: "stream", Name: "stdout", Text: "exit status 1\n"}}, ""},
		{"a log line", []Output{stderr("2026/01/02 epoch 3: exit status 1 would be bad\n")}, ""},
		{"an error", []Output{{Kind: "error", Value: "exit status 2"}}, "exit status 2"},
		{"an error without a value", []Output{{Kind: "error", EName: "AssertionError"}}, "AssertionError"}, // Python's assert
		{"an error without words", []Output{{Kind: "error"}}, "error"},
		{"an error with its cause", []Output{stderr("panic: boom\n"), {Kind: "error", Value: "exit status 2"}}, "exit status 2\npanic: boom"},
		{"a shell line", []Output{stderr("exit status 7\n")}, "exit status 7"},
		{"a shell line that says why", []Output{stderr("ls: no such file\nexit status 2\n")}, "exit status 2\nls: no such file\nexit status 2"},
		{"a shell line that is killed", []Output{stderr("signal: killed\n")}, "signal: killed"},
		{"a shell line that crashes", []Output{stderr("signal: segmentation fault (core dumped)\n")}, "signal: segmentation fault (core dumped)"},
		{"a shell line that aborts on macOS", []Output{stderr("signal: abort trap\n")}, "signal: abort trap"},
		{"a strong signal", []Output{stderr("signal: strong\n")}, ""},
		{"a measured signal", []Output{stderr("signal: 3.2 dB\n")}, ""},
		{"an unknown command", []Output{stderr(`"%matplotlib" unknown or not implemented yet.`)}, `"%matplotlib" unknown or not implemented yet.`},
	} {
		if got := Failure(test.outputs); got != test.want {
			t.Errorf("%s: %q, not %q", test.name, got, test.want)
		}
	}
}
