package publish

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"ngebm/data/testerror"
	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/notebook"
	"ngebm/notebooks/internal/notebooktest"
)

// Outputs are stored only in notebooks that nobody has saved meanwhile: if one has changed, in none.
func TestWriteBack(t *testing.T) {
	folder := t.TempDir()
	var paths []string
	var executed []source
	for _, name := range []string{"a", "b"} {
		path := filepath.Join(folder, name+".ipynb")
		notebooktest.Write(t, path, "# "+name, "f()")
		before, err := notebook.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		with := sourceOf(t, folder, name, map[string]any{"cell_type": "code", "source": "f()", "outputs": []any{}, "metadata": map[string]any{}, "execution_count": 1})
		with.read = before.Raw
		with.doc.Raw = []byte(`{"executed": "` + name + `"}`)
		paths, executed = append(paths, path), append(executed, with)
	}
	content := func(path string) string {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	notebooktest.Write(t, paths[1], "# edited", "g()")
	first, second := content(paths[0]), content(paths[1])
	testerror.Want(t, writeBack(executed, paths, display.New(io.Discard)), "b.ipynb was changed while it ran", "run publish -w again")
	if content(paths[0]) != first || content(paths[1]) != second {
		t.Error("a notebook was written")
	}
	executed[1].read = []byte(second)
	if err := writeBack(executed, paths, display.New(io.Discard)); err != nil || content(paths[1]) != `{"executed": "b"}` {
		t.Errorf("%v: %s", err, content(paths[1]))
	}
}
