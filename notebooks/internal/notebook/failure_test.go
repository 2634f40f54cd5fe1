package notebook

import (
	"encoding/json"
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
		if got := Failure(2, test.outputs); got != test.want {
			t.Errorf("%s: %q, not %q", test.name, got, test.want)
		}
	}
}

// Errors of the compiler name lines of cells. The outputs are those of GoNB v0.11.5 with -raw_error.
func TestCompilerErrors(t *testing.T) {
	for _, test := range []struct{ name, output, want string }{
		{
			"two errors",
			`{"evalue": "# gonb_a9c016f6\n./main.go:13:5: declared and not used: n\n./main.go:13:13: cannot use \"x\" (untyped string constant) as int value in variable declaration\n", "traceback": [
				"# gonb_a9c016f6",
				"Cell[2]: Line 4\n\tflag.Parse()\nfmt.Println(1)\n\nvar n int = \"x\"\n    ^\nm := 3\n\n\n\u001b[31mdeclared and not used: n\u001b[0m",
				"Cell[2]: Line 4\n\tflag.Parse()\nfmt.Println(1)\n\nvar n int = \"x\"\n            ^\nm := 3\n\n\ncannot use \"x\" (untyped string constant) as int value in variable declaration",
				""]}`,
			"line 4: declared and not used: n\nline 4: cannot use \"x\" (untyped string constant) as int value in variable declaration",
		},
		{
			"in an earlier cell",
			`{"evalue": "# gonb_a9c016f6\n./main.go:9:26: cannot use g()\n", "traceback": ["# gonb_a9c016f6", "Cell[1]: Line 3\nfunc h() string { return g() }\n                         ^\n\ncannot use g()", ""]}`,
			"cell 1, line 3: cannot use g()",
		},
		{
			"a syntax error",
			`{"evalue": "/tmp/k3/gonb_a9c016f6/main.go:6:17: missing ',' before newline in argument list (and 2 more errors)", "traceback": ["Cell[2]: Line 4\nimport \"fmt\"\n\nfunc f() {\n\tfmt.Println(\"a\"\n                ^\n}\n\n\nmissing ',' before newline in argument list (and 2 more errors)"]}`,
			"line 4: missing ',' before newline in argument list (and 2 more errors)",
		},
		{
			"an import, with advice",
			`{"evalue": "main.go:5:2: no required module provides package nosuch.example/pkg; to add it:\n\tgo get nosuch.example/pkg\n", "traceback": ["Cell[2]: Line 1\n\nimport (\n\t\"flag\"\n\t\"nosuch.example/pkg\"\n ^\n)\n\n\nno required module provides package nosuch.example/pkg; to add it:", "\tgo get nosuch.example/pkg", ""]}`,
			"line 1: no required module provides package nosuch.example/pkg; to add it:\n\tgo get nosuch.example/pkg",
		},
		{
			"a generated line", // at the end of main, which GoNB closes
			`{"evalue": "/tmp/k3/gonb_a9c016f6/main.go:9:3: expected '}', found 'EOF'", "traceback": ["if true {\n\n\n}\n  ^\n\n\nexpected '}', found 'EOF'"]}`,
			"/tmp/k3/gonb_a9c016f6/main.go:9:3: expected '}', found 'EOF'",
		},
		{"no traceback of the compiler", `{"evalue": "exit status 2", "traceback": ["exit status 2"]}`, "exit status 2"},
	} {
		output := Output{Kind: "error"}
		if err := json.Unmarshal([]byte(test.output), &output); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if got := Failure(2, []Output{output}); got != test.want {
			t.Errorf("%s: %q, not %q", test.name, got, test.want)
		}
	}
}
