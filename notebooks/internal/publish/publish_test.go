package publish

import (
	"path/filepath"
	"strings"
	"testing"

	"ngebm/notebooks/internal/notebooktest"
)

func TestPublishNames(t *testing.T) {
	folder := t.TempDir()
	o := Options{}
	if err := o.Find(folder); err == nil || !strings.Contains(err.Error(), "no notebooks") {
		t.Errorf("an empty folder: %v", err)
	}
	for _, name := range []string{"b", "a"} {
		notebooktest.Write(t, filepath.Join(folder, name+".ipynb"))
	}
	if err := o.Find(folder); err != nil || strings.Join(BaseNames(o.paths), " ") != "a b" {
		t.Errorf("all notebooks: %v %v", o.paths, err)
	}
	o = Options{Names: []string{"b", filepath.Join(folder, "a.ipynb")}}
	if err := o.Find(folder); err != nil || strings.Join(BaseNames(o.paths), " ") != "b a" {
		t.Errorf("by name: %v %v", o.paths, err)
	}
	o = Options{Names: []string{"c"}}
	if err := o.Find(folder); err == nil || err.Error() != `no notebook "c"; there are: a, b` {
		t.Errorf("a wrong name: %v", err)
	}
	o = Options{Names: []string{"a", "a.ipynb"}}
	if err := o.Find(folder); err == nil || !strings.Contains(err.Error(), "is named twice") {
		t.Errorf("a name twice: %v", err)
	}
}
