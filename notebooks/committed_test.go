package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kernelNote is the first line of a notebook's first cell, which is what fails under a Go
// kernel that was not started by this repository's program and finds none of its packages.
const kernelNote = `// If a package is "not in std", open this notebook with: go run ./notebooks`

// What is committed can be opened by anyone: the Go kernel and a word on where it comes
// from, no cell that sets up a workspace, which that kernel does, pictures that every
// viewer shows, no large files, and nothing of the machine that it ran on.
func TestCommittedNotebooks(t *testing.T) {
	paths, err := filepath.Glob("*.ipynb")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no notebooks: %v", err)
	}
	p, err := newPlace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		doc, err := readNotebook(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if name := doc.Metadata.Kernelspec.Name; name != "gonb" {
			t.Errorf("%s: the kernel is %q, not gonb", path, name)
		}
		cells := doc.codeCells()
		if len(cells) == 0 || cells[0].firstLine() != kernelNote {
			t.Errorf("%s: the first code cell does not begin with\n%s", path, kernelNote)
		}
		if title, summary := introduction(doc); title == "" || summary == "" {
			t.Errorf("%s: no title (# …) with a paragraph after it, which the index of pages shows", path)
		}
		if err := tells(p, path, doc); err != nil {
			t.Error(err)
		}
		for i, c := range cells {
			if strings.Contains(string(c.Source), "go work") || strings.Contains(string(c.Source), "%noautoget") {
				t.Errorf("%s: cell %d sets up what the kernel is started with", path, i+1)
			}
			for _, o := range c.Outputs {
				for mime := range o.Data {
					if strings.HasPrefix(mime, "image/") && mime != "image/png" || strings.Contains(mime, "javascript") {
						t.Errorf("%s: cell %d shows %s, which not every viewer does: draw a PNG", path, i+1, mime)
					}
				}
			}
		}
		if info, err := os.Stat(path); err != nil || info.Size() >= 1<<20 {
			t.Errorf("%s: 1 MB or more (%v)", path, err)
		}
	}
}

func TestFailure(t *testing.T) {
	stderr := func(s string) output { return output{Kind: "stream", Name: "stderr", Text: text(s)} }
	for _, test := range []struct {
		name    string
		outputs []output
		want    string
	}{
		{"nothing", nil, ""},
		{"output", []output{{Kind: "stream", Name: "stdout", Text: "exit status 1\n"}}, ""},
		{"a log line", []output{stderr("2026/01/02 epoch 3: exit status 1 would be bad\n")}, ""},
		{"an error", []output{{Kind: "error", Value: "exit status 2"}}, "exit status 2"},
		{"an error with its cause", []output{stderr("panic: boom\n"), {Kind: "error", Value: "exit status 2"}}, "exit status 2\npanic: boom"},
		{"a shell line", []output{stderr("exit status 7\n")}, "exit status 7"},
		{"a shell line that says why", []output{stderr("ls: no such file\nexit status 2\n")}, "exit status 2\nls: no such file\nexit status 2"},
		{"a shell line that is killed", []output{stderr("signal: killed\n")}, "signal: killed"},
		{"an unknown command", []output{stderr(`"%matplotlib" unknown or not implemented yet.`)}, `"%matplotlib" unknown or not implemented yet.`},
	} {
		if got := failure(test.outputs); got != test.want {
			t.Errorf("%s: %q, not %q", test.name, got, test.want)
		}
	}
}

func TestTellsPath(t *testing.T) {
	t.Setenv("HOME", "/home/ada")
	t.Setenv("TMPDIR", "/var/tmp/x")
	p := &place{root: "/home/ada/my work/ngebm", cache: "/home/ada/.cache/ngebm"}
	for printed, told := range map[string]bool{
		"saved in /home/ada/runs/moons":                true,
		"in /home/ada.":                                true,
		`<td>"/home/ada/my work/ngebm/runs"</td>`:      true,
		"/tmp/gonb_1234/main.go:10":                    true,
		"file:///home/ada/x":                           true,
		"https://example.org/home/ada/x":               false,
		"/home/adam":                                   false,
		"notes/home/ada":                               false,
		"trained in runs/moons-1f2e":                   false,
		"the folder /tmp is for temporary files":       false,
		"<img src=\"data:image/png;base64,AA/tmp/x\">": false,
	} {
		doc := parsed(t, map[string]any{"cell_type": "code", "source": "%%", "outputs": []any{map[string]any{"output_type": "stream", "name": "stdout", "text": printed}}})
		if strings.HasPrefix(printed, "<img") {
			doc = parsed(t, map[string]any{"cell_type": "code", "source": "%%", "outputs": []any{map[string]any{"output_type": "display_data", "data": map[string]any{"text/html": printed}}}})
		}
		if err := tells(p, "n.ipynb", doc); (err != nil) != told {
			t.Errorf("%q: %v", printed, err)
		}
	}
}

func FuzzParseNotebook(f *testing.F) {
	paths, err := filepath.Glob("*.ipynb")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"cells":[{"cell_type":"code","source":[""," x"],"outputs":[{"output_type":"display_data","data":{"text/html":5}}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, err := parseNotebook("n.ipynb", raw)
		if err != nil {
			return
		}
		_, summary := introduction(doc)
		inline(firstSentence(summary))
		toldTime(doc)
		tells(&place{}, "n.ipynb", doc)
		for _, c := range doc.codeCells() {
			if c.firstLine() == "" {
				t.Error("a code cell without a line")
			}
			failure(c.Outputs)
		}
	})
}

func TestDescendants(t *testing.T) {
	table := []process{
		{pid: 1}, {pid: 10, parent: 1, group: 10}, // 10 is the root, in a group of its own …
		{pid: 11, parent: 1, group: 10},  // … which a stranger shares
		{pid: 20, parent: 10, group: 20}, // a child with a group
		{pid: 21, parent: 1, group: 20},  // a grandchild that lost its parent
		{pid: 30, parent: 20, group: 30}, {pid: 31, parent: 30, group: 30, zombie: true},
		{pid: 40, parent: 1, group: 40},
	}
	got := descendants(10, table)
	if len(got) != 3 || got[0] != 20 || got[1] != 21 || got[2] != 30 {
		t.Errorf("descendants %v, not 20 21 30", got)
	}
}
