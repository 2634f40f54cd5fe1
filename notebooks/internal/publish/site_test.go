package publish

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ngebm/notebooks/internal/display"
	"ngebm/notebooks/internal/notebooktest"
	"ngebm/notebooks/internal/setup"
)

// Where a part of a site cannot be made, none of it is written.
func TestSiteIsWhole(t *testing.T) {
	root := t.TempDir()
	broken := filepath.Join(root, "plots", "broken.go")
	for _, err := range []error{os.Mkdir(filepath.Dir(broken), 0o755), os.WriteFile(broken, []byte("package"), 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	site := filepath.Join(root, "site")
	sources := []source{sourceOf(t, root, "n", notebooktest.Markdown("# T"))}
	err := Site(t.Context(), &setup.Workspace{Root: root}, pageTools(t), sources, site, "", display.New(io.Discard))
	if err == nil || notebooktest.Exists(site) || !strings.Contains(err.Error(), broken) {
		t.Errorf("without a gallery: %v, there is a site: %t", err, notebooktest.Exists(site))
	}
	if _, err := mathjaxFor([]*page{{}, {Formulas: true, Mathjax: filepath.Join(root, "none.js")}}); err == nil {
		t.Error("no error without MathJax")
	}
}
