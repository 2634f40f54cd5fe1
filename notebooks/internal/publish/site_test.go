package publish

import (
	"bytes"
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

// A page of an earlier site is named: if its notebook exists, it can be published again; if not,
// its files can be deleted. Nothing is deleted here.
func TestOldPagesAreNamed(t *testing.T) {
	top := t.TempDir()
	notebooks, elsewhere, out := filepath.Join(top, "notebooks"), filepath.Join(top, "elsewhere"), filepath.Join(top, "site")
	for _, folder := range []string{notebooks, elsewhere, filepath.Join(out, "figures")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"notebooks/20_renamed", "notebooks/say hi", "notebooks/index", "elsewhere/21_more"} {
		notebooktest.Write(t, filepath.Join(top, path+".ipynb"))
	}
	for _, name := range []string{
		"20_renamed.html", "20_renamed.ipynb", "index.html", "gallery.html", // of the new site
		"20_quick.html", "20_quick.ipynb", "figures/20_quick-1.png", "figures/20_quick-1-poster.png", "figures/20_quick-2-1.png",
		"say-hi.html", "say-hi.ipynb", "index-2.html", "index-2.ipynb", "21_more-2.html", "21_more-2.ipynb",
	} {
		if err := os.WriteFile(filepath.Join(out, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	site, err := openSite(out)
	if err != nil {
		t.Fatal(err)
	}
	defer site.close()
	others, err := site.others([]*page{{Name: "20_renamed"}})
	if err != nil {
		t.Fatal(err)
	}
	folders := notebookFolders(&setup.Workspace{Notebooks: notebooks}, []source{{path: filepath.Join(notebooks, "20_renamed.ipynb")}, {path: filepath.Join(elsewhere, "n.ipynb")}})
	var said bytes.Buffer
	if err := site.sayOthers(others, folders, display.New(&said)); err != nil {
		t.Fatal(err)
	}
	want := "Its index no longer has 20_quick, and no notebook in " + elsewhere + ", " + notebooks + " has that name. If it was renamed or deleted, these files in " + out +
		" can be deleted: 20_quick.html, 20_quick.ipynb, figures/20_quick-1-poster.png, figures/20_quick-1.png.\n" +
		"Its index no longer has 21_more-2, index-2, say-hi, pages that were published before: publish all of them together to have all there.\n"
	if said.String() != want {
		t.Errorf("it said\n%s\nnot\n%s", said.String(), want)
	}
	if !notebooktest.Exists(filepath.Join(out, "20_quick.html")) {
		t.Error("a page was deleted")
	}
}
