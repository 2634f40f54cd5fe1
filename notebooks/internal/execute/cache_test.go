package execute

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ngebm/notebooks/internal/notebooktest"
	"ngebm/notebooks/internal/setup"
)

// A key follows the notebook's text and the module's files that its cells import,
// with what those import and embed, and neither outputs nor other files.
func TestKey(t *testing.T) {
	root := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module ngebm\n\ngo 1.26\n")
	write("plots/p.go", "package plots\n\nimport _ \"ngebm/data\"\n")
	write("data/d.go", "package data\n\nimport _ \"embed\"\n\n//go:embed set.csv\nvar _ string\n")
	write("data/set.csv", "1,2\n")
	write("data/d_test.go", "package data\n")
	write("other/o.go", "package other\n")
	write("ngebm/cmd/ngebm/m.go", "package main\n\nfunc main() {}\n")
	path := filepath.Join(root, "n.ipynb")
	notebook := func(text string) {
		notebooktest.Write(t, path, "# "+text, "import \"ngebm/plots\"", "!go run ngebm/none", "!cd .. && go run ./ngebm/cmd/ngebm -h")
	}
	notebook("Title")

	k := &Cache{Workspace: &setup.Workspace{Root: root, Pins: "pins"}}
	key := func() string {
		t.Helper()
		s, err := k.Key(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	own := func(name string, value any) func() {
		return func() {
			notebooktest.Change(t, path, func(doc map[string]any) {
				metadata := doc["metadata"].(map[string]any)
				ours, _ := metadata["ngebm"].(map[string]any)
				if ours == nil {
					ours = map[string]any{}
				}
				ours[name], metadata["ngebm"] = value, ours
			})
		}
	}
	last := key()
	for _, step := range []struct {
		what    string
		change  func()
		changes bool
	}{
		{"nothing", func() {}, false},
		{"a test", func() { write("data/d_test.go", "package data // more\n") }, false},
		{"a package that is not imported", func() { write("other/o.go", "package other // more\n") }, false},
		{"outputs", func() { giveOutputs(t, path) }, false},
		{"what executed it", own("code", "0123456789ab"), false},
		{"that it runs alone", own("alone", true), true},
		{"an imported package", func() { write("plots/p.go", "package plots\n\nimport _ \"ngebm/data\"\n// more\n") }, true},
		{"a package that it imports", func() {
			write("data/d.go", "package data\n\nimport _ \"embed\"\n\n//go:embed set.csv\nvar Set string\n")
		}, true},
		{"a command that is run by its folder", func() { write("ngebm/cmd/ngebm/m.go", "package main\n\nfunc main() { println() }\n") }, true},
		{"embedded data", func() { write("data/set.csv", "1,3\n") }, true},
		{"text", func() { notebook("Another title") }, true},
		{"go.mod, go.sum or the Go release", func() { k.Workspace.Pins = "others" }, true},
		{"the device", func() { t.Setenv("NGEBM_DEVICE", "go") }, true},
	} {
		step.change()
		if now := key(); (now != last) != step.changes {
			t.Errorf("%s: the key has changed: %t", step.what, now != last)
		} else {
			last = now
		}
	}
}

// giveOutputs makes a notebook one that has run.
func giveOutputs(t *testing.T, path string) {
	t.Helper()
	notebooktest.Change(t, path, func(doc map[string]any) {
		doc["metadata"].(map[string]any)["language_info"] = map[string]any{"name": "go"}
		for i, c := range doc["cells"].([]any) {
			if c := c.(map[string]any); c["cell_type"] == "code" {
				c["execution_count"] = i
				c["outputs"] = []any{map[string]any{"output_type": "stream", "name": "stdout", "text": []any{"done\n"}}}
				c["source"] = []any{c["source"]} // in lines, as others write it
			}
		}
	})
}

// What was executed is found again by its key alone; the oldest ones are forgotten;
// one that would tell a token is not used.
func TestKeeper(t *testing.T) {
	dir := t.TempDir()
	k := &Cache{Workspace: &setup.Workspace{Cache: dir}, Reuse: true}
	executed, target := filepath.Join(dir, "n.ipynb"), filepath.Join(dir, "target.ipynb")
	keys := []string{"aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc", "dddddddddddd"}
	for i, key := range keys {
		notebooktest.Write(t, executed, "# "+key)
		if err := k.Store("x/n.ipynb", key, executed); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(i-10) * time.Minute)
		if err := os.Chtimes(k.file("n.ipynb", key), at, at); err != nil {
			t.Fatal(err)
		}
	}
	for i, key := range keys {
		if got, want := k.Fetch("elsewhere/n.ipynb", key, target), i > 0; got != want {
			t.Errorf("%s is found: %t", key, got)
		}
	}
	if raw, err := os.ReadFile(target); err != nil || !strings.Contains(string(raw), keys[3]) {
		t.Errorf("the last one is not what was stored (%v)", err)
	}
	if k.Fetch("n-b.ipynb", keys[3], target) || (&Cache{Workspace: k.Workspace}).Fetch("n.ipynb", keys[3], target) {
		t.Error("found under another name, or with -force")
	}
	notebooktest.Write(t, executed, "# token="+strings.Repeat("a1", 10))
	if err := k.Store("n.ipynb", keys[0], executed); err != nil {
		t.Fatal(err)
	}
	if k.Fetch("n.ipynb", keys[0], target) {
		t.Error("one with a token is used")
	}
}
